"""Sample exports brought to mapped records, once per route for all tests of this folder; read only."""

from __future__ import annotations

import pytest

from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib.opened import ROUTES, sampled


@pytest.fixture(scope="session", params=ROUTES)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """An engagement with 300 contacts on either route."""
    return sampled(tmp_path_factory.mktemp(request.param), request.param, unknown_columns=True)

"""Rigs that are stopped when their test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.lib.rig import Rig, build

if TYPE_CHECKING:
    from crm_pipelines_tests.lib.rig_odoo import OdooRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Build migrations in the test's folder; their sandboxes end with the test."""
    made: list[Rig] = []

    def make(**options: object) -> Rig:
        made.append(build(tmp_path / f"rig{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.sandbox.stop()


@pytest.fixture
def odoo_rig(tmp_path: Path, odoo_server: OdooServer) -> Iterator[Callable[..., OdooRig]]:
    """Build migrations into databases of a real Odoo; the databases end with the test."""
    from crm_pipelines_tests.lib.rig_odoo import build_odoo

    made: list[OdooRig] = []

    def make(**options: object) -> OdooRig:
        server = options.pop("server", odoo_server)
        made.append(build_odoo(tmp_path / f"odoo{len(made)}", server, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.server.drop(one.database)

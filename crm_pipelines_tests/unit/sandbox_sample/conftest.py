"""One sample of each kind for the whole package; they only get read."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.sandbox.sample import SampleConfig, SampleReport, generate


@pytest.fixture(scope="package")
def five(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """The demo's kind of sample, smaller: two chunks, five waiting rows, a delta."""
    out: Path = tmp_path_factory.mktemp("five")
    return generate(SampleConfig(contacts=500, seed=7, out=out, chunks=2, planted_queue="five", delta=True))


@pytest.fixture(scope="package")
def rough(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """A sample with waiting rows at the usual rates."""
    out: Path = tmp_path_factory.mktemp("rough")
    return generate(SampleConfig(contacts=400, seed=11, out=out, chunks=3))

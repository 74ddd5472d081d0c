"""An installation in a temporary folder: engagements, ledger and Dagster home of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  account: {{name: {name}, base_url: "http://127.0.0.1:9", token_env: CRM_TEST_TOKEN}}
  chunks_per_run: {chunks_per_run}
"""
FIXTURES = Path(__file__).parents[2] / "fixtures" / "kartra"

Engage = Callable[..., Path]


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the product at a folder of the test's own."""
    return install(tmp_path, monkeypatch)


@pytest.fixture
def engage(where: Path) -> Engage:
    """Make engagements with the small fixture exports in their folders."""

    def make(name: str = "acme", *, chunks_per_run: int = 25, exports: bool = True) -> Path:
        return write_engagement(where, name, chunks_per_run=chunks_per_run, exports=exports)

    return make


def install(where: Path, patch: pytest.MonkeyPatch) -> Path:
    """Point the product at a folder."""
    patch.setenv("CRM_ENGAGEMENTS", str(where / "engagements"))
    patch.setenv("CRM_LEDGER_URL", f"sqlite:///{where / 'ledger.sqlite'}")
    patch.setenv("DAGSTER_HOME", str(where / "dagster_home"))
    patch.setenv("CRM_TEST_TOKEN", "test-token")
    (where / "engagements").mkdir()
    return where


def write_engagement(where: Path, name: str, *, chunks_per_run: int = 25, exports: bool = True) -> Path:
    """Write an engagement whose destination is not there."""
    folder = where / "engagements" / name
    (folder / "exports").mkdir(parents=True)
    (folder / "engagement.yaml").write_text(ENGAGEMENT.format(name=name, chunks_per_run=chunks_per_run), encoding="utf-8")
    (folder / "decisions.yaml").write_text("owners: queue_rows\n", encoding="utf-8")
    for path in sorted(FIXTURES.glob("*.csv")) if exports else ():
        shutil.copy(path, folder / "exports" / path.name)
    return folder

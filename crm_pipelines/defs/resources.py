"""What assets and sensors reach the rest of the product through: the installation, and errors as Dagster failures.

Belongs here: opening projects and sessions for a run. Not here: where the installation lies (settings), how its home is
made (home).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import dagster as dg
from sqlalchemy import make_url

from crm_pipelines.errors import EXIT_DESTINATION, CrmError, QuotaExhausted, SettingsError
from crm_pipelines.observe import STOP, draining
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.settings import home, load_engagement


class Stopped(CrmError):
    """A stop was asked for: what was in flight is settled and recorded, the rest goes on with the next run."""

    exit_code = EXIT_DESTINATION


class Installation(dg.ConfigurableResource[None]):
    """Opens engagements and their accounts. Holds no secret and no state: every run reads the files as they are."""

    def project(self, engagement: str) -> Project:
        """Return the engagement with its compiled spec, opened anew when one of its files changed."""
        opened = load_engagement(engagement)
        paths = (opened.folder / "engagement.yaml", opened.decisions_path, opened.spec_path, opened.work / "intakes.json")
        return _project(str(opened.folder), tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths))

    @contextmanager
    def session(self, engagement: str, purpose: str, instance: dg.DagsterInstance) -> Iterator[Session]:
        """Hold the account for writing; a stop signal drains instead of interrupting.

        Raises: LockedError naming the holder; SettingsError when this launcher cannot share a SQLite ledger; Stopped.
        """
        require_local_ledger(instance)
        with draining(), open_session(self.project(engagement), purpose) as session:
            yield session
            if STOP.is_set():
                raise Stopped(f"{engagement}: stopped on request; everything sent is recorded. Run it again to go on.")


@lru_cache(maxsize=8)
def _project(folder: str, _changed: tuple[int, ...]) -> Project:
    """Checking and compiling a spec takes a tenth of a second; a walk asks for it at every step."""
    return Project.open(load_engagement(Path(folder).name))


def require_local_ledger(instance: dg.DagsterInstance) -> None:
    """Raise SettingsError when runs may start on another machine and the ledger is a local SQLite file."""
    if make_url(home().ledger_url).get_backend_name() != "sqlite":
        return
    launcher = type(instance.run_launcher).__name__
    if launcher not in ("DefaultRunLauncher", "SyncInMemoryRunLauncher"):
        raise SettingsError(
            f"{launcher} may start runs on other machines, where a SQLite ledger cannot be shared: "
            "set CRM_LEDGER_URL to postgresql+psycopg://..., or use Dagster's default run launcher"
        )


@contextmanager
def as_failure() -> Iterator[None]:
    """Turn the product's errors into Dagster failures that say what to do; the error itself stays the cause."""
    try:
        yield
    except CrmError as error:
        metadata: dict[str, str | int] = {"error": type(error).__name__, "exit code": error.exit_code}
        if isinstance(error, QuotaExhausted):
            metadata["resumes at (UTC)"] = error.resumes_at.isoformat()
        raise dg.Failure(description=str(error), metadata=metadata, allow_retries=False) from error

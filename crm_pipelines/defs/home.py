"""DAGSTER_HOME and the ledger, made once under a lock.

Belongs here: first start and the Dagster instance. Not here: where the home lies (settings), what the ledger holds (ledger).

Two processes that first-started on one empty Dagster home broke it for good (measured); every command and `make ui` come
through here first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from crm_pipelines.errors import SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.settings import Home, home, private_dir

if TYPE_CHECKING:
    import dagster as dg

STAMP = ".initialised"


def initialise(where: Home | None = None) -> Home:
    """Make DAGSTER_HOME and the ledger, once; cheap when they are there.

    Raises: SettingsError when dagster.yaml is missing or the ledger's URL is not usable.
    """
    where = where or home()
    config = _dagster_yaml(where)
    wanted = _fingerprint(config, where)
    if _stamp(where) == wanted:
        return where
    with _locked(private_dir(where.dagster_home)):
        if _stamp(where) != wanted:
            _make(where, config)
            (where.dagster_home / STAMP).write_text(wanted)
    return where


def open_instance(where: Home | None = None) -> dg.DagsterInstance:
    """Return the Dagster instance of this installation, made if need be; the caller disposes of it."""
    import dagster as dg

    where = initialise(where)
    return dg.DagsterInstance.from_config(str(where.dagster_home))


def _make(where: Home, config: bytes) -> None:
    """Write dagster.yaml, then let Dagster and the ledger create their tables while nobody else can."""
    import dagster as dg

    (where.dagster_home / "dagster.yaml").write_bytes(config)
    with dg.DagsterInstance.from_config(str(where.dagster_home)) as instance:
        instance.get_run_records(limit=1)
        instance.get_dynamic_partitions("first_start")
        instance.all_instigator_state()
    with Ledger.open(where.ledger_url):
        pass


def _dagster_yaml(where: Home) -> bytes:
    for folder in (where.root, Path(__file__).resolve().parents[2]):
        if (folder / "dagster.yaml").is_file():
            return (folder / "dagster.yaml").read_bytes()
    raise SettingsError(f"{where.root / 'dagster.yaml'} is missing: restore it from the repository")


def _fingerprint(config: bytes, where: Home) -> str:
    parts = (config, version("dagster").encode(), version("crm_pipelines").encode(), where.ledger_url.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stamp(where: Home) -> str:
    path = where.dagster_home / STAMP
    return path.read_text() if path.is_file() else ""


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / ".init.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

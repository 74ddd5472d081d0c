"""What only the SQLite ledger has: a file, its modes, its traces."""

from __future__ import annotations

import fcntl
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from crm_pipelines.errors import LedgerError, SettingsError
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.ledger import Ledger
from crm_pipelines.ledger.store import open_store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def load(ledger: Ledger, engagement: str) -> None:
    with ledger.lock("account", "test") as fence:
        journal = ledger.journal("account", engagement, "people", 1, fence)
        keys = [f"{engagement}-{i}@example.com" for i in range(300)]
        sent = journal.sending([Attempt(key, "create", "h", f"payload of {key}".encode(), "t", 5) for key in keys], None)
        journal.answered([Outcome(i, key, "created", key) for i, key in zip(sent, keys, strict=True)][:200])


def test_every_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    home = tmp_path / "crm" / "state"
    program = (
        "import os, sys; os.umask(0)\n"
        "from crm_pipelines.ledger import Ledger\n"
        "ledger = Ledger.open(sys.argv[1])\n"
        "lock = ledger.lock('account', 'test'); lock.__enter__()\n"
        "ledger.open_pass('e', 'account', '001')\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, f"sqlite:///{home}/ledger.db"], check=True)
    files = {path.name: mode(path) for path in home.iterdir()}
    assert {"ledger.db", "ledger.db-wal", "ledger.db-shm"} < set(files)
    assert set(files.values()) == {0o600}
    assert mode(home) == 0o700


def test_a_ledger_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch(mode=0o644)
    Ledger.open(f"sqlite:///{path}").close()
    assert mode(path) == 0o600


def test_commits_are_synchronous(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/ledger.db")
    with store.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    store.close()
    assert found == ["wal", 2]


def test_an_opening_waits_for_another(tmp_path: Path) -> None:
    """Without this, one of forty first openings at once fails: too seldom for a test that races."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    with (tmp_path / "ledger.db.open.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        opened = threading.Event()
        thread = threading.Thread(target=lambda: (Ledger.open(url).close(), opened.set()))
        thread.start()
        assert not opened.wait(0.3)
    assert opened.wait(30)
    thread.join()


def test_purge_leaves_no_trace_in_the_file(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        load(ledger, "gone")
        load(ledger, "stays")
        ledger.purge("gone")
        content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"gone-" not in content
    assert b"stays-0@example.com" in content


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://host/name", "not in mysql"),
        ("/var/lib/ledger.db", "not readable"),
        ("", "not readable"),
    ],
)
def test_a_url_that_cannot_hold_a_ledger(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Ledger.open(url)


def test_a_place_that_cannot_hold_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "file" / "ledger.db"):
        with pytest.raises(SettingsError, match="cannot live at"):
            Ledger.open(f"sqlite:///{place}")


def test_a_password_is_not_repeated_in_the_error() -> None:
    with pytest.raises(LedgerError) as told:
        Ledger.open("postgresql+psycopg://crm:hunter2@127.0.0.1:1/none?connect_timeout=2")
    assert "hunter2" not in str(told.value)
    assert "check that it is reachable" in str(told.value)


def test_a_file_that_is_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"name,email\n" * 1000)
    with pytest.raises(LedgerError, match="SQLITE_NOTADB"):
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db")


def test_a_database_error_names_no_value(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/ledger.db")
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TABLE t (k TEXT PRIMARY KEY)")
    with pytest.raises(LedgerError) as told, store.write() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (?), (?)", ("ana@example.com", "ana@example.com"))
    store.close()
    assert "ana" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_plain_sqlite_reader_sees_the_ledger_while_it_is_written(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        load(ledger, "acme")
        with sqlite3.connect(f"file:{tmp_path}/ledger.db?mode=ro", uri=True) as reader:
            assert reader.execute("SELECT count(*) FROM records").fetchone() == (200,)
        reader.close()

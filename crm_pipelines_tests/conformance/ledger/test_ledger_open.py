"""Opening a ledger: the first time, by several at once, from older and newer schemas."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, inspect, text

from crm_pipelines.errors import EXIT_INVARIANT, LedgerError
from crm_pipelines.ledger import Ledger, tables
from crm_pipelines.ledger.migrations import MIGRATIONS, Migration, migrate
from crm_pipelines.ledger.store import open_store
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT
from crm_pipelines_tests.conformance.ledger.writer import start

NEXT = Migration(MIGRATIONS[-1].number + 1, ("ALTER TABLE engagements ADD COLUMN colour TEXT", "UPDATE engagements SET colour = 'red'"))
BROKEN = Migration(NEXT.number + 1, ("ALTER TABLE engagements ADD COLUMN shape TEXT", "UPDATE no_such_table SET shape = 'round'"))


def version(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT value FROM meta WHERE name = 'schema_version'")).scalar_one()
    engine.dispose()
    return str(found)


def set_version(url: str, value: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = :value WHERE name = 'schema_version'"), {"value": value})
    engine.dispose()


def test_several_processes_may_open_it_for_the_first_time_at_once(url: str) -> None:
    openers = [start("open", url) for _ in range(4)]
    said = {opener.communicate(timeout=60)[0] for opener in openers}
    assert [opener.returncode for opener in openers] == [0] * 4
    assert len(said) == 1
    with Ledger.open(url) as ledger:
        assert said == {ledger.digest("x") + "\n"}


def test_several_threads_may_open_it_for_the_first_time_at_once(url: str) -> None:
    """Closer together than processes can start."""
    together = threading.Barrier(8)

    def first() -> str:
        together.wait()
        with Ledger.open(url) as ledger:
            return ledger.digest("x")

    with ThreadPoolExecutor(8) as pool:
        assert len({future.result() for future in [pool.submit(first) for _ in range(8)]}) == 1


def test_the_tables_are_what_the_code_believes(ledger: Ledger, url: str) -> None:
    engine = create_engine(url)
    found = inspect(engine)
    assert set(found.get_table_names()) - {"sqlite_sequence"} == set(tables.metadata.tables)
    for name, table in tables.metadata.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert set(columns) == {column.name for column in table.columns}, name
        keys = {column.name for column in table.primary_key.columns}
        assert set(found.get_pk_constraint(name)["constrained_columns"]) == keys, name
        nullable = {column for column, facts in columns.items() if facts["nullable"]} - keys
        assert nullable == {column.name for column in table.columns if column.nullable}, name
    engine.dispose()


def test_an_older_ledger_is_brought_forward_with_what_it_holds(url: str) -> None:
    with Ledger.open(url) as ledger:
        ledger.open_pass(ENGAGEMENT, ACCOUNT, "baseline")
    store = open_store(url)
    migrate(store, [*MIGRATIONS, NEXT])
    migrate(store, [*MIGRATIONS, NEXT])
    with store.read() as connection:
        assert connection.execute(text("SELECT engagement, colour FROM engagements")).all() == [(ENGAGEMENT, "red")]
    store.close()
    assert version(url) == str(NEXT.number)


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(url: str) -> None:
    with Ledger.open(url):
        pass
    store = open_store(url)
    with pytest.raises(LedgerError):
        migrate(store, [*MIGRATIONS, NEXT, BROKEN])
    store.close()
    assert version(url) == str(MIGRATIONS[-1].number)
    engine = create_engine(url)
    assert not {"colour", "shape"} & {column["name"] for column in inspect(engine).get_columns("engagements")}
    engine.dispose()


def test_a_newer_ledger_is_left_alone(url: str) -> None:
    with Ledger.open(url):
        pass
    set_version(url, "99")
    with pytest.raises(LedgerError, match=r"schema version 99, this program knows \d+.*newer release.*Install") as told:
        Ledger.open(url)
    assert told.value.exit_code == EXIT_INVARIANT
    assert version(url) == "99"


def test_digests_are_stable_per_ledger_and_say_nothing_about_the_key(
    ledger: Ledger, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Ledger.open(url) as again, Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('other')}/ledger.db") as other:
        assert ledger.digest("ana@example.com") == again.digest("ana@example.com")
        assert ledger.digest("ana@example.com") != other.digest("ana@example.com")
        assert len(ledger.digest("ana@example.com")) == 12

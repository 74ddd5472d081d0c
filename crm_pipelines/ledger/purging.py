"""Erase an engagement from the ledger.

Belongs here: every table that names an engagement. Not here: its folders and queue files (phases), who may ask (cli).
"""

from __future__ import annotations

from sqlalchemy import delete, select, union

from crm_pipelines.ledger import tables
from crm_pipelines.ledger.store import Store

_NAMED = (tables.audit, tables.calls, tables.made, tables.gates, tables.seals, tables.passes, tables.engagements, tables.scopes)


def accounts(store: Store, engagement: str) -> list[str]:
    """Return the accounts in which this engagement has anything."""
    named = [select(t.c.account).where(t.c.engagement == engagement) for t in (tables.scopes, tables.passes, tables.made)]
    with store.read() as connection:
        return sorted(connection.execute(union(*named)).scalars())


def purge(store: Store, engagement: str) -> None:
    """Delete every row of an engagement; the account's spend stays, it is the account's."""
    scopes = select(tables.scopes.c.scope).where(tables.scopes.c.engagement == engagement)
    with store.write() as connection:
        for table in (tables.attempts, tables.records):
            connection.execute(delete(table).where(table.c.scope.in_(scopes)))
        for table in _NAMED:
            connection.execute(delete(table).where(table.c.engagement == engagement))
    if store.dialect == "sqlite":
        _rewrite(store)


def _rewrite(store: Store) -> None:
    """Freed pages of SQLite keep what was in them until the file is written anew."""
    raw = store.engine.raw_connection()
    try:
        raw.cursor().execute("VACUUM")
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()

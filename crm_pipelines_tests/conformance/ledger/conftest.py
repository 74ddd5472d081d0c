from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from crm_pipelines.ledger import Fence, Ledger

ACCOUNT, ENGAGEMENT, PHASE = "acme-pipedrive", "acme", "people"


SERVER = os.environ.get("CRM_TEST_POSTGRES_URL")
LOUD = pytest.mark.skip(reason="THE POSTGRESQL HALF IS NOT TESTED: set CRM_TEST_POSTGRES_URL=$(scripts/postgres.sh start)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, *([] if SERVER else [LOUD])])])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty place for a ledger: a file, or a schema of its own on the test server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    assert SERVER is not None
    schema = f"ledger_{secrets.token_hex(8)}"
    plain = make_url(SERVER).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield make_url(SERVER).update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


@pytest.fixture
def fence(ledger: Ledger) -> Iterator[Fence]:
    with ledger.lock(ACCOUNT, "test") as held:
        yield held

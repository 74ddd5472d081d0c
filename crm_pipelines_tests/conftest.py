"""Fixtures that tests of several folders share: a real Odoo, and databases of one's own in it.

Belongs here: what is started once per session, what happens when it cannot be, and how long an example may take. Not here: how an Odoo
is started (lib/odoo.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings

from crm_pipelines_tests.lib import odoo
from crm_pipelines_tests.lib.odoo import OdooServer

settings.register_profile("any machine", settings.default, deadline=None)  # no example fails because the machine is busy
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def odoo_server() -> Iterator[OdooServer]:
    """A running Odoo: the one that the environment names, or ours. Without one the test is skipped, or fails under CRM_REQUIRE_ODOO=1."""
    with _or_skip():
        server = odoo.find()
    yield server
    server.close()


@pytest.fixture
def odoo_db(odoo_server: OdooServer) -> Iterator[str]:
    """A fresh database of this test's own: what the template holds, and nothing else."""
    yield from _database(odoo_server)


@pytest.fixture(scope="module")
def module_odoo_db(odoo_server: OdooServer) -> Iterator[str]:
    """A fresh database that the tests of a module share."""
    yield from _database(odoo_server)


@pytest.fixture(scope="module")
def odoo_prefork(odoo_server: OdooServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OdooServer]:
    """One more Odoo on the same databases, with two worker processes that may be killed."""
    log = tmp_path_factory.mktemp("odoo") / "prefork.log"
    with _or_skip():
        second = odoo.prefork(odoo_server, log)
        server = second.__enter__()
    try:
        yield server
    finally:
        second.__exit__(None, None, None)


def _database(server: OdooServer) -> Iterator[str]:
    name = server.new_database()
    yield name
    server.drop(name)


@contextmanager
def _or_skip() -> Iterator[None]:
    try:
        yield
    except odoo.NoOdooError as missing:
        if os.environ.get("CRM_REQUIRE_ODOO") == "1":
            pytest.fail(f"CRM_REQUIRE_ODOO=1, but: {missing}", pytrace=False)
        pytest.skip(f"NOT TESTED AGAINST ODOO: {missing}")

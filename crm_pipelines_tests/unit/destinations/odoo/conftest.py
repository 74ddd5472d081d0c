"""A database to write into, shared by the tests of a file; each takes keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal
from crm_pipelines_tests.unit.destinations.odoo.desk import WANTED, Desk


@pytest.fixture(scope="module")
def desk(odoo_server: OdooServer, module_odoo_db: str) -> Iterator[Desk]:
    made = Desk(odoo_server, module_odoo_db)
    made.main.prepare(WANTED, MemoryJournal("destination_schema"))
    yield made
    made.close()

"""Odoo, the second destination: JSON-2 from version 19, XML-RPC before.

Belongs here: everything that says Odoo. Not here: retries and transport (destinations.http), the order of journal and
network (destinations.batches).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm_pipelines.settings import AccountSettings

if TYPE_CHECKING:
    from crm_pipelines.destinations.odoo.destination import OdooDestination


def connect(account: AccountSettings) -> OdooDestination:
    """Return the account as a Destination; nothing is sent before it is used."""
    from crm_pipelines.destinations.odoo.destination import OdooDestination

    return OdooDestination(account)

"""Which database an account is, whatever the rights of the API key.

Belongs here: finding that out, and remembering it in the database. Not here: what else a database has (describe), ours by name (keys).

Odoo's own identity (`database.uuid`) takes the right Administration: Settings to read. A seal that was made with an administrator's key
must not shut when the load goes on with a lesser one, so that what was found first stands in the database, as an external id of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.keys import key_of, name_of

COMPANY = "res.company"
ACCOUNT = "people.account="
"""How the external id of our company begins; the equals sign cannot be part of a person's, whose keys are percent-encoded."""
APART = "@"
"""Between an identity and the database's name when it was found: a copy has another name, and is another database."""


async def uuid_of(api: Api) -> str:
    """Return the database's own identity; empty where the key's user may not read it."""
    reply = await api.ask("read.uuid", "ir.config_parameter", "get_param", key="database.uuid")
    return "" if reply.fault is not None else str(reply.data or "")


async def identity(api: Api, uuid: str, company_id: int) -> str:
    """Return what was found first, else `uuid`, else the database's name. Of a copy: never what its original was called."""
    rows = await api.search_read("read.identity", "ir.model.data", _ours(api, company_id), ["name"])
    for row in rows:
        found, _, place = _told(row).rpartition(APART)
        if place == _place(api) and (not uuid or found in {uuid, place}):
            return found
    return uuid or _place(api)


async def remember(api: Api, found: str, company_id: int) -> None:
    """Write down the identity that was found, once."""
    name = name_of("people", f"{found}{APART}{_place(api)}").replace("people.", ACCOUNT, 1)
    rows = await api.search_read("read.identity", "ir.model.data", _ours(api, company_id), ["name"])
    if any(row["name"] == name for row in rows):
        return
    vals = [{"module": api.account.prefix, "name": name, "model": COMPANY, "res_id": company_id}]
    # refused where the key's user may not: the identity is then found anew each time
    await api.ask("prepare.remember_identity", "ir.model.data", "create", vals_list=vals, writes=True)


def _place(api: Api) -> str:
    return api.account.database or httpx.URL(api.account.base_url).host


def _told(row: Mapping[str, Any]) -> str:
    return key_of("people", str(row["name"]).replace(ACCOUNT, "people.", 1)) or ""


def _ours(api: Api, company_id: int) -> list[Any]:
    named = [["module", "=", api.account.prefix], ["name", "=like", f"{ACCOUNT}%"]]
    return [*named, ["model", "=", COMPANY], ["res_id", "=", company_id]]

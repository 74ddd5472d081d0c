"""What the API key's user may do, asked before anything is sent.

Belongs here: rights on models. Not here: which steps need them (prepare), what else a database has (describe).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.models import MODELS

WRITES: Mapping[str, str] = {
    "ir.model.fields": "create",
    "ir.model.fields.selection": "create",
    "res.partner.category": "create",
    "crm.stage": "create",
    "res.currency": "write",
    "product.pricelist": "create",
    "ir.model.data": "create",  # an adopted record receives its external id by itself; `load` makes those of new ones as superuser
}
"""What a migration needs the right to do, beside creating and writing records of every phase."""
ON_RECORDS = ("create", "write")
HAS_ACCESS_SINCE = 18  # BaseModel.has_access; before: check_access_rights
ALL_GROUPS_SINCE = 19  # res.users.all_group_ids: implied groups are among them


def needed_for(phases: Iterable[str]) -> set[str]:
    """Return the rights, worded as `forbidden_in` does, without which records of these phases could not be loaded."""
    models = {MODELS[phase].name for phase in phases if phase in MODELS}
    return {f"{right} {model}" for model in models for right in ON_RECORDS} | ({"create ir.model.data"} if models else set())


async def forbidden_in(api: Api, phases: Iterable[str], uid: int) -> tuple[str, ...]:
    """Return what the key's user may not do, as `create crm.stage`, of all that a migration may need; models that are absent aside."""
    there = {MODELS[phase].name for phase in phases}
    asked = [(model, right) for model in sorted(there) for right in ON_RECORDS]
    asked += [(model, right) for model, right in WRITES.items()]
    granted = await _granted(api, {model for model, _ in asked}, uid)
    doubtful = [pair for pair in asked if pair not in granted]
    answers = await together(*(_may(api, model, right) for model, right in doubtful))
    return tuple(f"{right} {model}" for (model, right), may in zip(doubtful, answers, strict=True) if not may)


async def _granted(api: Api, models: Collection[str], uid: int) -> set[tuple[str, str]]:
    """Return rights that the access list shows, in two requests; what it does not show, or may not be read, is asked one by one."""
    if api.version[0] < ALL_GROUPS_SINCE:
        return set()
    (user,) = await api.call("read.rights", "res.users", "read", ids=[uid], fields=["all_group_ids"], load=None)
    domain = [["model_id.model", "in", sorted(models)], "|", ["group_id", "=", False], ["group_id", "in", user["all_group_ids"]]]
    fields = ["model_id", "perm_create", "perm_write"]
    reply = await api.ask("read.rights", "ir.model.access", "search_read", domain=domain, fields=fields)
    if reply.fault is not None:
        return set()
    ids = sorted({row["model_id"][0] for row in reply.data})
    names = {row["id"]: row["model"] for row in await api.call("read.rights", "ir.model", "read", ids=ids, fields=["model"])}
    return {(names[row["model_id"][0]], right) for row in reply.data for right in ON_RECORDS if row[f"perm_{right}"]}


async def _may(api: Api, model: str, right: str) -> bool:
    if api.version[0] >= HAS_ACCESS_SINCE:
        reply = await api.ask("read.rights", model, "has_access", ids=[], operation=right)
    else:
        reply = await api.ask("read.rights", model, "check_access_rights", operation=right, raise_exception=False)
    if reply.fault is not None and reply.fault.kind != "unknown_model":
        raise error_of("read.rights", reply.fault)
    return reply.fault is not None or bool(reply.data)

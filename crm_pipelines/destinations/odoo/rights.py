"""What the API key's user may do, asked before anything is sent.

Belongs here: rights on models. Not here: which steps need them (prepare), what else a database has (describe).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
}
"""What `prepare` needs the right to do, beside creating and writing records of every phase."""
HAS_ACCESS_SINCE = 18  # BaseModel.has_access; before: check_access_rights


async def forbidden_in(api: Api, phases: Iterable[str]) -> tuple[str, ...]:
    """Return what the key's user may not do, as `create crm.stage`, of all that a migration may need; models that are absent aside."""
    there = {MODELS[phase].name for phase in phases}
    asked = [(model, right) for model in sorted(there) for right in ("create", "write")]
    asked += [(model, right) for model, right in WRITES.items()]
    answers = await together(*(_may(api, model, right) for model, right in asked))
    return tuple(f"{right} {model}" for (model, right), may in zip(asked, answers, strict=True) if not may)


async def _may(api: Api, model: str, right: str) -> bool:
    if api.version[0] >= HAS_ACCESS_SINCE:
        reply = await api.ask("read.rights", model, "has_access", ids=[], operation=right)
    else:
        reply = await api.ask("read.rights", model, "check_access_rights", operation=right, raise_exception=False)
    if reply.fault is not None and reply.fault.kind != "unknown_model":
        raise error_of("read.rights", reply.fault)
    return reply.fault is not None or bool(reply.data)

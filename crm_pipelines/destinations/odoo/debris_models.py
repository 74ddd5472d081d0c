"""Models and fields that no code stands behind any more.

Belongs here: finding them without asking for every model by itself. Not here: what else names them (debris_views, debris_jobs, debris_ids).

`ir.model.display_name_for` (web/models/ir_model.py) answers for any number of models at once: a model that the server has code for, that
holds records and that the user may read comes back with its description, any other with its technical name. The few that do are asked for
one by one: an unknown model is an error of its own (404, `the model '...' does not exist`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Finding
from crm_pipelines.destinations.odoo.debris import Models, found
from crm_pipelines.destinations.odoo.inspect_reading import Reader, Row
from crm_pipelines.destinations.odoo.rights import HAS_ACCESS_SINCE

MOST_ASKED = 40  # requests for doubtful models: a key with few rights makes most of them doubtful, and before 19 so are abstract ones
UNINSTALL = "Have an engineer uninstall the add-on properly (that needs its code once more), or delete the rows; on a copy first."


async def models_of(reader: Reader) -> Models:
    """Read which models there are and which have no code, and let the reader know which are shut; two requests and a few."""
    rows = await reader.rows("ir.model", [], ["model"], newer=["transient", "abstract"])
    known = frozenset(str(row["model"]) for row in rows)
    storing = [str(row["model"]) for row in rows if not row.get("transient") and not row.get("abstract")]
    doubtful = await _doubtful(reader, storing)
    asked = doubtful[:MOST_ASKED]
    answers = dict(zip(asked, await together(*(_access(reader, model) for model in asked)), strict=True))
    gone = frozenset(model for model, answer in answers.items() if answer is None)
    reader.shut = frozenset(model for model in doubtful if model not in gone and not answers.get(model))
    return Models(known, gone)


async def model_debris(reader: Reader, models: Models) -> list[Finding]:
    """Return the findings on models and on fields that belong or point to missing ones."""
    return [*_gone(models), *await _fields(reader, models)]


async def _doubtful(reader: Reader, models: Sequence[str]) -> list[str]:
    if not models:
        return []
    reply = await reader.api.ask("inspect.models", "ir.model", "display_name_for", models=list(models))
    if reply.fault is not None:  # before 16, or without the web client
        return []
    return sorted(str(row["model"]) for row in reply.data if row["display_name"] == row["model"])


async def _access(reader: Reader, model: str) -> bool | None:
    """Return whether the key's user may read a model; None when no code stands behind it."""
    if reader.api.version[0] >= HAS_ACCESS_SINCE:
        reply = await reader.api.ask("inspect.model", model, "has_access", ids=[], operation="read")
    else:
        reply = await reader.api.ask("inspect.model", model, "check_access_rights", operation="read", raise_exception=False)
    if reply.fault is not None and reply.fault.kind == "unknown_model":
        return None
    return reply.fault is None and bool(reply.data)


def _gone(models: Models) -> Iterable[Finding]:
    told = "without code on the server, left by a removed add-on: nothing can be read from there, or written."
    yield from found("ir.model", models.gone, "kind of record", told, UNINSTALL)


async def _fields(reader: Reader, models: Models) -> list[Finding]:
    if not models.known:
        return []
    live = sorted(models.known - models.gone)
    orphans, pointing = await together(
        reader.rows("ir.model.fields", [["model", "in", sorted(models.gone)]], ["model", "name"]) if models.gone else _none(),
        reader.rows("ir.model.fields", [["relation", "!=", False], ["relation", "not in", live]], ["model", "name", "relation"]),
    )
    owned = {f"{row['model']}.{row['name']}" for row in orphans}
    links = {f"{row['model']}.{row['name']}" for row in pointing} - owned
    return [
        *found("ir.model.fields", owned, "field", "of kinds of record that no longer exist.", UNINSTALL, level="note"),
        *found(
            "ir.model.fields, relation",
            links,
            "field",
            "pointing to kinds of record that no longer exist; forms and lists that show them may fail to open.",
            UNINSTALL,
        ),
    ]


async def _none() -> list[Row]:
    return []

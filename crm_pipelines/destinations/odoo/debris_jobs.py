"""Scheduled jobs, actions, mail templates, filters and rules that name a kind of record which no longer exists.

Belongs here: what runs, or is clicked on, and fails. Not here: which models are gone (debris_models), views (debris_views).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import Finding
from crm_pipelines.destinations.odoo.debris import Models, found
from crm_pipelines.destinations.odoo.debris_views import LIST_SINCE
from crm_pipelines.destinations.odoo.inspect_reading import ARCHIVED_TOO, Reader, Row


@dataclass(frozen=True)
class Kind:
    """One model whose records name a model."""

    model: str
    names: str
    """Field with the technical name of the model."""
    noun: str
    told: str
    todo: str
    more: tuple[str, ...] = ()
    """Fields that are read too."""


LOST = "for kinds of record that no longer exist, left by a removed add-on."
DELETE = "Delete them (Settings > Technical, with the developer mode)."
KINDS = (
    Kind(
        "ir.cron",
        "model_name",
        "scheduled job",
        "left by removed add-ons; while it is active, such a job fails every time it runs.",
        "Switch them off or delete them (Settings > Technical > Scheduled Actions).",
        ("active", "model_id"),
    ),
    Kind("ir.actions.act_window", "res_model", "menu action", LOST, DELETE, ("view_mode",)),
    Kind("ir.actions.server", "model_name", "server action", LOST, DELETE, ("usage",)),
    Kind("ir.actions.report", "model", "printed report", LOST, DELETE),
    Kind("mail.template", "model", "mail template", LOST, DELETE),
    Kind("ir.filters", "model_id", "saved filter", LOST, DELETE),
)


async def job_debris(reader: Reader, models: Models) -> list[Finding]:
    """Return the findings on everything that names a missing model; one request for each kind."""
    lists = await together(*(reader.rows(kind.model, [], [kind.names, *kind.more], context=ARCHIVED_TOO) for kind in KINDS))
    rows = dict(zip((kind.model for kind in KINDS), lists, strict=True))
    told = [one for kind in KINDS for one in _of(kind, rows, models)]
    return [*told, *(_tree_actions(rows) if reader.api.version[0] >= LIST_SINCE else ())]


def _of(kind: Kind, rows: Mapping[str, Sequence[Row]], models: Models) -> Iterable[Finding]:
    broken = [row for row in rows[kind.model] if models.is_gone(row[kind.names])]
    if kind.model == "ir.actions.server":  # a scheduled job is one, too
        broken = [row for row in broken if row["usage"] != "ir_cron"]
    names = {f"{row['id']} of {row[kind.names]}{'' if row.get('active', True) else ', switched off'}" for row in broken}
    yield from found(kind.model, names, kind.noun, kind.told, kind.todo, level="warning" if kind.model == "ir.cron" else "note")


def _tree_actions(rows: Mapping[str, Sequence[Row]]) -> Iterable[Finding]:
    names = {
        f"{row['id']} of {row['res_model']}" for row in rows["ir.actions.act_window"] if "tree" in str(row["view_mode"] or "").split(",")
    }
    told = "asking for a <tree> view, which this version calls a list and cannot open."
    yield from found(
        "ir.actions.act_window, view_mode", names, "menu action", told, "Have an engineer write list in place of tree in them."
    )

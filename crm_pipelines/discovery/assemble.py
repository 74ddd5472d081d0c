"""Everything that discovery found, in one value: exports, destination, decisions, what arrives and what waits, grades, days.

Belongs here: putting the parts together, and what is said when some are missing. Not here: finding the parts (gather; a destination's
`inspect`; phases.predict and phases.plan), the rules of grades and days (grades, timeline), how it looks (reports.scope).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from crm_pipelines.destinations.base import Inspection
from crm_pipelines.discovery.foreseen import foreseen
from crm_pipelines.discovery.gather import gather
from crm_pipelines.discovery.grades import Count, graded
from crm_pipelines.discovery.mailing import mailing
from crm_pipelines.discovery.questions import NAMES, decisions
from crm_pipelines.discovery.reckoning import broken_lines, merged_values, money_aside, ruined_phones, seats_short, without_owner
from crm_pipelines.discovery.timeline import timeline
from crm_pipelines.discovery.values import Discovery, OwnerFinding
from crm_pipelines.phases.automations import Signature
from crm_pipelines.phases.predict import Prediction
from crm_pipelines.phases.project import Project

SIGNED_LEVEL = "good"
ABBREVIATIONS = {"gdpr": "GDPR", "sms": "SMS"}


def assemble(
    project: Project,
    inspection: Inspection | None,
    forecast: Mapping[str, Any],
    signed: Signature | None,
    *,
    made_at: datetime,
    prediction: Prediction | None = None,
    notes: tuple[str, ...] = (),
) -> Discovery:
    """Return everything that the scope document says.

    Works before anything was exported (then it is the checklist, the questions and the gaps), without a destination, and with
    questions still open. `prediction` is what the load will come to, where the caller foresaw it; without it the mapped records
    tell what is ready and what waits on its own account. `notes` are the caller's, such as why there is no forecast.
    """
    parts = gather(project, None if inspection is None else inspection.schema.users)
    ahead = foreseen(project, forecast, prediction, parts.owners if inspection else ())
    found = Discovery(
        **{name: getattr(parts, name) for name in parts.__dataclass_fields__ if name != "notes"},
        engagement=project.engagement.name,
        route=project.engagement.node.route,
        source=project.spec.route.source,
        destination=project.spec.route.destination,
        made_at=made_at,
        inspection={} if inspection is None else _seated(_told(inspection, signed), parts.owners),
        decisions=decisions(project),
        gaps=tuple({"what": _named(name), "why": gap.why, "instead": gap.instead} for name, gap in project.spec.not_migrated.items()),
        forecast=forecast,
        predicted=ahead.predicted,
        queues=ahead.queues,
        **{name: getattr(ahead, name) for name in ("left_out", "waits", "waits_named", "money", "private")},
        broken=broken_lines(project),
        ownerless=without_owner(project),
        mailing=mailing(project),
        money_aside=money_aside(project),
        ruined=ruined_phones(project),
        merged=merged_values(project),
        grades=(),
        overall="A",
        notes=(*notes, *parts.notes, *ahead.notes),
        automations_signed=None if signed is None else signed.told(),
    )
    return _graded(found)


def _graded(found: Discovery) -> Discovery:
    grades = graded(found)
    found = replace(found, grades=grades.topics, overall=grades.overall, overall_told=grades.told, notes=(*found.notes, *grades.unknown))
    return replace(found, calendar=timeline(found))


def _told(inspection: Inspection, signed: Signature | None) -> dict[str, Any]:
    """Return an inspection as plain values; findings on automations are settled by a signature."""
    told = asdict(inspection)
    if signed is not None:
        told["findings"] = tuple(
            _settled(one, signed) if one["topic"] == "automations" and one["level"] != SIGNED_LEVEL else one for one in told["findings"]
        )
    return told


def _seated(told: dict[str, Any], owners: Sequence[OwnerFinding]) -> dict[str, Any]:
    """Return an inspection whose finding on seats knows who has no user: what is fine for those who are there is short for all."""
    missing = [one.owner for one in owners if one.user is None]
    short = seats_short(told["schema"], missing)
    if not short:
        return told
    word = f"{Count(len(missing)):team member} of the exports {'has' if len(missing) == 1 else 'have'} no user"
    more = f"{word}: to invite them, {short} more {'seat' if short == 1 else 'seats'} would be needed, and seats cost money."
    todo = "Name in the workbook who takes over from them, or buy seats and invite them."
    rows = [
        {**one, "level": "warning", "told": f"{one['told']} {more}", "todo": todo} if one["topic"] == "seats" else one
        for one in told["findings"]
    ]
    return {**told, "findings": tuple(rows)}


def _settled(finding: Mapping[str, Any], signed: Signature) -> dict[str, Any]:
    word = f"{finding['told']} Signed as paused by {signed.by} on {signed.at:%d %B %Y}."
    return {**finding, "level": SIGNED_LEVEL, "told": word, "todo": ""}


def _named(name: str) -> str:
    return NAMES.get(name) or " ".join(ABBREVIATIONS.get(word, word) for word in name.split("_"))

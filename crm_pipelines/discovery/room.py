"""Room for new fields: how many custom fields the destination's plan allows, and how many the map would make.

Belongs here: counting, ticking no more new fields than there is room for, saying so; what of the destination is remembered for those who
decide without asking it. Not here: the refusal before anything is made (a destination's `missing`), what plans allow (its costs).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from crm_pipelines.destinations.base import Schema
from crm_pipelines.discovery.grades import Count
from crm_pipelines.discovery.proposal import Proposal, ProposedMap
from crm_pipelines.phases import files
from crm_pipelines.phases.project import Project

CAP = "custom_fields"
"""The name of the cap in a destination's schema; one that has none allows any number."""
NO_ROOM = "not ticked, because the plan has no room for another field"
WAYS_OUT = "choose a field that exists or leave columns behind (sheet Columns), delete fields that nobody uses, or take a larger plan"


@dataclass(frozen=True)
class FieldRoom:
    """What an account holds of custom fields, and how many its plan allows."""

    account: str
    plan: str
    cap: int
    there: tuple[tuple[str, str], ...]
    """(phase, name) of those that exist."""

    @staticmethod
    def of(project: Project, schema: Schema) -> FieldRoom | None:
        """Return what an inspection found; None where any number is allowed."""
        cap = schema.caps.get(CAP)
        there = tuple((field.phase, field.name) for field in schema.fields if field.is_custom)
        return None if cap is None else FieldRoom(project.engagement.node.account.name, schema.plan, cap, there)

    def made_by(self, project: Project) -> int:
        """Return how many fields the map as it stands would make."""
        needed = {(name, each.name) for name, phase in project.compiled.phases.items() for each in phase.fields if each.is_custom}
        return len(needed - set(self.there))

    def counted(self, made: int) -> str:
        """Return what there is and what the map makes, as the beginning of a sentence."""
        return f"The {self.plan} plan allows {self.cap:,} custom fields; {len(self.there):,} exist, and the map makes {made:,} more"


def ticked_within(proposed: ProposedMap, project: Project, room: FieldRoom | None) -> tuple[ProposedMap, str]:
    """Return the proposals with no more new fields ticked than there is room for, those with most cells first; and what a client must know.

    The sentence is empty where there is room for all of them.
    """
    new = [each for each in proposed.columns if each.state == "pre-ticked" and each.best.target.kind == "new"]
    if room is None or not new:
        return proposed, ""
    made = room.made_by(project)
    free = max(0, room.cap - len(room.there) - made)
    over = {(each.object, each.heading) for each in sorted(new, key=lambda each: -each.filled)[free:]}
    if not over:
        return proposed, ""
    columns = tuple(_unticked(each) if (each.object, each.heading) in over else each for each in proposed.columns)
    told = f"{room.counted(made)}, so only {free:,} of {Count(len(new)):proposed new field} can be ticked. For the others {WAYS_OUT}."
    return replace(proposed, columns=columns), told


def remember_room(project: Project, room: FieldRoom | None) -> None:
    """Keep what was found, for whoever decides without asking the destination."""
    files.write_bytes(_path(project), orjson.dumps(None if room is None else asdict(room)))


def too_many(project: Project) -> str:
    """Return a sentence where the map as it stands makes more fields than there was room for when the destination was asked last."""
    room = _remembered(project)
    made = room.made_by(project) if room else 0
    over = made + len(room.there) - room.cap if room else 0
    if room is None or over <= 0:
        return ""
    return f"{room.counted(made)}: {over:,} too many, and nothing can be loaded so. In the workbook {WAYS_OUT}."


def _unticked(proposal: Proposal) -> Proposal:
    best, *others = proposal.candidates
    return replace(proposal, state="choose", candidates=(replace(best, evidence=(NO_ROOM, *best.evidence)), *others))


def _remembered(project: Project) -> FieldRoom | None:
    """Return what was found of this account; None when nobody asked it, or it allows any number."""
    path = _path(project)
    told = orjson.loads(path.read_bytes()) if path.is_file() else None
    if not told or told["account"] != project.engagement.node.account.name:
        return None
    return FieldRoom(**{**told, "there": tuple((phase, name) for phase, name in told["there"])})


def _path(project: Project) -> Path:
    return project.engagement.work / "fields.json"

"""The seal and answers to queues: what an answer declares is confirmed with it, and nothing else.

Belongs here: whether the map is as it was confirmed before an answer is taken, and the new seal after it. Not here: what a seal covers
(phases.confirm), taking answers (defs.queues).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.errors import NotConfirmedError
from crm_pipelines.ledger import Seal
from crm_pipelines.phases.accounts import newest_seal
from crm_pipelines.phases.changes import Change, differences
from crm_pipelines.phases.confirm import SHOWN_LINES, how_to_confirm, seal_content, seal_digest
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.phases.session import Session

USERS = "destination.users."


@dataclass(frozen=True)
class Renewal:
    """What became of the seal."""

    seal_no: int | None
    """The new seal; None where none was needed, or none could be given."""
    changes: tuple[str, ...] = ()
    """What the answers changed of what was confirmed."""
    undeclared: tuple[str, ...] = ()
    """What changed beside the answers: somebody has to confirm it before anything is sent."""


def require_unchanged(session: Session, owners: Collection[str]) -> Seal | None:
    """Return the newest seal; None when nothing was confirmed yet.

    Changes of the users of `owners`, who were answered for, are part of the answer.
    Raises: NotConfirmedError when what was confirmed changed already: an answer must not confirm that in passing.
    """
    seal = newest_seal(session.ledger, session.engagement)
    if seal is None:
        return None
    changes = _beside(differences(seal.content, seal_content(session)), owners)
    if changes:
        shown = "\n".join(f"  {line}" for line in changes[:SHOWN_LINES])
        raise NotConfirmedError(
            f"{session.engagement}: what was confirmed as seal {seal.seal_no} changed since:\n{shown}\n"
            f"No answer was taken. Undo the change, or confirm it first: {how_to_confirm(session.engagement, seal.kind)}"
        )
    return seal


def renew_seal(session: Session, before: Seal, declared: Mapping[str, Any], owners: Collection[str], by: str) -> Renewal:
    """Seal the map as it is after answers were taken: `declared` is the client's map as the answers make it.

    A sample seal stays one, for the same records. Anything else that changed leaves the old seal in force, so that the next run stops and
    names it.
    """
    content = seal_content(session)
    changes = tuple(str(change) for change in differences(before.content, content))
    expected = {**content, "map": declared}
    beside = _beside(differences({**before.content, "map": declared}, content), owners)
    undeclared = (*(str(change) for change in differences(expected, content)), *beside)
    if undeclared or not changes:
        return Renewal(None, changes, tuple(dict.fromkeys(undeclared)))
    if "sample" in before.content:
        content = {**content, "sample": before.content["sample"]}
    number = session.ledger.add_seal(
        session.engagement,
        before.kind,
        seal_digest(content),
        content,
        by,
        cites=before.cites,
        without_sample_reason=before.without_sample_reason,
        told={"answers_to_queues": True, "renews": before.seal_no, "changes": len(changes)},
    )
    return Renewal(number, changes)


def owners_behind(project: Project, left: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Return the owners of records that stay behind by name, or with their contact: nothing may be left of such an owner.

    `left`: object -> source key -> why.
    """
    keys = list({key for each in left.values() for key in each})
    found: set[str] = set()
    for name in project.derived if keys else ():
        frame = scan_resolved(project.resolved_folder, name)
        columns = frame.collect_schema().names()
        if "owner_key" in columns and "key" in columns:
            merged = pl.col("aliases").list.eval(pl.element().is_in(keys)).list.any() if "aliases" in columns else pl.lit(value=False)
            hangs = pl.col("contact_key").is_in(keys) if "contact_key" in columns else pl.lit(value=False)
            rows = frame.filter(pl.any_horizontal(each.fill_null(value=False) for each in (pl.col("key").is_in(keys), merged, hangs)))
            found |= set(rows.select("owner_key").drop_nulls().collect().to_series())
    return found


def _beside(changes: Iterable[Change], owners: Collection[str]) -> list[str]:
    """Return the differences that are not about the users of these owners."""
    own = {f"{USERS}{owner}" for owner in owners}
    return [change.told for change in changes if change.path not in own]

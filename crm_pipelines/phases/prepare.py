"""Make the destination ready: the fields, options, labels and stages that the confirmed map needs.

Belongs here: when that happens and what is remembered. Not here: how a vendor does it (its module).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_pipelines.destinations.base import Step, WantedSchema
from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.confirm import check_confirmed
from crm_pipelines.phases.plan import wanted_schema
from crm_pipelines.phases.prepared import remember_prepared
from crm_pipelines.phases.session import Session


@dataclass(frozen=True)
class PrepareSummary:
    """What was made in the destination."""

    made: tuple[Step, ...]
    tokens: int | None
    """What that costs; None where the vendor sells no quota."""


def prepare(session: Session) -> PrepareSummary:
    """Make what is missing in the destination; idempotent, each step durable before it is sent.

    Raises: NotConfirmedError before anything is made; SettingsError naming the plan's cap that the map would pass, or the key field
    that is gone though records of ours carry it.
    """
    check_confirmed(session)
    wanted = wanted_schema(session)
    steps = session.destination.missing(wanted, session.described())
    _check_keys(session, wanted, steps)
    if steps:
        session.schema = session.destination.prepare(wanted, session.journal("destination_schema"))
    remember_prepared(session, wanted)
    return PrepareSummary(tuple(steps), None if session.allowance() is None else sum(step.tokens for step in steps))


def _check_keys(session: Session, wanted: WantedSchema, steps: Sequence[Step]) -> None:
    """Refuse to make a second key field: none of our records would be found by it, and each could arrive twice."""
    to_make = {(step.phase, step.name) for step in steps if step.kind == "field"}
    gone = [field for field in wanted.fields if field.is_external_id and (field.phase, field.name) in to_make]
    for field in gone:
        if session.ledger.ids(session.account, session.engagement, field.phase):
            raise SettingsError(
                f"{session.engagement}: the field {field.name!r} of {field.phase}, by which our records are known, was renamed or deleted "
                "in the destination. Give it its name back (or restore it), then run again; nothing was sent"
            )

"""Make the destination ready: the fields, options, labels and stages that the confirmed map needs.

Belongs here: when that happens and what is remembered. Not here: how a vendor does it (its module).
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_pipelines.destinations.base import Step
from crm_pipelines.phases.confirm import check_confirmed
from crm_pipelines.phases.plan import wanted_schema
from crm_pipelines.phases.session import Session


@dataclass(frozen=True)
class PrepareSummary:
    """What was made in the destination."""

    made: tuple[Step, ...]
    tokens: int


def prepare(session: Session) -> PrepareSummary:
    """Make what is missing in the destination; idempotent, each step durable before it is sent.

    Raises: NotConfirmedError before anything is made; SettingsError naming the plan's cap that the map would pass.
    """
    check_confirmed(session)
    wanted = wanted_schema(session)
    steps = session.destination.missing(wanted, session.described())
    if steps:
        session.schema = session.destination.prepare(wanted, session.journal("destination_schema"))
    return PrepareSummary(tuple(steps), sum(step.tokens for step in steps))

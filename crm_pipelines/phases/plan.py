"""The call plan: what a load costs in requests, tokens and days, before anything is sent.

Belongs here: the forecast and its calendar. Not here: what becomes of each record (phases.predict, phases.classify), sending
(phases.load), what is desired (phases.resolve, phases.map).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from crm_pipelines.destinations.base import Budget, WantedSchema
from crm_pipelines.journal import Allowance
from crm_pipelines.phases.columns import map_notes
from crm_pipelines.phases.map import wanted_schema as wanted_of
from crm_pipelines.phases.predict import PhasePrediction, Prediction, predict
from crm_pipelines.phases.session import Session


@dataclass(frozen=True)
class PhaseForecast:
    """What one phase will do and cost; tokens are None where the vendor sells no quota."""

    create: int = 0
    update: int = 0
    unchanged: int = 0
    waiting: int = 0
    refused: int = 0
    requests: int = 0
    """Records travel in batches where the vendor takes them; how many updates share one is an estimate."""
    tokens: int | None = None
    cheapest_tokens: int | None = None
    """The creates alone, at the price of one create each."""
    cheapest_requests: int = 0
    """Those of the creates alone."""
    duration_s: float = 0.0
    """What its creates and updates take by the destination's measured pace; 0 where tokens are the limit."""


@dataclass(frozen=True)
class Forecast:
    """The cheapest call plan for what is desired now: in tokens with a calendar, or in requests and time where there is no quota."""

    phases: Mapping[str, PhaseForecast]
    unit: str
    """What the vendor limits, and what is counted: `tokens` or `requests`."""
    prepare_requests: int
    verify_requests: int
    """Bulk listings: matching before, counting after."""
    total_requests: int
    cheapest_requests: int
    duration_s: float | None
    """None where tokens are the limit, and where no pace was measured."""
    prepare_tokens: int | None = None
    verify_tokens: int | None = None
    total_tokens: int | None = None
    cheapest_tokens: int | None = None
    sample_requests: int = 0
    """What looking at a sample first adds: the schema is read by two commands more, and the lists are read again."""
    sample_tokens: int | None = None
    tokens_per_day: int | None = None
    remaining_today: int | None = None
    reserve: int | None = None
    calendar: list[dict[str, Any]] = field(default_factory=list)
    """Day by day: date, tokens, cumulative share of the total; empty without a quota."""
    notes: tuple[str, ...] = ()
    """What the destination says of itself that a planner should know."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def forecast(session: Session, prediction: Prediction | None = None) -> Forecast:
    """Compute the cheapest call plan for the desired records and its calendar; sends nothing but the reads of `describe` and matching.

    `prediction` is what the load will come to, when the caller has foreseen it already.
    """
    project = session.project
    budget = session.destination.budget()
    schema = session.described()
    steps = session.destination.missing(wanted_schema(session), schema)
    foreseen = prediction if prediction is not None else predict(session)
    phases = {phase: _forecast_phase(session, foreseen.phases[phase], budget) for phase in project.phases}
    listing = {phase: _pages(session, foreseen.phases[phase]) for phase in project.phases}
    prepare, verify = budget.cost.get("describe", 0) + sum(1 for step in steps if step.tokens), sum(listing.values())
    plan = Forecast(
        phases=phases,
        unit=budget.unit,
        prepare_requests=prepare,
        verify_requests=verify,
        total_requests=prepare + verify + sum(one.requests for one in phases.values()),
        cheapest_requests=sum(one.cheapest_requests for one in phases.values()),
        duration_s=_duration_s(session, phases),
        sample_requests=2 * budget.cost.get("describe", 0) + sum(1 for pages in listing.values() if pages) + _matched(foreseen),
        notes=(*schema.notes, *foreseen.notes, *map_notes(project)),
    )
    priced = _priced(plan, budget, sum(step.tokens for step in steps), listing)
    return priced if priced.total_tokens is None else replace(priced, sample_tokens=_sample_tokens(session, foreseen, budget))


def _sample_tokens(session: Session, foreseen: Prediction, budget: Budget) -> int:
    """Return what a sample adds: the schema twice more (confirm, run again), a page of each list for gate, matching and showing."""
    lists = {phase: 2 + one.is_matched for phase, one in foreseen.phases.items() if _pages(session, one)}
    return 2 * session.describe_tokens + sum(pages * budget.cost.get(f"list.{phase}", 0) for phase, pages in lists.items())


def _matched(foreseen: Prediction) -> int:
    return sum(one.is_matched for one in foreseen.phases.values())


def _priced(plan: Forecast, budget: Budget, prepare: int, listing: Mapping[str, int]) -> Forecast:
    """Return the plan with its tokens and calendar; as it is where the vendor sells no quota."""
    if budget.allowance is None:
        return plan
    verify = sum(pages * budget.cost.get(f"list.{phase}", 0) for phase, pages in listing.items())
    total = prepare + verify + sum(one.tokens or 0 for one in plan.phases.values())
    return replace(
        plan,
        prepare_tokens=prepare,
        verify_tokens=verify,
        total_tokens=total,
        cheapest_tokens=sum(one.cheapest_tokens or 0 for one in plan.phases.values()),
        tokens_per_day=budget.tokens_per_day,
        remaining_today=budget.remaining,
        reserve=budget.allowance.reserve,
        calendar=calendar(budget, budget.allowance, total),
    )


def _duration_s(session: Session, phases: Mapping[str, PhaseForecast]) -> float | None:
    """Return how long the records take at the measured pace; None where the vendor's quota decides instead."""
    return sum(one.duration_s for one in phases.values()) if session.destination.capabilities.seconds_per_record else None


def wanted_schema(session: Session) -> WantedSchema:
    """Return the fields, options, labels and stages that the desired records use."""
    project = session.project
    columns = ("key", "queue", "labels", "payload", "amount", "currency", "status")
    frames = {phase: project.mapped(phase, *columns) for phase in project.phases if not project.compiled.phases[phase].pairs}
    wanted = wanted_of(project.compiled, frames)
    is_open = (pl.col("status") == "open") & pl.col("queue").is_null()
    opened = {f"open_{phase}": frame.filter(is_open).height for phase, frame in frames.items()}
    return replace(wanted, counts={**wanted.counts, **opened})


def calendar(budget: Budget, allowance: Allowance, tokens: int) -> list[dict[str, Any]]:
    """Spread tokens over vendor days: what remains today above the reserve, then whole days less the reserve."""
    days: list[dict[str, Any]] = []
    left, start = tokens, date.fromisoformat(allowance.day)
    room = max(0, budget.remaining - allowance.reserve)
    per_day = max(0, budget.tokens_per_day - allowance.reserve)
    index = 0
    while left > 0 and per_day > 0:
        spend = min(left, room)
        left -= spend
        days.append(
            {
                "day": (start + timedelta(days=index)).isoformat(),
                "tokens": spend,
                "done_pct": math.floor(100 * (tokens - left) / tokens),
            }
        )
        room, index = per_day, index + 1
    return days


def _forecast_phase(session: Session, one: PhasePrediction, budget: Budget) -> PhaseForecast:
    compiled = session.project.compiled.phases[one.phase]
    counts = one.counts("decision")
    if compiled.create != "never" and not compiled.pairs:
        return _forecast_records(session, one.phase, counts, budget)
    names = ("create", "update", "unchanged", "waiting", "refused")  # pairs travel with their record, users are only matched
    return PhaseForecast(**{name: counts.get(name, 0) for name in names})


def _pages(session: Session, one: PhasePrediction) -> int:
    """Return the requests for listing a phase: the gate's own list, and before it that of existing records, where any are matched."""
    compiled = session.project.compiled.phases[one.phase]
    if compiled.create == "never" or compiled.pairs:
        return 0
    page = session.destination.capabilities.list_page
    ours = one.states.filter(pl.col("decision") == "unchanged").height
    gate = math.ceil(max(1, one.states.height) / page)
    return gate + (math.ceil(max(1, one.listed + ours) / page) if one.is_matched else 0)


def _forecast_records(session: Session, phase: str, counts: Mapping[str, int], budget: Budget) -> PhaseForecast:
    """Return what records of these decisions cost: requests always, tokens where a quota is sold, time where a pace was measured."""
    limits = session.destination.capabilities
    create, update = counts.get("create", 0), counts.get("update", 0)
    price, change = budget.cost.get(f"{phase}.create", 0), budget.cost.get(f"{phase}.update", 0)
    is_sold = budget.allowance is not None
    creating = math.ceil(create / limits.batch_rows)
    read = (update * budget.cost.get(f"{phase}.read", 0), math.ceil(update / limits.ids_per_read) * budget.cost.get(f"list.{phase}", 0))
    return PhaseForecast(
        create=create,
        update=update,
        unchanged=counts.get("unchanged", 0),
        waiting=counts.get("waiting", 0),
        refused=counts.get("refused", 0),
        requests=creating + math.ceil(update / limits.batch_rows),
        tokens=create * price + update * change + min(read) if is_sold else None,
        cheapest_tokens=create * price if is_sold else None,
        cheapest_requests=creating,
        duration_s=(create + update) * limits.seconds_per_record.get(phase, 0.0),
    )

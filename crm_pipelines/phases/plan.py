"""Desired records against the ledger: what each one needs, before anything is sent.

Belongs here: the classification of desired records and the forecast that follows from it. Not here: sending (phases.load), what is
desired (phases.resolve, phases.map).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from crm_pipelines.destinations.base import Budget, WantedSchema
from crm_pipelines.journal import Allowance
from crm_pipelines.phases.map import wanted_schema as wanted_of
from crm_pipelines.phases.session import Session

DECISIONS = ("create", "update", "unchanged", "waiting", "refused")


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


def classify(
    desired: pl.DataFrame, records: pl.DataFrame, parents: Mapping[str, pl.DataFrame], refused: Collection[str] = ()
) -> pl.DataFrame:
    """Decide what each desired record needs.

    `parents` maps a link column (`link_org_id`) to a frame [key, parent_id, parent_queue, parent_reason] of the parent phase.
    `refused` are keys that the vendor refused in this session: sent once more by the next one, when the cause may be gone.
    Shape: the rows of `desired`, plus `decision`, `queue`, `reason`, `destination_id`, `applied_hash` and `id_<field>` per link.
    """
    known = records.select("key", "destination_id", "applied_hash", "held_state", "held_reason", "held_hash")
    frame = desired.join(known, on="key", how="left", maintain_order="left")
    waits_queue, waits_reason = pl.col("queue"), pl.col("reason")
    for column, parent in parents.items():
        name = column.removeprefix("link_")
        renamed = parent.rename({"key": column, "parent_id": f"id_{name}", "parent_queue": f"q_{name}", "parent_reason": f"r_{name}"})
        frame = frame.join(renamed, on=column, how="left", maintain_order="left")
        orphan = pl.col(column).is_not_null() & pl.col(f"id_{name}").is_null()
        waits_queue = pl.when(waits_queue.is_null() & orphan).then(pl.col(f"q_{name}").fill_null("parent")).otherwise(waits_queue)
        waits_reason = (
            pl.when(waits_reason.is_null() & orphan).then(pl.col(f"r_{name}").fill_null(f"parent_{name}")).otherwise(waits_reason)
        )
    frame = frame.with_columns(queue=waits_queue, reason=waits_reason)
    return frame.with_columns(decision=_decision(refused)).drop([c for c in frame.columns if c.startswith(("q_", "r_"))])


def _decision(refused: Collection[str]) -> pl.Expr:
    same = pl.col("applied_hash") == pl.col("hash")
    refused_before = (pl.col("held_state") == "refused") & (pl.col("held_hash") == pl.col("hash")) & pl.col("key").is_in(list(refused))
    return (
        pl.when(same.fill_null(value=False))
        .then(pl.lit("unchanged"))
        .when(pl.col("queue").is_not_null())
        .then(pl.lit("waiting"))
        .when(refused_before.fill_null(value=False))
        .then(pl.lit("refused"))
        .when(pl.col("destination_id").is_not_null())
        .then(pl.lit("update"))
        .otherwise(pl.lit("create"))
    )


def parent_frames(session: Session, phase: str, desired: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return, per link column of a phase, the parents' destination ids as the ledger has them."""
    compiled = session.project.compiled
    out: dict[str, pl.DataFrame] = {}
    for name, parent_phase in compiled.phases[phase].links.items():
        column = f"link_{name}"
        keys = desired.get_column(column).drop_nulls().unique().to_list()
        records = session.ledger.records(session.account, session.engagement, parent_phase, keys)
        out[column] = parent_view(records, parent_phase, is_match_only=compiled.phases[parent_phase].create == "never")
    return out


def parent_view(records: pl.DataFrame, phase: str, *, is_match_only: bool) -> pl.DataFrame:
    """Return a parent phase's records as links see them.

    A missing owner is the row's own trouble (its queue shows through); any other missing parent puts the row behind it.
    """
    queue = pl.col("held_queue") if is_match_only else pl.lit("parent")
    reason = pl.col("held_reason") if is_match_only else pl.lit(f"parent_{phase}")
    return records.select("key", parent_id=pl.col("destination_id"), parent_queue=queue, parent_reason=reason)


def forecast(session: Session) -> Forecast:
    """Compute the cheapest call plan for the desired records and its calendar; sends nothing but the reads of `describe`."""
    project = session.project
    budget = session.destination.budget()
    schema = session.described()
    steps = session.destination.missing(wanted_schema(session), schema)
    phases: dict[str, PhaseForecast] = {}
    present: dict[str, dict[str, str]] = {}
    listing: dict[str, int] = {}
    for phase in project.phases:
        phases[phase], present[phase], listing[phase] = _forecast_phase(session, phase, present, budget)
    prepare, verify = budget.cost.get("describe", 0) + sum(1 for step in steps if step.tokens), sum(listing.values())
    plan = Forecast(
        phases=phases,
        unit=budget.unit,
        prepare_requests=prepare,
        verify_requests=verify,
        total_requests=prepare + verify + sum(one.requests for one in phases.values()),
        cheapest_requests=sum(one.cheapest_requests for one in phases.values()),
        duration_s=_duration_s(session, phases),
        notes=schema.notes,
    )
    return _priced(plan, budget, sum(step.tokens for step in steps), listing)


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


def _forecast_phase(
    session: Session, phase: str, present: Mapping[str, Mapping[str, str]], budget: Budget
) -> tuple[PhaseForecast, dict[str, str], int]:
    """Return the forecast, what becomes of each record that will be there (key -> decision), and requests for listing."""
    project = session.project
    compiled = project.compiled.phases[phase]
    desired = project.mapped(phase)
    if compiled.create == "never":
        known = set(session.described().users)
        matched = [key for key in desired.get_column("key") if key in known]
        waiting = desired.height - len(matched)
        return PhaseForecast(unchanged=len(matched), waiting=waiting), dict.fromkeys(matched, "unchanged"), 0
    if compiled.pairs:
        return _forecast_pairs(desired, present), {}, 0
    records = session.ledger.records(session.account, session.engagement, phase)
    frame = classify(desired, records, _predicted_parents(compiled.links, present))
    counts = dict(frame.group_by("decision").len().iter_rows())
    there = dict(frame.filter(pl.col("decision").is_in(["create", "update", "unchanged"])).select("key", "decision").iter_rows())
    pages = math.ceil(max(1, desired.height) / session.destination.capabilities.list_page)
    match = pages if compiled.match and counts.get("create", 0) else 0
    return _forecast_records(session, phase, counts, budget), there, pages + match


def _forecast_records(session: Session, phase: str, counts: Mapping[str, int], budget: Budget) -> PhaseForecast:
    """Return what records of these decisions cost: requests always, tokens where a quota is sold, time where a pace was measured."""
    limits = session.destination.capabilities
    create, update = counts.get("create", 0), counts.get("update", 0)
    price, change = budget.cost.get(f"{phase}.create", 0), budget.cost.get(f"{phase}.update", 0)
    is_sold = budget.allowance is not None
    creating = math.ceil(create / limits.batch_rows)
    return PhaseForecast(
        create=create,
        update=update,
        unchanged=counts.get("unchanged", 0),
        waiting=counts.get("waiting", 0),
        refused=counts.get("refused", 0),
        requests=creating + math.ceil(update / limits.batch_rows),
        tokens=create * price + update * change if is_sold else None,
        cheapest_tokens=create * price if is_sold else None,
        cheapest_requests=creating,
        duration_s=(create + update) * limits.seconds_per_record.get(phase, 0.0),
    )


def _forecast_pairs(pairs: pl.DataFrame, present: Mapping[str, Mapping[str, str]]) -> PhaseForecast:
    """Count pairs by what becomes of their record; they travel with it and cost nothing of their own."""
    found = Counter(present.get(of, {}).get(record, "waiting") for of, record in pairs.select("of", "record").iter_rows())
    return PhaseForecast(create=found["create"], update=found["update"], unchanged=found["unchanged"], waiting=found["waiting"])


def _predicted_parents(links: Mapping[str, str], present: Mapping[str, Mapping[str, str]]) -> dict[str, pl.DataFrame]:
    schema = {"key": pl.String, "parent_id": pl.String, "parent_queue": pl.String, "parent_reason": pl.String}
    out = {}
    for name, phase in links.items():
        keys = sorted(present.get(phase, ()))
        rows = {"key": keys, "parent_id": keys, "parent_queue": [None] * len(keys), "parent_reason": [None] * len(keys)}
        out[f"link_{name}"] = pl.DataFrame(rows, schema=schema)
    return out

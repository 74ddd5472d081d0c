"""What a load cost against its forecast, and what each pass did: sentences and small tables of the reconciliation.

Belongs here: comparing like with like. Not here: counting requests (ledger, defs.account), forecasting (phases.plan).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm_pipelines.reports.figures import duration
from crm_pipelines.reports.reconciliation_words import systems
from crm_pipelines.reports.scope_words import day

TOKENS = "tokens"
PARTS = {"records": "for records", "prepare": "to prepare fields and lists", "looks": "to look: lists, counts, checks"}
AROUND = "to prepare and to look: fields, lists, counts, checks"
NOTABLE = 0.1
"""Share of the forecast beyond which the first page says why more was spent."""
CHANGED = ("created", "updated")


def cost_lines(account: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was spent, against what was forecast, and why the two differ."""
    budget = account["budget"]
    return tuple(_lines(budget, account)) if budget["unit"] else ()


def why_beyond(account: Mapping[str, Any]) -> str:
    """Return one sentence on spending much more than was forecast: what went into records, and where the rest went; else nothing."""
    budget = account["budget"]
    spent, over = budget.get("spent_on") or {}, budget["spent"] - budget["forecast"]
    if not spent or over <= budget["forecast"] * NOTABLE:
        return ""
    return (
        f"{spent['records']:,} of the {budget['spent']:,} {budget['unit']} made records; most others went into looking: each start, the "
        "sample's too, reads the new system's fields, users and lists again, and the forecast counts one start."
    )


def cost_parts(account: Mapping[str, Any]) -> tuple[tuple[str, int, int], ...]:
    """Return part, forecast and spent, where it is known what was spent on."""
    budget = account["budget"]
    spent = budget.get("spent_on") or {}
    if not spent:
        return ()
    for_records = budget["forecast"] - budget["prepare"] - budget["verify"]
    if (
        budget["unit"] != TOKENS
    ):  # reading what is there stands under preparing in a forecast of requests, and under looking in what was sent
        around = (budget["prepare"] + budget["verify"], spent["prepare"] + spent["looks"])
        return ((PARTS["records"], for_records, spent["records"]), (AROUND, *around))
    foreseen = {"records": for_records, "prepare": budget["prepare"], "looks": budget["verify"]}
    return tuple((told, foreseen[part], spent[part]) for part, told in PARTS.items())


def _lines(budget: Mapping[str, Any], account: Mapping[str, Any]) -> Iterator[str]:
    unit, spent, forecast = budget["unit"], budget["spent"], budget["forecast"]
    over = spent - forecast
    share = f" ({over / forecast:.1%} more)" if forecast and over > 0 and unit == TOKENS else ""
    yield f"Forecast for one load: {forecast:,} {unit}. Spent in this pass: {spent:,}{share}."
    if over > 0:
        yield _why_more(account, over)
    if unit == TOKENS and budget.get("tokens_per_day"):
        yield _of_a_day(budget, systems(account)[1])
    if budget["duration_s"] is not None:
        yield f"Forecast to take {duration(budget['duration_s'])}; no allowance is sold by the day there, so nothing is used up."


def _why_more(account: Mapping[str, Any], over: int) -> str:
    """Return what the forecast counts, and where the rest went as far as that is known."""
    budget = account["budget"]
    parts = [(told.partition(":")[0], came - was) for told, was, came in cost_parts(account) if came > was]
    went = f"The {over:,} beyond it went: {', '.join(f'{more:,} {told}' for told, more in parts)}. " if parts else ""
    sample = f" Looking at a sample was forecast apart, at {budget['sample']:,}." if budget.get("sample") else ""
    return (
        f"{went}The forecast counts one start and one check; each further start (after a sample, a pause, an interruption) "
        f"reads the new system's fields, users and lists again.{sample}"
    )


def _of_a_day(budget: Mapping[str, Any], destination: str) -> str:
    a_day, reserve = budget["tokens_per_day"], budget.get("reserve") or 0
    kept = f", {reserve:,} of which were kept for your other apps" if reserve else ""
    days = budget["calendar"]
    planned = f" It was planned for {day(days[0]['day'])}." if len(days) == 1 else ""
    return f"Your plan of {destination} has {a_day:,} tokens a day{kept}: this pass took {budget['spent'] / a_day:.1%} of a day.{planned}"


def pass_lines(account: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, str, bool], ...]:
    """Return number, what it did, and whether it is this one, for every pass; only the one where there are no others."""
    passes = sorted([account, *others], key=lambda one: int(one["pass"]))
    return tuple((one["pass"], _did(one, is_first=one is passes[0]), one is account) for one in passes)


def _did(one: Mapping[str, Any], *, is_first: bool) -> str:
    counts = {state: sum(phase["records"].get(state, 0) for phase in one["phases"]) for state in (*CHANGED, "waiting")}
    waiting = f"; {counts['waiting']:,} records wait" if counts["waiting"] else ""
    if not any(counts[state] for state in CHANGED):
        if is_first:
            return f"sent nothing{waiting}"
        return f"changed nothing: everything was there already, and nothing came twice. That is good{waiting}"
    return f"{counts['created']:,} records made, {counts['updated']:,} changed{waiting}"

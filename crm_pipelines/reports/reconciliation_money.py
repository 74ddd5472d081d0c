"""The bridge of money in a few lines: from the exports, counted apart, to what stands in the new system.

Belongs here: choosing and saying the lines. Not here: the sums (phases.bridge), how it looks (templates).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm_pipelines.discovery.grades import Count
from crm_pipelines.reports.figures import money
from crm_pipelines.reports.reasons import sentence
from crm_pipelines.reports.reconciliation_words import PAYMENTS, STATES, joined, records_of, systems
from crm_pipelines.reports.scope_words import plain

WAITING, UNREAD = "waiting", "quarantined"
PRESENT = ("created", "updated", "unchanged")


@dataclass(frozen=True)
class Step:
    """One line of a bridge."""

    what: str
    rows: str
    sum: str
    is_total: bool = False
    css: str = ""


@dataclass(frozen=True)
class Bridge:
    """One export and currency, from its rows to the destination."""

    title: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    agrees: bool


def bridges(account: Mapping[str, Any]) -> tuple[Bridge, ...]:
    """Return the bridges of an account; none before everything was loaded and listed."""
    return tuple(_bridge(account, one) for one in account.get("money_bridge", ()))


def _bridge(account: Mapping[str, Any], one: Mapping[str, Any]) -> Bridge:
    source, destination = systems(account)
    kinds = " and ".join(records_of(phase) for phase in one["phases"])
    agrees = Decimal(one["difference"]) == 0
    return Bridge(
        title=f"{plain(one['object'])} of {source} → {kinds} in {destination}, {one['currency'] or 'no currency named'}",
        steps=tuple(_steps(one, destination, agrees=agrees)),
        notes=tuple(_notes(one, are_failed_made=any(each["kind"] == "failed" for each in account.get("made", ())))),
        agrees=agrees,
    )


def _steps(one: Mapping[str, Any], destination: str, *, agrees: bool) -> Iterator[Step]:
    raw = {each["kind"]: each for each in one["raw"]}
    counted = [raw[kind] for kind in PAYMENTS if kind in raw]
    for each in counted:
        yield Step(PAYMENTS[each["kind"]], f"{each['rows']:,}", money(each["sum"]))
    total = sum((Decimal(each["sum"]) for each in counted), Decimal(0))
    if len(counted) > 1:
        yield Step("what stayed, by the exports", "", money(total), is_total=True)
    for each in one["aside"]:
        is_told = each["no_amount"] < each["rows"]
        yield Step(_aside(each), f"{each['rows']:,}", money(-Decimal(each["sum"])) if is_told else "cannot be told", css="wait")
    if Decimal(one["by_decision"]):
        yield Step("not counted, because only one payment of a subscription counts (a decision)", "", money(-Decimal(one["by_decision"])))
    yield Step(f"so this has to stand in {destination}", "", money(one["expected"]), is_total=True)
    found = one["found"]
    yield Step(
        f"stands in {destination}, by its own list",
        f"{found['records']:,}",
        money(found["sum"]),
        is_total=True,
        css="good" if agrees else "bad",
    )
    if not agrees:
        yield Step("difference", "", money(one["difference"]), css="bad")


def _aside(each: Mapping[str, Any]) -> str:
    """Return why rows with money are not there: `unreadable: The cell that identifies the row is empty.`"""
    word = {"quarantined": "set aside, unreadable", "waiting": "set aside, waiting", "refused": "refused"}
    is_back = Decimal(each["sum"]) < 0
    return f"{word.get(each['bucket'], STATES.get(each['bucket'], each['bucket']))}{' (money paid back)' if is_back else ''}: " + sentence(
        each["reason"]
    )


def _notes(one: Mapping[str, Any], *, are_failed_made: bool) -> Iterator[str]:
    failed = next((each for each in one["raw"] if each["kind"] == "failed"), None)
    if failed and failed["rows"]:
        where = "each a record of its own, as you decided, and in none of these sums" if are_failed_made else "left out of these sums"
        yield (
            f"{Count(failed['rows']):failed payment} of {money(failed['sum'])} in all brought no money: {where}. "
            "They are tries that the payment provider turned down."
        )
    unread = sum(each["no_amount"] for each in one["aside"])
    if unread:
        yield f"{Count(unread):row} set aside {'has' if unread == 1 else 'have'} no amount that anybody can tell: in no sum."
    empty = sum(each["no_amount"] for each in one["raw"] if each["kind"] in PAYMENTS) - unread
    if empty > 0:
        yield f"{empty:,} of the rows carry no amount."
    memo = one["memo"]
    if memo:
        why = "paid back in full, or never paid" if are_failed_made else "paid back in full"
        yield (
            f"Separately, as a memo: {Count(memo['records']):record} of {money(memo['sum'])} in all stand as “{memo['status']}” with the "
            f"price asked first. They were {why}, so that nothing of them is left above; do not add this sum."
        )
    by = [f"{each['status']} {money(each['sum'])} ({each['records']:,})" for each in one["found_by"]]
    if not memo and len(by) > 1:
        yield f"By outcome: {joined(by)}."


def money_held(account: Mapping[str, Any], bucket: str, name: str, reason: str) -> tuple[Decimal, str]:
    """Return the greatest sum that some rows hold back, and a sentence of all of it; no sentence where there is none."""
    sums = [
        (Decimal(each["sum"]), one["currency"] or "(no currency named)")
        for one in account.get("money_bridge", ())
        for each in one["aside"]
        if (one["object"], each["bucket"], each["reason"]) == (name, bucket, reason) and Decimal(each["sum"])
    ]
    missing = [f"{money(held)} {currency}" for held, currency in sums if held > 0]
    too_much = [f"{money(-held)} {currency}" for held, currency in sums if held < 0]
    told = f" Until then {joined(missing)} {'is' if len(missing) == 1 else 'are'} missing in the new system." if missing else ""
    told += f" Until then the new system shows {joined(too_much)} too much, for that was paid back." if too_much else ""
    return max((abs(held) for held, _ in sums), default=Decimal(0)), told


@dataclass(frozen=True)
class Bare:
    """Records of one kind without an amount: sent, and in the destination's own list."""

    phase: str
    sent: int
    listed: int

    @property
    def agrees(self) -> bool:
        """Whether the destination lists as many as were sent."""
        return self.sent == self.listed


def without_amount(account: Mapping[str, Any]) -> tuple[Bare, ...]:
    """Return how many records that are there carry no amount, kind by kind: what is missing from the table of sums."""
    found = []
    for phase in account["phases"]:
        there = sum(phase["records"].get(state, 0) for state in PRESENT)
        bare = there - sum(one["wanted"] for one in phase["money"])
        listed = (there if phase["destination_count"] is None else phase["destination_count"]) - sum(one["found"] for one in phase["money"])
        if phase["money"] and bare > 0:
            found.append(Bare(phase["phase"], bare, listed))
    return tuple(found)

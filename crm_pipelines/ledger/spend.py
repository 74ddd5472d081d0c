"""The account's budget: reserved with the intent, corrected by the vendor's headers.

Belongs here: the rows of spend and calls. Not here: what a request costs (destinations), when to stop for the day
(phases.load; here it is only refused).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from crm_pipelines.errors import QuotaExhausted
from crm_pipelines.journal import Allowance
from crm_pipelines.ledger import tables
from crm_pipelines.ledger.store import run, utc_moment, utc_text


@dataclass(frozen=True, slots=True)
class SpendReport:
    """What an account spent, on one day or in all."""

    spent_ours: int
    """Tokens we reserved for requests, answered or not."""
    others: int
    """Tokens that the vendor's headers show beside ours."""
    by_operation: Mapping[str, int]
    """`people.create`, `list.people`, ... -> tokens."""
    calls: Mapping[str, int]
    """The same operations -> requests."""


_RESERVE = """UPDATE spend SET spent_ours = spent_ours + ?, others = coalesce(?, others), allowed = ?, reserve = ?, resumes_at = ?
    WHERE account = ? AND day = ? AND ? >= spent_ours + coalesce(?, others) + ? RETURNING spent_ours"""
_COUNT_SPENT = """INSERT INTO spend (account, day, allowed, reserve, spent_ours, others, resumes_at) VALUES (?, ?, ?, ?, ?, 0, ?)
    ON CONFLICT (account, day) DO UPDATE SET spent_ours = spend.spent_ours + excluded.spent_ours RETURNING spent_ours"""
_COUNT_CALLS = """INSERT INTO calls (account, day, engagement, operation, calls, tokens) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (account, day, engagement, operation)
    DO UPDATE SET calls = calls.calls + excluded.calls, tokens = calls.tokens + excluded.tokens"""
_CORRECT = text("UPDATE spend SET others = :others, allowed = :allowed, reserve = :reserve WHERE account = :account AND day = :day")
_EXHAUSTED = text("UPDATE spend SET exhausted_utc = :now, resumes_at = :resumes_at WHERE account = :account AND day = :day")


def reserve(connection: Connection, account: str, allowance: Allowance, cost: int, others: int | None) -> int:
    """Add the cost to the day; returns what we have spent of it by now.

    Raises: QuotaExhausted when it does not fit; the caller rolls back.
    """
    room = allowance.limit - allowance.reserve
    known = (allowance.limit, allowance.reserve, utc_text(allowance.resumes_at))
    values = (cost, others, *known, account, allowance.day, room, others, cost)
    found = run(connection, _RESERVE, values).fetchall()
    if not found:
        count_spent(connection, account, allowance.day, 0, allowance)
        found = run(connection, _RESERVE, values).fetchall()
    if not found:
        raise QuotaExhausted(
            f"the day {allowance.day} of account {account} has no room for {cost} more tokens ({room} of {allowance.limit} are ours "
            f"to use); run again after {allowance.resumes_at:%Y-%m-%d %H:%M} UTC",
            allowance.resumes_at,
        )
    return int(found[0][0])


def count_spent(connection: Connection, account: str, day: str, cost: int, allowance: Allowance | None) -> int:
    """Add tokens that are spent already, whether they fit or not; returns what we have spent of the day by now."""
    known = (None, 0) if allowance is None else (allowance.limit, allowance.reserve)
    resumes = None if allowance is None else utc_text(allowance.resumes_at)
    return int(run(connection, _COUNT_SPENT, (account, day, *known, cost, resumes)).fetchall()[0][0])


def count_calls(connection: Connection, account: str, day: str, engagement: str, costs: Mapping[str, tuple[int, int]]) -> None:
    """Count requests by operation: operation -> (calls, tokens)."""
    for operation, (calls, tokens) in costs.items():
        run(connection, _COUNT_CALLS, (account, day, engagement, operation, calls, tokens))


def correct(connection: Connection, account: str, allowance: Allowance, others: int) -> None:
    """Store what others used, as the headers tell."""
    count_spent(connection, account, allowance.day, 0, allowance)
    connection.execute(_CORRECT, {**_day(account, allowance), "others": others})


def mark_exhausted(connection: Connection, account: str, allowance: Allowance, now: datetime) -> None:
    """Remember that the day is spent, for whoever resumes."""
    count_spent(connection, account, allowance.day, 0, allowance)
    connection.execute(_EXHAUSTED, {**_day(account, allowance), "now": utc_text(now)})


def room(connection: Connection, account: str, allowance: Allowance) -> int:
    """Return the tokens of the day that are still ours to use."""
    spent_ours, others = _used(connection, account, allowance.day)
    return max(0, allowance.limit - allowance.reserve - spent_ours - others)


def spent_ours(connection: Connection, account: str, day: str) -> int:
    """Return our tokens of one day."""
    return _used(connection, account, day)[0]


def resumes_at(connection: Connection, account: str) -> datetime | None:
    """Return when the newest exhausted day of the account turns; None when no day ran out."""
    query = select(func.max(tables.spend.c.resumes_at)).where(tables.spend.c.account == account, tables.spend.c.exhausted_utc.is_not(None))
    return utc_moment(connection.execute(query).scalar())


def report(connection: Connection, account: str, day: str | None, engagement: str | None) -> SpendReport:
    """Sum up an account's day, or all its days; with an engagement, the calls and tokens of that engagement alone."""
    c, s = tables.calls.c, tables.spend.c
    query = select(c.operation, func.sum(c.calls), func.sum(c.tokens)).where(c.account == account).group_by(c.operation)
    totals = select(func.coalesce(func.sum(s.spent_ours), 0), func.coalesce(func.sum(s.others), 0)).where(s.account == account)
    if day is not None:
        query, totals = query.where(c.day == day), totals.where(s.day == day)
    if engagement is not None:
        query = query.where(c.engagement == engagement)
    rows = connection.execute(query.order_by(c.operation)).all()
    ours, others = connection.execute(totals).one()
    tokens = {operation: int(total) for operation, _, total in rows}
    return SpendReport(
        spent_ours=sum(tokens.values()) if engagement is not None else int(ours),
        others=int(others),
        by_operation=tokens,
        calls={operation: int(count) for operation, count, _ in rows},
    )


def _used(connection: Connection, account: str, day: str) -> tuple[int, int]:
    s = tables.spend.c
    found = connection.execute(select(s.spent_ours, s.others).where(s.account == account, s.day == day)).first()
    return (0, 0) if found is None else (int(found[0]), int(found[1]))


def _day(account: str, allowance: Allowance) -> dict[str, object]:
    return {
        "account": account,
        "day": allowance.day,
        "allowed": allowance.limit,
        "reserve": allowance.reserve,
        "resumes_at": utc_text(allowance.resumes_at),
    }

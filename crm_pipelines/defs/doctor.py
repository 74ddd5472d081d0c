"""What `crm doctor` looks at before anything else: settings, access, plan, seats, caps, clocks, budget. Knows no Dagster.

Belongs here: findings about one engagement's surroundings. Not here: the spec (spec.check), the exports (phases.stage).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from crm_pipelines.destinations.base import Capabilities, Destination, Schema
from crm_pipelines.errors import EXIT_SPEC_OR_SETTINGS, CrmError
from crm_pipelines.journal import Allowance, Attempt, Journal, Outcome
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.session import account_key, connect
from crm_pipelines.settings import AccountSettings, Engagement, home

MAX_SKEW_S = 30.0
"""Unanswered creates are looked up by the vendor's clock; more than this between the clocks deserves a look."""

Level = Literal["good", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    told: str
    code: int = EXIT_SPEC_OR_SETTINGS
    """The exit code of something wrong: the operator's to fix, or the destination's."""


class Listener:
    """A journal that counts what the doctor reads and hears the vendor's clock; the doctor writes nothing."""

    def __init__(self, counting: Journal) -> None:
        self.offset_s: float | None = None
        self._counting = counting

    def sending(self, attempts: Sequence[Attempt], allowance: Allowance | None) -> list[int]:
        """Refuse: nothing is written here."""
        raise AssertionError("the doctor writes nothing")

    def answered(self, outcomes: Sequence[Outcome]) -> None:
        """Refuse: nothing is written here."""
        raise AssertionError("the doctor writes nothing")

    def spent(self, operation: str, tokens: int, allowance: Allowance | None) -> None:
        """Count reads against the account's day, like everyone's."""
        self._counting.spent(operation, tokens, allowance)

    def observed(self, allowance: Allowance, remaining: int) -> None:
        """Pass on what the vendor's headers say remains."""
        self._counting.observed(allowance, remaining)

    def vendor_clock(self, offset_s: float) -> None:
        """Remember how far the vendor's clock is ahead of ours."""
        self.offset_s = offset_s


def examine(engagement: Engagement) -> Iterator[Finding]:
    """Yield what is good, notable or wrong with an engagement's account. Stops at the first thing that hides the rest."""
    try:
        settings = engagement.account()
    except CrmError as error:
        yield Finding("wrong", "settings", str(error))
        return
    where = f"{settings.base_url}{f', database {settings.database}' if settings.database else ''}"
    yield Finding("good", "settings", f"{settings.destination} account {settings.name} at {where}, token from {settings.token_env}")
    destination = connect(settings)
    try:
        with Ledger.open(home().ledger_url) as ledger:
            listener = Listener(ledger.journal(account_key(settings), engagement.name, "doctor", 0, None))
            found = destination.describe(listener)
        yield from _account(found, settings, engagement)
        yield from _clock(listener)
        yield from _budget(destination)
    except CrmError as error:
        yield Finding("wrong", "account", str(error), error.exit_code)
    finally:
        destination.close()


def _account(found: Schema, settings: AccountSettings, engagement: Engagement) -> Iterator[Finding]:
    yield Finding("good", "token", f"accepted by {found.account}")
    declared = [(name, want, have) for name, want, have in _declared(found, settings) if want is not None]
    seats = f"{found.seats} seats, " if found.seats else ""
    yield Finding("good", "plan", f"{found.plan or 'not told by the vendor'}, {seats}currency {found.currency}")
    for name, want, have in declared:
        if str(want) != str(have):
            yield Finding("wrong", name, f"engagement.yaml declares {want}, the account has {have}; correct account.{name}")
    yield Finding("good", "users", f"{len(found.users)} active")
    caps = ", ".join(f"{name} {count:,}" for name, count in sorted(found.caps.items()))
    yield Finding("note", "caps", caps or "none told")
    for note in found.notes:
        yield Finding("note", "account", note)
    if found.timezone and found.timezone != engagement.node.source.timezone:
        yield Finding("note", "time zone", f"exports are read in {engagement.node.source.timezone}, the account shows {found.timezone}")


def _declared(found: Schema, settings: AccountSettings) -> list[tuple[str, object, object]]:
    return [("plan", settings.plan, found.plan), ("seats", settings.seats, found.seats)]


def _clock(listener: Listener) -> Iterator[Finding]:
    if listener.offset_s is None:
        yield Finding("note", "clock", "the vendor's clock was not told")
        return
    level: Level = "good" if abs(listener.offset_s) <= MAX_SKEW_S else "wrong"
    yield Finding(level, "clock", f"the vendor's clock is {listener.offset_s:+.1f} s from ours")


def _budget(destination: Destination) -> Iterator[Finding]:
    budget = destination.budget()
    if budget.allowance is None:
        yield Finding("good", "budget", f"no quota; {_pace(destination.capabilities)}")
        return
    room = max(0, budget.remaining - budget.allowance.reserve)
    told = f"{budget.tokens_per_day:,} tokens a day, {budget.remaining:,} left today, {budget.allowance.reserve:,} kept for other apps"
    yield Finding("good" if room else "wrong", "budget", told)


def _pace(limits: Capabilities) -> str:
    connections = f"{limits.concurrency} connection{'' if limits.concurrency == 1 else 's'}"
    return f"{connections}, batches of {limits.batch_rows:,}" if limits.batch_rows > 1 else f"{connections}, one record a request"

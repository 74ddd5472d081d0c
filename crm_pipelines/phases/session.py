"""A writer's session on one account: lock, ledger, destination and pass, opened together and closed together.

Belongs here: what must be true before anything is sent (the lock is held, unknown attempts are looked up). Not here: what is
sent (phases.load, phases.prepare).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from crm_pipelines.destinations import DESTINATIONS
from crm_pipelines.destinations.base import Destination, Schema
from crm_pipelines.errors import SettingsError
from crm_pipelines.journal import Allowance, Journal, OpenAttempt, Outcome
from crm_pipelines.keys import record_token
from crm_pipelines.ledger import Fence, Ledger
from crm_pipelines.observe import event, logger
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import AccountSettings, home

log = logger(__name__)

_open: dict[str, Session] = {}
_making: set[str] = set()


@dataclass
class Session:
    """An engagement's write access to its account."""

    project: Project
    ledger: Ledger
    destination: Destination
    account: str
    fence: Fence
    pass_no: int
    schema: Schema | None = None
    describe_tokens: int = 0
    """What reading the schema cost; every command that looks at the destination reads it once."""
    matched: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Phase -> existing records that are not ours, read once per session."""
    foreseen: dict[str, tuple[float, pl.DataFrame]] = field(default_factory=dict)
    """Phase -> when (monotonic) a prediction read the existing records, and what it read."""
    confirmed: tuple[object, ...] = ()
    """What the seal was last found to cover; a chunk's load need not read all desired records again."""
    grown: list[str] = field(default_factory=list)
    """What came since the map was confirmed and needs no confirmation, in sentences."""
    refused: dict[str, set[str]] = field(default_factory=dict)
    """Phase -> keys that the vendor refused in this session; the next session sends them once more."""
    unsettled: int = 0
    """Requests of an interrupted load whose outcome nobody looked up: what only looks leaves them as they are."""
    listings: dict[str, pl.DataFrame] = field(default_factory=dict)
    """Phase -> our records as the destination lists them; dropped when the phase is written to."""

    @property
    def engagement(self) -> str:
        """Name of the engagement."""
        return self.project.engagement.name

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person who only looks has to know."""
        if not self.unsettled:
            return ()
        requests = "1 request of an interrupted load is" if self.unsettled == 1 else f"{self.unsettled:,} requests of interrupted loads are"
        return (f"{requests} not settled; crm run settles them before it sends anything. What they were about is shown as unknown.",)

    def journal(self, phase: str) -> Journal:
        """Return the journal of one phase in this pass."""
        return self.ledger.journal(self.account, self.engagement, phase, self.pass_no, self.fence)

    def described(self) -> Schema:
        """Return the destination's schema, read once per session."""
        if self.schema is None:
            before = self._spent()
            self.schema = self.destination.describe(self.journal("describe"))
            self.describe_tokens = self._spent() - before
        return self.schema

    def _spent(self) -> int:
        return self.ledger.spend_total(self.account, self.engagement).spent_ours

    def listing(self, phase: str) -> pl.DataFrame:
        """Return our records of a phase as the destination lists them, read again after every write to it."""
        if phase not in self.listings:
            found = self.destination.find(phase, self.journal(phase))
            if foreign := self.ledger.foreign_ids(self.account, self.engagement, phase):
                found = found.filter(~pl.col("destination_id").is_in(foreign))  # source keys of two exports may be equal
            if phase in self._visible_token_phases:
                found = self._named(phase, found)
            found = self._carried(phase, found)
            self.listings[phase] = found
        return self.listings[phase]

    def token(self, phase: str, key: str) -> str:
        """Return what a record is found by: its source key, or a visible token where it cannot carry an external id."""
        return record_token(self.engagement, phase, key) if phase in self._visible_token_phases else key

    @cached_property
    def _visible_token_phases(self) -> frozenset[str]:
        """Asked once: capabilities are made anew each time, which was a third of a load's CPU when asked per record."""
        return self.destination.capabilities.visible_token_phases

    def _named(self, phase: str, found: pl.DataFrame) -> pl.DataFrame:
        """Put source keys in the place of visible tokens; a token that is none of ours stays.

        Ours are those of records that no row wants any more, too: they were merged into others, or are left out since.
        """
        known = self.ledger.records(self.account, self.engagement, phase).get_column("key")
        keys = {*self.project.mapped(phase, "key").get_column("key"), *known}
        tokens = {record_token(self.engagement, phase, key): key for key in keys}
        return found.with_columns(pl.col("key").replace(tokens))

    def _carried(self, phase: str, found: pl.DataFrame) -> pl.DataFrame:
        """Put the key that a record goes by now in the place of the one it was made under, where its twin survived."""
        former = found.filter(pl.col("key").is_in(self.ledger.carried(self.account, self.engagement, phase)))
        if former.is_empty():
            return found
        now = {number: key for key, number in self.ledger.ids(self.account, self.engagement, phase).items()}
        renamed = former.with_columns(pl.col("destination_id").replace_strict(now, default=pl.col("key")).alias("key"))
        both = pl.concat([found.join(former, on="key", how="anti"), renamed])
        return both.unique(["key", "destination_id"], keep="first", maintain_order=True)

    def allowance(self) -> Allowance | None:
        """Return what may be spent today, by the vendor's own count; None where the vendor sells no quota."""
        return self.destination.budget().allowance


def account_key(settings: AccountSettings) -> str:
    """Return the name under which an account's ledger rows, budget and lock are kept."""
    return f"{settings.destination}:{settings.name}"


def pass_number(ledger: Ledger, engagement: str) -> int:
    """Return the open pass of an engagement, else its last one, else 0."""
    found = ledger.current_pass(engagement) or ledger.last_closed(engagement)
    return found.pass_no if found else 0


def connect(settings: AccountSettings) -> Destination:
    """Return the destination of an account. Raises: SettingsError when no such destination exists."""
    if settings.destination not in DESTINATIONS:
        raise SettingsError(f"unknown destination {settings.destination!r}; known: {', '.join(sorted(DESTINATIONS))}")
    module, _, attribute = DESTINATIONS[settings.destination].partition(":")
    destination: Destination = getattr(importlib.import_module(module), attribute)(settings)
    return destination


@contextmanager
def open_session(project: Project, purpose: str, *, opens_pass: bool = True) -> Iterator[Session]:
    """Hold the account's lock and yield a session; inside one process an open session is shared.

    What only looks (a plan, a confirmation) opens no pass: the account of the last one stays what `crm status` shows. Nor does it settle
    what an interrupted load left: looking that up finishes what was half done, which is writing.
    Raises: LockedError naming the holder; DestinationError when the vendor stays away; QuotaExhausted.
    """
    settings = project.engagement.account()
    account = account_key(settings)
    held = _open.get(account)
    if held is not None and held.engagement == project.engagement.name:
        held.project = project
        if opens_pass and held.unsettled:
            _settle(held)
        yield held
        return
    with Ledger.open(home().ledger_url) as ledger, ledger.lock(account, f"{project.engagement.name}: {purpose}") as fence:
        destination = connect(settings)
        intake = max((chunk.intake for chunk in project.chunks()), default=0)
        name = project.engagement.name
        pass_no = ledger.open_pass(name, account, str(intake)) if opens_pass else pass_number(ledger, name)
        session = Session(project, ledger, destination, account, fence, pass_no)
        _open[account] = session
        try:
            destination.use({name: phase.external_id for name, phase in project.compiled.phases.items() if phase.external_id})
            if opens_pass:
                _settle(session)
            else:
                session.unsettled = len(ledger.open_attempts(account))
            yield session
        finally:
            _open.pop(account, None)
            destination.close()


def _settle(session: Session) -> None:
    resolve_unknown(session)
    session.unsettled = 0


@contextmanager
def making_desired(project: Project) -> Iterator[None]:
    """Hold the account's lock while desired records are made: a load of another process reads them part by part.

    Inside one process, and under an open session, it is held already. Needs no credentials.
    Raises: LockedError naming the holder.
    """
    engagement = project.engagement
    account = f"{engagement.destination}:{engagement.node.account.name}"
    if account in _open or account in _making:
        yield
        return
    with Ledger.open(home().ledger_url) as ledger, ledger.lock(account, f"{engagement.name}: make the desired records"):
        _making.add(account)
        try:
            yield
        finally:
            _making.discard(account)


def resolve_unknown(session: Session) -> int:
    """Look up every attempt without an outcome before anything else is sent; return how many there were.

    Those of other engagements of the account, too: what they may have made must not be taken for ours, or for somebody's.
    Found once: created by us. Absent twice: may be sent again. Found twice: queue `conflict`. Updates that stopped between two
    requests are completed by the look-up, then all of them are closed and planned anew from what the destination holds now; schema
    steps are only waited for, and looked up by name when `prepare` runs.
    """
    attempts = session.ledger.open_attempts(session.account)
    shared = _shared_tokens(attempts)
    groups: dict[tuple[str, str], list[OpenAttempt]] = {}
    for attempt in attempts:
        groups.setdefault((attempt.engagement, attempt.phase), []).append(attempt)
    for (engagement, phase), group in groups.items():
        pass_no = pass_number(session.ledger, engagement)
        journal = session.ledger.journal(session.account, engagement, phase, pass_no, session.fence)
        found = _found(session, engagement, phase, group, journal)
        journal.answered([_outcome(attempt, found, shared) for attempt in group])
        event(log, "unknown_resolved", phase=phase, attempts=len(group), found=sum(1 for ids in found.values() if ids))
    return len(attempts)


def _found(session: Session, engagement: str, phase: str, group: list[OpenAttempt], journal: Journal) -> Mapping[int, list[str]]:
    """Return attempt id -> destination ids of what it may have made; records that another engagement has are not among them."""
    asked = [each for each in group if each.attempt.operation in ("create", "prepare") or _is_known_update(each)]
    if not asked:
        return {}
    foreign = session.ledger.foreign_ids(session.account, engagement, phase)
    found = session.destination.lookup(phase, asked, journal)
    return {attempt_id: [number for number in ids if number not in foreign] for attempt_id, ids in found.items()}


def _is_known_update(attempt: OpenAttempt) -> bool:
    return attempt.attempt.operation == "update" and attempt.attempt.destination_id is not None


def _shared_tokens(attempts: list[OpenAttempt]) -> set[tuple[str, str]]:
    """Return (phase, token) that two engagements left unanswered: what is found could be either's."""
    owners: dict[tuple[str, str], set[str]] = {}
    for attempt in attempts:
        owners.setdefault((attempt.phase, attempt.attempt.token), set()).add(attempt.engagement)
    return {token for token, found in owners.items() if len(found) > 1}


def _outcome(attempt: OpenAttempt, found: Mapping[int, list[str]], shared: set[tuple[str, str]]) -> Outcome:
    ids = found.get(attempt.attempt_id, [])
    key = attempt.attempt.key
    if attempt.attempt.operation == "update":  # what it was about is known: a record that was being adopted stays the one to adopt
        return Outcome(attempt.attempt_id, key, "absent", attempt.attempt.destination_id, reason="no_answer")
    if attempt.attempt.operation != "create" or not ids:
        return Outcome(attempt.attempt_id, key, "absent", reason="no_answer")
    if len(ids) > 1 or (attempt.phase, attempt.attempt.token) in shared:
        return Outcome(attempt.attempt_id, key, "conflict", reason="found_twice_after_no_answer")
    return Outcome(attempt.attempt_id, key, "created", ids[0], reason="found_after_no_answer")

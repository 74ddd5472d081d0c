"""What the first page of a scope document says: the discovery boiled down to what a client has to know, in sentences.

Belongs here: choosing and saying what moves, what is lost, when it is done. Not here: what is asked of people (scope_asks), contacts that
may stay behind (scope_clean), finding out (discovery), how it looks (scope, templates).
Both documents are made of these facts, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from crm_pipelines.discovery.grades import Count, decisive, read_rules
from crm_pipelines.discovery.values import CleanCount, Discovery
from crm_pipelines.reports.figures import money
from crm_pipelines.reports.scope_asks import account_told, start_here, to_decide, todo, waiting_assumed
from crm_pipelines.reports.scope_clean import clean_rule, contacts_of, good_to_know, to_clean
from crm_pipelines.reports.scope_mailing import may_be_mailed, tile, to_settle
from crm_pipelines.reports.scope_words import Line, counted, day, plain, rows_of, title, upper_first, why

ORGANIZATIONS = "organizations"
"""The phase of companies, in every route."""
ARRIVES = ("ready", "created", "updated", "unchanged")


@dataclass(frozen=True)
class Have:
    """One kind of thing in the exports."""

    what: str
    rows: int
    files: int
    since: date | None
    until: date | None
    newest: datetime | None = None
    """When the newest of its files was exported."""
    missing: str = ""
    """What is said where there is no file."""


@dataclass(frozen=True)
class Move:
    """One kind of record at the destination."""

    what: str
    arrive: int
    wait: int
    refused: int
    states: str
    """All of it in words: `2,545 created, 2 waiting`."""


@dataclass(frozen=True)
class Page:
    """The first page."""

    tiles: tuple[tuple[str, str], ...]
    start: str
    """The first step."""
    have: tuple[Have, ...]
    moves: tuple[Move, ...]
    waits: tuple[Line, ...]
    moving: tuple[str, ...]
    """What the numbers of records take for granted, and what they are worth."""
    explained: tuple[str, ...]
    """What else one may wonder about in the numbers of records."""
    lost: tuple[Line, ...]
    decide: tuple[Line, ...]
    clean: tuple[Line, ...]
    informed: tuple[Line, ...]
    """Kinds of contacts that are no choice, each with what happens to them."""
    clean_rule: str
    """How the figures of the clean-up follow from each other."""
    contacts: CleanCount | None
    """The count that the clean-up is about."""
    done: str
    account: str
    """What the plan at the destination gives and what the migration takes of it; empty where it sells neither."""
    closing: str
    """When the old system may be closed."""
    todo: tuple[tuple[str, tuple[Line, ...]], ...]
    """Who -> what."""
    meaning: str
    """Of the overall grade."""
    because: str
    """The topics that make it so, in one phrase; empty where all is well."""


def first_page(found: Discovery) -> Page:
    """Return the facts of the first page."""
    decide, moves, contacts = to_decide(found), movable(found), contacts_of(found)
    return Page(
        tiles=_tiles(found, moves, decide),
        start=start_here(found),
        have=exported(found),
        moves=moves,
        waits=waiting(found),
        moving=_moving(found),
        explained=_explained(found),
        lost=lost(found),
        decide=decide,
        clean=to_clean(found),
        informed=good_to_know(found),
        clean_rule=clean_rule(contacts) if contacts else "",
        contacts=contacts,
        done=when_done(found),
        account=account_told(found),
        closing=_closing(found),
        todo=todo(found),
        meaning=read_rules()["scale"][found.overall],
        because=", ".join(decisive(found.grades, found.overall)),
    )


def exported(found: Discovery) -> tuple[Have, ...]:
    """Return what the exports hold, and what is missing, required ones first."""
    return tuple(_have(found, item.object, is_there=item.is_there, is_required=item.is_required) for item in found.checklist)


def movable(found: Discovery) -> tuple[Move, ...]:
    """Return how many records arrive and how many wait, in the order in which they are loaded."""
    return tuple(
        Move(
            what=plain(phase),
            arrive=sum(counts.get(name, 0) for name in ARRIVES),
            wait=counts.get("waiting", 0),
            refused=counts.get("refused", 0),
            states=", ".join(f"{rows:,} {name}" for name, rows in counts.items() if rows),
        )
        for phase, counts in found.predicted.items()
        if sum(counts.values())
    )


def waiting(found: Discovery) -> tuple[Line, ...]:
    """Return why records wait, most first: they add up to what waits; rows instead where records are not foreseen yet."""
    if found.waits:
        records = sorted(found.waits, key=lambda one: -one["records"])
        return tuple(Line(counted(one["records"], one["phase"]), why(one["reason"])) for one in records)
    rows = sorted(found.queues, key=lambda one: -one["rows"])
    return tuple(Line(rows_of(one["rows"], one["object"]), why(one["reason"])) for one in rows)


def lost(found: Discovery) -> tuple[Line, ...]:
    """Return what does not come over: exports that are missing, what the route cannot move, history that nothing recorded."""
    missing = [item for item in found.checklist if not item.is_there and item.without_it]
    absent = [Line(f"{upper_first(plain(item.object))} (not exported)", item.without_it) for item in missing]
    gaps = [Line(upper_first(plain(gap["what"])), gap["why"]) for gap in found.gaps]
    unrecorded = [gap.kind for gap in found.history if not gap.tags]
    history = (
        [Line("History that nothing recorded", "No export holds it and no tag tells: " + "; ".join(unrecorded) + ".")] if unrecorded else []
    )
    ignored = [column for column in found.columns if column.state == "ignored" and column.filled]
    told = "They stay behind, each with a reason in the list of columns."
    behind = [Line(f"{Count(len(ignored)):column} of the exports", told)] if ignored else []
    return (*absent, *_phones(found), *_merged(found), *history, *gaps, *behind, *_left_out(found))


def when_done(found: Discovery) -> str:
    """Return the day on which it can be done, or what is missing to tell."""
    last = found.calendar[-1]["last"] if found.calendar else None
    if last:
        return f"At the earliest on {day(last)}, if everything on this page is answered in time."
    missing = ["the exports are here"] if not found.files else []
    missing += [f"{title(found.destination)} was asked"] if not found.inspection else []
    until = " and ".join(missing) or "what stops the migration is out of the way"
    return f"Cannot be told yet: how long loading takes is known once {until}."


def _have(found: Discovery, name: str, *, is_there: bool, is_required: bool) -> Have:
    files = [file for file in found.files if file.object == name]
    firsts, lasts = [file.first_date for file in files if file.first_date], [file.last_date for file in files if file.last_date]
    missing = "" if is_there else "missing, needed" if is_required else "missing"
    rows = sum(file.physical_rows - file.blank_rows for file in files)
    newest = max((file.exported_at for file in files if file.exported_at), default=None)
    return Have(plain(name), rows, len(files), min(firsts, default=None), max(lasts, default=None), newest, missing)


def _moving(found: Discovery) -> tuple[str, ...]:
    """Return what the numbers of records take for granted, and what they are worth."""
    told = (waiting_assumed(found), *_money(found), "" if to_settle(found) else may_be_mailed(found))
    return tuple(one for one in told if one)


def _explained(found: Discovery) -> tuple[str, ...]:
    """Return what else one may wonder about: private persons."""
    firms = sum(found.predicted.get(ORGANIZATIONS, {}).values()) - found.private
    private = (
        f"{Count(max(0, firms)):organization} {'is a company' if firms == 1 else 'are companies'}, {found.private:,} are private persons: "
        "contacts who name no company each become one, unless you decide otherwise."
    )
    return (private,) if found.private else ()


def _money(found: Discovery) -> list[str]:
    """Return per kind of record and currency the amounts by outcome: `Deals, USD: won 1,200.00 (of which 200.00 wait), lost 30.00.`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found.money:
        waits = f" ({money(one['waiting'])} of it waits)" if Decimal(one["waiting"]) else ""
        groups.setdefault((one["phase"], one["currency"]), []).append(f"{one['status']} {money(one['amount'])}{waits}")
    told = [f"{upper_first(plain(phase))} in {currency}: {', '.join(parts)}." for (phase, currency), parts in groups.items()]
    return [*told, *_beside(found)] if told else []


def _beside(found: Discovery) -> list[str]:
    """Return the money that the sums leave out: rows that wait and are of no record yet, lines that cannot be read."""
    waits = [
        f"{rows_of(one['rows'], one['object'])}, {money(one['amount'])} {one['currency']} ({why(one['reason']).rstrip('.')})"
        for one in found.money_aside
        if one["amount"]
    ]
    unread = [f"{rows_of(one['rows'], one['object'])} that cannot be read" for one in found.money_aside if not one["amount"]]
    parts = [*waits, *unread]
    return [f"Not in these sums yet: {'; '.join(parts)}."] if parts else []


def _phones(found: Discovery) -> list[Line]:
    count = contacts_of(found)
    ruined = count.kinds.get("ruined_phone", 0) if count else 0
    again = f"you export {' and '.join(one['file'] for one in found.ruined)} again" if found.ruined else "you export the contacts again"
    told = f"A spreadsheet rounded them (as 4.47701E+11). They are lost unless {again}. Do not save the new file in a spreadsheet."
    return [Line(f"{Count(ruined):phone number}", told)] if ruined else []


def _merged(found: Discovery) -> list[Line]:
    """Return how many values of merged contacts are kept nowhere."""
    if not found.merged:
        return []
    told = f"Several contacts become {Count(found.merged['records']):record} and say different things: one value stays."
    return [Line(f"{Count(found.merged['values']):value} of merged contacts", f"{told} The list comes with the final report.")]


def _closing(found: Discovery) -> str:
    source = title(found.source)
    return (
        f"Not before the last changes were loaded and checked. Billing and running subscriptions stay in {source}: what was paid is moved, "
        "the charging is not. What was loaded is not taken back by itself: look closely at the sample."
    )


def _left_out(found: Discovery) -> list[Line]:
    rows = [one for one in found.left_out if one["bucket"] == "excluded" and one["reason"] != "blank"]
    return [Line(rows_of(one["rows"], one["object"]), why(one["reason"])) for one in rows]


def _tiles(found: Discovery, moves: Sequence[Move], decide: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    last = found.calendar[-1]["last"] if found.calendar else None
    must = sum(1 for line in decide if line.is_must)
    rows, blank = sum(file.physical_rows - file.blank_rows for file in found.files), sum(file.blank_rows for file in found.files)
    tiles = [(f"{rows:,}", f"rows in your exports (and {Count(blank):blank line})" if blank else "rows in your exports")]
    if moves:
        tiles += [
            (f"{sum(one.arrive for one in moves):,}", "records arrive"),
            (f"{sum(one.wait for one in moves):,}", "records wait for you"),
        ]
    tiles += tile(found)
    tiles.append((f"{must:,}", "question only you can answer" if must == 1 else "questions only you can answer"))
    return (*tiles, (day(last) if last else "not known yet", "earliest end"))

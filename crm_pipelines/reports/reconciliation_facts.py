"""What a reconciliation says to a client: what still needs somebody, what arrived, what is different, who must not be mailed.

Belongs here: choosing and saying. Not here: counting (phases, defs.account), money (reconciliation_money), cost and passes
(reconciliation_cost), how it looks (reconciliation, templates). The page and the terminal are made of these facts.
Keys that an older account does not have are taken as empty, so that its page can be written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm_pipelines.discovery.grades import Count
from crm_pipelines.phases.queues import CONFLICT, DECISION, EDITED, OWNER, PARENT, REMEDIATION
from crm_pipelines.reports.reasons import next_step, sentence
from crm_pipelines.reports.reconciliation_money import UNREAD, WAITING, money_held
from crm_pipelines.reports.reconciliation_words import (
    CHECKS,
    MADE,
    MERGED_FILE,
    NOTES,
    STATES,
    joined,
    records_of,
    short_names,
    state_words,
    systems,
)
from crm_pipelines.reports.scope_words import SETTLED, counted, day, plain, upper_first

OPEN_QUOTE = "unterminated_quote"
COLUMNS_SHEET = "Columns"
"""The workbook's own name for it (workbook_layout), which a look at an account does not wait for."""
CONSENTED = "subscribed"
"""What records say of people who agreed to be mailed."""
SCHEMA = "destination_schema"
"""Where rows end that only name fields, options and tags."""
ALSO_COUNTED = {"tags": "one for each tag on each record", "users": "looked up, never made"}
"""Phases that are counted beside what a client calls records -> how."""
FINISHED, WAITS, DIFFERS = 0, 10, 11
PRESENT = ("created", "updated", "unchanged")


@dataclass(frozen=True)
class Need:
    """Something that somebody has to answer or correct."""

    what: str
    count: int
    unit: str
    why: str
    todo: str
    where: str
    money: Decimal = Decimal(0)
    """The sum that waits on it, whatever its sign; of several currencies the greatest."""
    is_of_many: bool = False
    """Whether one answer settles many rows: an owner, a word."""


@dataclass(frozen=True)
class Kind:
    """One kind of record at the destination."""

    name: str
    wanted: int
    there: str
    states: str
    check: str
    css: str
    note: str
    waits: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One file, or rows of one file that were set aside."""

    file: str
    object: str
    rows: str
    told: str
    places: str = ""
    css: str = ""


def headline(account: Mapping[str, Any]) -> tuple[str, str]:
    """Return what stands at the top, and whether it is good, wait or bad."""
    _, destination = systems(account)
    count, code = needs_count(account), account.get("exit_code", WAITS)
    if account.get("confirmed") == "sample":
        return "Only the sample is loaded. Look at it in the new system before you confirm the rest.", "wait" if code == FINISHED else "bad"
    if code == DIFFERS:
        return f"Not finished: something does not agree (see “What arrived”). {_needing(count)}", "bad"
    if code not in (FINISHED, WAITS):
        return f"Not finished: not everything is sent yet; the load goes on when it is run again. {_needing(count)}", "wait"
    if count:
        return f"Not finished yet. What could be loaded agrees with {destination}'s own lists. {_needing(count)}", "wait"
    return f"Finished: everything that was to come stands in {destination} and agrees with its own lists. Nothing waits for you.", "good"


def _needing(count: int) -> str:
    return f"{count:,} {'thing still needs' if count == 1 else 'things still need'} you." if count else ""


def needs(account: Mapping[str, Any]) -> tuple[Need, ...]:
    """Return everything that somebody has to answer or correct, with the file to do it in; what only follows is not in it.

    Shape: what money waits on first, the greatest sum before others; then owners and words, then the rest, more rows first.
    """
    found = (*_rows_that_wait(account), *_unreadable(account), *_undecided(account))
    return tuple(sorted(found, key=lambda one: (-one.money, one.unit == "column", not one.is_of_many, -one.count)))


def needs_count(account: Mapping[str, Any]) -> int:
    """Return how many rows and columns need somebody."""
    return sum(one.count for one in needs(account))


def counts_more(account: Mapping[str, Any]) -> str:
    """Return what else is counted among the records to make than those of the scope document; empty where nothing is."""
    parts = [
        f"{phase['wanted']:,} {records_of(phase['phase'])} ({ALSO_COUNTED[phase['phase']]})"
        for phase in account["phases"]
        if phase["wanted"] and phase["phase"] in ALSO_COUNTED
    ]
    held = sum(phase["records"].get("waiting", 0) for phase in account["phases"])
    parts += [f"{held:,} that {'waits' if held == 1 else 'wait'} still"] if held else []
    total = sum(phase["wanted"] for phase in account["phases"])
    return f"The {total:,} records are more than those that the scope document counts: with {joined(parts)}." if parts else ""


def follows(account: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how many records wait until the above is answered, kind by kind."""
    by_phase: dict[str, list[str]] = {}
    for one in account.get("waits", ()):
        by_phase.setdefault(one["phase"], []).append(f"{one['records']:,} of {records_of(one['phase'])}: {sentence(one['reason'])}")
    return tuple(line for lines in by_phase.values() for line in lines)


def _rows_that_wait(account: Mapping[str, Any]) -> Iterator[Need]:
    for one in account["queues"]:
        queue = one["queue"]
        if queue == PARENT:
            continue
        what = f"{plain(one['object'])} that wait" if queue != CONFLICT else f"{plain(one['object'])} with a conflict"
        sheet = one["object"] if queue in EDITED else queue if queue in (OWNER, DECISION) else ""
        where = f"queues/{queue}.xlsx" + (f", sheet “{sheet}”" if sheet else "")
        held, told = money_held(account, WAITING, one["object"], one["reason"])
        why, is_of_many = f"{sentence(one['reason'])}{told}", queue in (OWNER, DECISION)
        yield Need(what, one["rows"], "row", why, next_step(one["reason"]), where, held, is_of_many)


def _unreadable(account: Mapping[str, Any]) -> Iterator[Need]:
    lines: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in account.get("set_aside", ()):
        if one["bucket"] == UNREAD:
            lines.setdefault((one["object"], one["reason"]), []).append(one)
    for (name, reason), some in lines.items():
        rows = sum(one["rows"] for one in some)
        more = f" {_swallowed(some)}" if reason == OPEN_QUOTE else ""
        where = f"queues/{REMEDIATION}.xlsx, sheet “{name}”"
        held, told = money_held(account, UNREAD, name, reason)
        yield Need(f"{plain(name)} that cannot be read", rows, "row", f"{sentence(reason)}{more}{told}", next_step(reason), where, held)


def _swallowed(some: list[Mapping[str, Any]]) -> str:
    lines = sum(one.get("line_count") or one["rows"] for one in some)
    return f"That is at least {Count(lines):line}, possibly more records: whatever stood behind the quote is inside it."


def _undecided(account: Mapping[str, Any]) -> Iterator[Need]:
    for one in account.get("columns", ()):
        values = one.get("values", one["filled"])
        if one["state"] != "waiting" or not values:
            continue
        why = f"No rule knows this column. Until you decide, its {Count(values):value} {'stays' if values == 1 else 'stay'} behind."
        todo = "Say which field it goes to, or that it stays behind and why; then the map is confirmed again."
        what = f"column “{one['heading']}” of {plain(one['object'])}"
        yield Need(what, 1, "column", why, todo, f"handoff/map.xlsx, sheet “{COLUMNS_SHEET}”")


def kinds(account: Mapping[str, Any]) -> tuple[Kind, ...]:
    """Return the kinds of records in the order in which they were loaded."""
    waits: dict[str, list[str]] = {}
    for one in account.get("waits", ()):
        waits.setdefault(one["phase"], []).append(f"{_waiting(one['records'])}: {sentence(one['reason'])}")
    return tuple(_kind(account, phase, tuple(waits.get(phase["phase"], ()))) for phase in account["phases"])


def _kind(account: Mapping[str, Any], phase: Mapping[str, Any], waits: tuple[str, ...]) -> Kind:
    gate, name = phase["gate"], phase["phase"]
    css = "good" if gate in ("passed", "accepted") else "bad"
    held = sum(phase["records"].get(state, 0) for state in ("waiting", "refused"))
    matched = phase["destination_count"] is None
    check = CHECKS[gate] + (f", {held:,} open" if held and gate in ("passed", "accepted") else "")
    there = f"{sum(phase['records'].get(state, 0) for state in PRESENT):,} found" if matched else f"{phase['destination_count']:,}"
    note = NOTES.get(name, "") if name in NOTES and (matched or name != "users") else _why_so_many(account, phase)
    css = "wait" if held and css == "good" else css
    return Kind(upper_first(records_of(name)), phase["wanted"], there, state_words(phase["records"]), check, css, note, waits)


def _why_so_many(account: Mapping[str, Any], phase: Mapping[str, Any]) -> str:
    """Return one sentence for each decision that makes records of this kind."""
    parts = []
    for one in account.get("made", ()):
        if one["phase"] == phase["phase"]:
            told = MADE[one["kind"]].format(records=f"{one['records']:,}", all=f"{phase['wanted']:,}", phase=records_of(phase["phase"]))
            parts.append(f"{told} {_by_whom(account, one['decision'])}")
    return " ".join(parts)


def _by_whom(account: Mapping[str, Any], name: str) -> str:
    for one in account.get("decisions", ()):
        if one["name"] == name:
            who = "By default; you did not change it" if one["is_default"] else "Your answer"
            return f"({who}: {one['question']} {one['told']})"
    return ""


def decided_by(one: Mapping[str, Any]) -> str:
    """Return who answered a question."""
    if one["is_default"]:
        return "by default; you did not change it"
    return f"{one['by']}, {day(one['at'])}" if one.get("by") else "you, in the decisions of the engagement"


def different(account: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what is not as it was in the old system: what the new one does otherwise, what does not move, what was not received."""
    source, destination = systems(account)
    notes = [(f"{destination} works otherwise", note) for note in account["budget"].get("notes", ()) if not note.startswith("map")]
    missing = [(f"Not received: {plain(one['object'])}", one["without_it"]) for one in account.get("not_received", ())]
    gaps = [(f"{upper_first(one['what'])} did not move", f"{one['why']} {one['instead']}") for one in account.get("gaps", ())]
    behind = [one for one in account.get("columns", ()) if one["state"] == "ignored" and one.get("values", one["filled"])]
    left = (
        [(f"{Count(len(behind)):column} of the exports stayed in {source}", "Each with its reason, under “Columns that stayed behind”.")]
        if behind
        else []
    )
    return (*notes, *_merged(account), *missing, *gaps, *left)


def _merged(account: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what contacts that became one record said otherwise than that record says."""
    told = account.get("merged") or {"values": 0, "records": 0}
    if told["values"]:
        where = f"Several contacts became {Count(told['records']):record} and said different things: one value stayed."
        yield (
            f"{Count(told['values']):value} of merged contacts did not arrive",
            f"{where} The others stand by row and column in {MERGED_FILE}.",
        )


def mailing(account: Mapping[str, Any]) -> tuple[str, ...]:
    """Return who must not be mailed: how many, where it stands, which words count."""
    _, destination = systems(account)
    told: list[str] = []
    for one in account.get("opt_outs", ()):
        silent: list[str] = []
        waiting = f" {_waiting(one['waiting'], 'more ')}, and must not be mailed either." if one["waiting"] else ""
        waiting += f" {one['not_sent']:,} are not sent yet." if one.get("not_sent") else ""
        if one["is_whole_phase"]:
            why = account.get("phase_whys", {}).get(one["phase"], "")
            place = f"in {destination}'s own list of addresses that mailings skip, one entry for each address"
            told.append(f"{one['there']:,} addresses must not be mailed. They stand {place}.{waiting} {why}".strip())
        else:
            place = f"in {destination} their field “{plain(one['field'])}” says “{plain(one['word'])}”"
            told.append(f"{one['there']:,} people must not be mailed: {place}.{waiting}")
            told += [_others(one)] if one["others"] else []
            told += (silent := _without_word(account, one))
        words = [f"{plain(column)}: {', '.join(values)}" for column, values in one["counts"].items()]
        uncounted = "" if silent else " Somebody without a usable e-mail address is not counted here."
        told.append(f"What counts in the export: {'; '.join(words)}.{uncounted}")
    return tuple(told)


def _others(one: Mapping[str, Any]) -> str:
    parts = [f"{count:,} “{plain(word)}”" for word, count in one["others"].items()]
    only = f" Only “{CONSENTED}” is a proven consent; mail nobody else." if CONSENTED in one["others"] else ""
    return f"The others say {joined(parts)}.{only}"


def _without_word(account: Mapping[str, Any], one: Mapping[str, Any]) -> list[str]:
    """Return how many records say nothing of mailing, so that the numbers add up to all that are there."""
    there = sum(phase["records"].get(state, 0) for phase in account["phases"] if phase["phase"] == one["phase"] for state in PRESENT)
    silent = there - one["there"] - sum(one["others"].values())
    if silent <= 0:
        return []
    says = "says" if silent == 1 else "say"
    return [
        f"{silent:,} of the {there:,} {records_of(one['phase'])} {says} nothing there: no usable e-mail address, so nothing to mail to."
    ]


def _waiting(count: int, more: str = "") -> str:
    return f"{count:,} {more}{'waits' if count == 1 else 'wait'}"


def file_rows(account: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return every file with where its rows ended."""
    names = short_names(one["file"] for one in account["files"])
    return tuple(
        Row(
            names[one["file"]],
            plain(one["object"]),
            f"{one['physical_rows']:,}",
            _ended(one),
            "✓" if one["adds_up"] else "✗",
            "good" if one["adds_up"] else "bad",
        )
        for one in account["files"]
    )


def _ended(one: Mapping[str, Any]) -> str:
    """Return where the rows of a file ended; rows that name fields and tags make no record, they are read for the names."""
    told = state_words(one["buckets"])
    return told.replace(STATES["folded"], "read for its names") if one["phase"] == SCHEMA else told


def file_marks(account: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return short name, full name and SHA-256 of every file."""
    names, sent = short_names(one["file"] for one in account["files"]), account.get("files_sent", {})
    return tuple((names[one["file"]], one["file"], sent.get(one.get("chunk", ""), "")) for one in account["files"])


def aside_rows(account: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return rows that were left out or could not be read, those to be corrected first."""
    names = short_names(one["file"] for one in account["files"])
    rows = sorted(account.get("set_aside", ()), key=lambda one: one["bucket"] != "quarantined")
    return tuple(_aside(account, one, names.get(one["file"], one["file"])) for one in rows)


def _aside(account: Mapping[str, Any], one: Mapping[str, Any], name: str) -> Row:
    is_bad = one["bucket"] == "quarantined"
    why = sentence(one["reason"]) if is_bad else left_out(account, one["reason"])
    if one["reason"] == OPEN_QUOTE:
        why = f"{why} {_swallowed([one])}"
    places = f"spreadsheet row {one['sheet_rows']} (text line {one['lines']})" if one.get("sheet_rows") else one["lines"]
    return Row(name, plain(one["object"]), f"{one['rows']:,}", why, places, "wait" if is_bad else "")


def left_out(account: Mapping[str, Any], reason: str) -> str:
    """Return why rows were left out, with who decided so."""
    name = account.get("decides", {}).get(reason)
    told = sentence(reason)
    for one in account.get("decisions", ()):
        if one["name"] == name:
            return told.replace(SETTLED, f": {decided_by(one)}.")
    return told


def stayed(account: Mapping[str, Any]) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """Return the columns that stayed behind with something in them, the greatest loss first, and the empty ones in a sentence."""
    columns = [one for one in account.get("columns", ()) if one["state"] in ("ignored", "waiting")]
    filled = sorted((one for one in columns if one.get("values", one["filled"])), key=lambda one: -one.get("values", one["filled"]))
    empty = [f"{one['heading']} ({plain(one['object'])})" for one in columns if not one.get("values", one["filled"])]
    held = f"{counted(len(empty), 'columns')} held nothing at all: {', '.join(empty)}." if empty else ""
    return tuple(one for one in filled if one["state"] == "ignored"), held

"""What the first page of a scope document says: the discovery boiled down to what a client has to know, in sentences.

Belongs here: choosing and saying. Not here: finding out (discovery), how it looks (scope, templates).
Both documents are made of these facts, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from crm_pipelines.discovery.grades import Count, decisive, needs_signature, read_rules
from crm_pipelines.discovery.values import CleanCount, Discovery
from crm_pipelines.reports.reasons import sentence

NAMED = 4
"""Names that a sentence of the first page lists before it says how many more there are."""
OURS = (".yaml", "--")
"""Words that only an engineer of ours can act on."""
ARRIVES = ("ready", "created", "updated", "unchanged")


@dataclass(frozen=True)
class Line:
    """A point of a list: what, and a word more about it."""

    what: str
    more: str = ""
    is_must: bool = False
    """Whether nothing goes on without it."""


@dataclass(frozen=True)
class Have:
    """One kind of thing in the exports."""

    what: str
    rows: int
    files: int
    since: date | None
    until: date | None
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
    have: tuple[Have, ...]
    moves: tuple[Move, ...]
    waits: tuple[Line, ...]
    lost: tuple[Line, ...]
    decide: tuple[Line, ...]
    clean: tuple[Line, ...]
    contacts: CleanCount | None
    """The count that the clean-up is about."""
    done: str
    todo: tuple[tuple[str, tuple[Line, ...]], ...]
    """Who -> what."""
    meaning: str
    """Of the overall grade."""
    because: str
    """The topics that make it so, in one phrase; empty where all is well."""


def first_page(found: Discovery) -> Page:
    """Return the facts of the first page."""
    decide, moves = to_decide(found), movable(found)
    return Page(
        tiles=_tiles(found, moves, decide),
        have=exported(found),
        moves=moves,
        waits=waiting(found),
        lost=lost(found),
        decide=decide,
        clean=to_clean(found),
        contacts=contacts_of(found),
        done=when_done(found),
        todo=_todo(found),
        meaning=read_rules()["scale"][found.overall],
        because=", ".join(decisive(found.grades, found.overall)),
    )


def plain(name: str) -> str:
    """Return a technical name as words: `single_person` is `single person`."""
    return name.replace("_", " ")


def upper_first(text: str) -> str:
    """Return a text with a capital to begin with; the rest stays as it is (MRR stays MRR)."""
    return text[:1].upper() + text[1:]


def title(name: str) -> str:
    """Return the name of a system as a client knows it."""
    return plain(name).title()


def day(value: date | str | None) -> str:
    """Return a date as a person writes it; a dash where there is none."""
    if value is None:
        return "–"
    moment = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{moment.day} {moment:%b %Y}"


def span(first: date | str, last: date | str) -> str:
    """Return two days without saying month and year twice: `23 – 25 Nov 2026`."""
    one, other = day(first), day(last)
    if one == other:
        return one
    words, ends = one.split(), other.split()
    kept = words[:1] if words[1:] == ends[1:] else words[:2] if words[2:] == ends[2:] else words
    return f"{' '.join(kept)} – {other}"


def some(names: Sequence[str], most: int = NAMED) -> str:
    """Return the first names and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


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
    """Return why rows wait, most rows first."""
    rows = sorted(found.queues, key=lambda one: -one["rows"])
    return tuple(Line(f"{Count(one['rows']):row} of {plain(one['object'])}", sentence(one["reason"])) for one in rows)


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
    return (*absent, *history, *gaps, *behind, *(_left_out(found)))


def to_decide(found: Discovery) -> tuple[Line, ...]:
    """Return what the client has to say, what nothing goes on without first."""
    must = [Line(one["question"], _options(one), is_must=True) for one in found.decisions if one["is_open"]]
    return (*must, *_open_columns(found), *_open_words(found), *_open_owners(found), *_defaults(found))


def to_clean(found: Discovery) -> tuple[Line, ...]:
    """Return the kinds of contacts that are hardly worth moving, most first."""
    count = contacts_of(found)
    if count is None:
        return ()
    kinds = sorted(((kind, rows) for kind, rows in count.kinds.items() if rows), key=lambda one: -one[1])
    return tuple(Line(f"{rows:,} {plain(kind)}", upper_first(count.rules.get(kind, ""))) for kind, rows in kinds)


def contacts_of(found: Discovery) -> CleanCount | None:
    """Return the count of the object that is judged by more than its keys; None when it was not exported."""
    judged = [one for one in found.clean if len(one.rules) > 1]
    return judged[0] if judged else None


def when_done(found: Discovery) -> str:
    """Return the day on which it can be done, or what is missing to tell."""
    last = found.calendar[-1]["last"] if found.calendar else None
    if last:
        return f"At the earliest on {day(last)}, if everything on this page is answered in time."
    missing = ["the exports are here"] if not found.files else []
    missing += [f"{title(found.destination)} was asked"] if not found.inspection else []
    until = " and ".join(missing) or "what stops the migration is out of the way"
    return f"Cannot be told yet: how long loading takes is known once {until}."


def open_columns(found: Discovery) -> list[str]:
    """Return the headings of columns with content that have no place yet."""
    return [column.heading for column in found.columns if column.state == "waiting" and column.filled]


def missing_users(found: Discovery) -> list[str]:
    """Return the owners without a user; none where the destination was not asked."""
    return [one.owner for one in found.owners if one.user is None] if found.inspection else []


def _have(found: Discovery, name: str, *, is_there: bool, is_required: bool) -> Have:
    files = [file for file in found.files if file.object == name]
    firsts, lasts = [file.first_date for file in files if file.first_date], [file.last_date for file in files if file.last_date]
    missing = "" if is_there else "missing, needed" if is_required else "missing"
    rows = sum(file.physical_rows - file.blank_rows for file in files)
    return Have(plain(name), rows, len(files), min(firsts, default=None), max(lasts, default=None), missing)


def _left_out(found: Discovery) -> list[Line]:
    rows = [one for one in found.left_out if one["bucket"] == "excluded" and one["reason"] != "blank"]
    return [Line(f"{Count(one['rows']):row} of {plain(one['object'])}", sentence(one["reason"])) for one in rows]


def _options(decision: Mapping[str, Any]) -> str:
    meanings = [meaning or plain(option) for option, meaning in decision["options"].items()]
    return " Or: ".join(meanings) if meanings else "Write an e-mail address."


def _open_columns(found: Discovery) -> list[Line]:
    names = open_columns(found)
    return [Line(f"Where {Count(len(names)):column} should go", f"{some(names)}. The workbook proposes a place for each.")] if names else []


def _open_words(found: Discovery) -> list[Line]:
    words = [word for one in found.vocabularies for word in one.unknown]
    words += [word for one in found.custom_fields for word in one.unknown_options]
    return [Line(f"What {Count(len(words)):word} should become", f"“{some(words)}”. The workbook lists them.")] if words else []


def _open_owners(found: Discovery) -> list[Line]:
    names = missing_users(found)
    return [Line(f"Who takes over from {Count(len(names)):team member} without a user", f"{some(names)}.")] if names else []


def _defaults(found: Discovery) -> list[Line]:
    taken = [one for one in found.decisions if not one["is_open"] and one["answer"] is None]
    if not taken:
        return []
    told = "You need not do anything. Our answers and the other options are listed under “Decisions”."
    return [Line(f"Whether you agree with our answer to {Count(len(taken)):question}", told)]


def _tiles(found: Discovery, moves: Sequence[Move], decide: Sequence[Line]) -> tuple[tuple[str, str], ...]:
    last = found.calendar[-1]["last"] if found.calendar else None
    must = sum(1 for line in decide if line.is_must)
    rows = sum(file.physical_rows - file.blank_rows for file in found.files)
    tiles = [(f"{rows:,}", "rows in your exports")]
    if moves:
        tiles += [
            (f"{sum(one.arrive for one in moves):,}", "records arrive"),
            (f"{sum(one.wait for one in moves):,}", "records wait for you"),
        ]
    tiles.append((f"{must:,}", "question only you can answer" if must == 1 else "questions only you can answer"))
    return (*tiles, (day(last) if last else "not known yet", "earliest end"))


def _todo(found: Discovery) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    return (("You", tuple(_yours(found))), ("Your engineer", tuple(_engineers(found))))


def _yours(found: Discovery) -> list[Line]:
    lines = [*_to_export(found, is_required=True), *_to_export(found, is_required=False)]
    if any(one["is_open"] for one in found.decisions) or open_columns(found):
        lines.append(Line("Fill in the workbook", "Questions, columns and words, with drop-downs.", is_must=True))
    if to_clean(found):
        lines.append(Line("Say which contacts stay behind", "By kind, in the workbook; whatever you do not name moves."))
    names = missing_users(found)
    if names:
        lines.append(Line(f"Invite {some(names, 3)} to {title(found.destination)}", "Or name who takes over their records."))
    if needs_signature(found):
        told = "Whatever reacts to new records could write to your customers. Tell us who paused it; we note it here."
        lines.append(Line(f"Pause the automations in {title(found.destination)}", told, is_must=True))
    return lines + [line for line, is_ours in _findings(found) if not is_ours]


def _to_export(found: Discovery, *, is_required: bool) -> list[Line]:
    absent = [plain(item.object) for item in found.checklist if not item.is_there and item.is_required == is_required]
    told = "Nothing can start before." if is_required else "If you have them."
    return (
        [Line(f"Export {', '.join(absent)}", f"{told} Where to find them is told under “Exports”.", is_must=is_required)] if absent else []
    )


def _engineers(found: Discovery) -> list[Line]:
    hours = f"{sum(one.hours for one in found.grades):g} hours by rule"
    open_topics = len(read_rules()["topics"]) - len(found.grades)
    told = f"{hours}, all topics together." if not open_topics else f"At least {hours}; {Count(open_topics):topic} cannot be told yet."
    lines = [Line("Finish the map and prepare the destination", told)]
    bad = sum(file.bad_rows for file in found.files)
    if bad:
        lines.append(Line(f"Correct {Count(bad):row that cannot be read}", "Together with you: the lines come back as a file."))
    return lines + [line for line, is_ours in _findings(found) if is_ours]


def _findings(found: Discovery) -> list[tuple[Line, bool]]:
    """Return what is to be done at the destination, and whether the engineer has to: where one of our files or options is named."""
    rows = [one for one in found.inspection.get("findings", ()) if one["level"] in ("blocker", "warning") and one["todo"]]
    named = [(one, any(word in one["todo"] for word in OURS)) for one in rows if one["topic"] != "automations"]
    return [(Line(one["todo"], one["told"], is_must=one["level"] == "blocker"), is_ours) for one, is_ours in named]

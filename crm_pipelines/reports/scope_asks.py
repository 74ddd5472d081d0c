"""What the scope document asks of people: decisions, work of the client and of the engineer, the first step.

Belongs here: choosing and saying. Not here: what moves and what is lost (scope_facts), contacts that may stay behind (scope_clean).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from crm_pipelines.discovery.grades import FRESH_DAYS, Count, empty_exports, export_ages, needs_signature, next_is_export, read_rules
from crm_pipelines.discovery.reckoning import seats_short
from crm_pipelines.discovery.values import Discovery
from crm_pipelines.reports.scope_clean import to_clean
from crm_pipelines.reports.scope_mailing import to_settle
from crm_pipelines.reports.scope_words import Line, counted, day, plain, rows_of, some, title, upper_first

OURS = (".yaml", "--")
"""Words that only an engineer of ours can act on."""
NEEDED = "Needed before anything moves."
UNTIL = "Until then, what you answer for all of them holds."


def to_decide(found: Discovery) -> tuple[Line, ...]:
    """Return what the client has to say, what nothing goes on without first; each with what holds until it is said."""
    must = [Line(one["question"], _asked(one), is_must=True) for one in found.decisions if one["is_open"]]
    more = (*_open_columns(found), *_open_words(found), *_open_owners(found), *_ownerless(found), *_defaults(found))
    return (*must, *to_settle(found), *more)


def todo(found: Discovery) -> tuple[tuple[str, tuple[Line, ...]], ...]:
    """Return who -> what."""
    return (("You", tuple(_yours(found))), ("Your engineer", tuple(_engineers(found))))


def start_here(found: Discovery) -> str:
    """Return the first step, with its day."""
    first = found.calendar[0]["first"] if found.calendar else None
    when = f"On {day(first)}: " if first else ""
    missing = [plain(item.object) for item in found.checklist if not item.is_there and item.is_required]
    if missing:
        return f"{when}export {', '.join(missing)} from {title(found.source)}. Where to find it is told under “Exports”."
    if empty := [plain(name) for name in empty_exports(found)]:
        return f"{when}export {', '.join(empty)} from {title(found.source)} again: the file holds no record that can be read."
    if files := damaged_files(found):
        what = f"{Count(len(files)):file} that came damaged (named under “Who must do what”)"
        return f"{when}export again {what}; then open the workbook and answer what is yellow{_back(found)}."
    if any(one["is_open"] for one in found.decisions):
        return f"{when}open the workbook and answer what is yellow; everything else has an answer of ours. Send it back{_by(found)}."
    return f"{when}look through the workbook; everything has an answer of ours. Then confirm the map."


def _by(found: Discovery) -> str:
    """Return the day by which the workbook has to be back, as the end of a sentence; empty where no day is known."""
    last = found.calendar[0]["last"] if found.calendar else None
    return f" by {day(last)}" if last else ""


def _back(found: Discovery) -> str:
    return f", and send it back{by}" if (by := _by(found)) else ""


def short_of(found: Discovery) -> int:
    """Return how many seats would have to be bought so that every owner without a user could be invited."""
    return seats_short(found.inspection.get("schema", {}), missing_users(found))


def account_told(found: Discovery) -> str:
    """Return what the destination's plan gives and what the migration takes of it; empty where it sells neither."""
    schema, missing = found.inspection.get("schema", {}), len(missing_users(found))
    seats, used = schema.get("seats") or 0, len(schema.get("users", ()))
    parts = [f"plan {upper_first(plain(schema['plan']))}"] if schema.get("plan") else []
    parts += [f"{Count(seats):seat} paid for, {used:,} in use, {used + missing:,} needed if everybody is invited"] if seats else []
    given, taken = found.forecast.get("tokens_per_day") or 0, found.forecast.get("total_tokens") or 0
    parts += [f"loading takes {_hundredths(taken, given)} of what the plan lets through in a day"] if given and taken else []
    check = f" More people are active than there are seats: ask {title(found.destination)} before you buy any." if 0 < seats < used else ""
    return f"{title(found.destination)}: {'; '.join(parts)}.{check}" if seats or (given and taken) else ""


def _hundredths(part: int, whole: int) -> str:
    return f"{ceil(100 * part / whole):,} %"


def missing_users(found: Discovery) -> list[str]:
    """Return the owners without a user; none where the destination was not asked."""
    return [one.owner for one in found.owners if one.user is None] if found.inspection else []


def open_columns(found: Discovery) -> list[str]:
    """Return the headings of columns with content that have no place yet."""
    return [column.heading for column in found.columns if column.state == "waiting" and column.filled]


def broken_files(found: Discovery) -> list[str]:
    """Return the files of which a part is not there any more."""
    return list(dict.fromkeys(one["file"] for one in found.broken if next_is_export(one["reason"])))


def damaged_files(found: Discovery) -> list[str]:
    """Return the files to export again: a part is not there any more, or a spreadsheet rounded numbers in them."""
    return list(dict.fromkeys([*broken_files(found), *(one["file"] for one in found.ruined)]))


def waiting_assumed(found: Discovery) -> str:
    """Return what the count of waiting records takes for granted, and what remains once owners are settled; empty if nobody is missing."""
    held = sum(one.get("waiting", 0) + one.get("refused", 0) for one in found.predicted.values())
    if not held or not missing_users(found):
        return ""
    told = f"These {held:,} assume that records of a team member without a user wait, unless you decide otherwise."
    if found.waits_named is None:
        return told
    left = sum(found.waits_named.values())
    return f"{told} Once somebody takes over from all who are missing, {held - left:,} of them move as well and {left:,} still wait."


def for_whom(todo: str) -> str:
    """Return a step at the destination; one that only an engineer can take says so."""
    return f"Your engineer: {todo}" if todo and any(word in todo for word in OURS) else todo


def _asked(decision: Mapping[str, Any]) -> str:
    meanings = [meaning or plain(option) for option, meaning in decision["options"].items()]
    options = " Or: ".join(meanings) if meanings else "Write an e-mail address."
    return f"{NEEDED} {options}"


def _open_columns(found: Discovery) -> list[Line]:
    names = open_columns(found)
    told = f"{some(names)}. What is blue in the workbook is our proposal and counts once you send it back; until then they stay behind."
    return [Line(f"Where {Count(len(names)):column} should go", told)] if names else []


def _open_words(found: Discovery) -> list[Line]:
    words = [word for one in found.vocabularies for word in one.unknown]
    words += [word for one in found.custom_fields for word in one.unknown_options]
    told = f"“{some(words)}”. Blue in the workbook counts once you send it back; until then nothing is made of them."
    return [Line(f"What {Count(len(words)):word} should become", told)] if words else []


def _open_owners(found: Discovery) -> list[Line]:
    names = missing_users(found)
    told = f"{some(names)}. Name somebody, {_or_invite(found)}"
    return [Line(f"Who takes over from {Count(len(names)):team member} without a user", told)] if names else []


def _ownerless(found: Discovery) -> list[Line]:
    told = (
        f"You need not say anything, and no cell asks. They do not wait: {title(found.destination)} gives them to the user whose access "
        "the migration uses, or to nobody. If somebody else is to have them, write so when you send the workbook back."
    )
    return [Line(f"Who looks after the {counted(found.ownerless, 'contacts')} who name no team member", told)] if found.ownerless else []


def _or_invite(found: Discovery) -> str:
    """Return what an invitation would take."""
    short, system = short_of(found), title(found.destination)
    if short:
        seats = f"{short} more {'seat' if short == 1 else 'seats'}"
        return f"or invite them to {system}: {seats} would be needed, and seats cost money. {UNTIL}"
    return f"or invite them to {system}. {UNTIL}"


def _defaults(found: Discovery) -> list[Line]:
    taken = [one for one in found.decisions if not one["is_open"] and one["answer"] is None]
    told = "If you say nothing, our answer counts. Our answers and the other options are listed under “Decisions”."
    return [Line(f"Whether you agree with our answer to {Count(len(taken)):question}", told)] if taken else []


def _yours(found: Discovery) -> list[Line]:
    lines = [*_to_export(found, is_required=True), *_to_export(found, is_required=False), *_again(found)]
    if any(one["is_open"] for one in found.decisions) or open_columns(found):
        told = "Questions, columns and words, with drop-downs. Yellow needs your answer; blue is ours and counts if you leave it."
        lines.append(Line(f"Fill in the workbook and send it back{_by(found)}", told, is_must=True))
    names = missing_users(found)
    if names:
        more = (
            f"Or buy {Count(short_of(found)):seat} and invite them."
            if short_of(found)
            else f"Or invite them to {title(found.destination)}."
        )
        lines.append(Line(f"Name in the workbook who takes over from {some(names, 3)}", more))
    if to_clean(found):
        lines.append(Line("Say which contacts stay behind", "In the workbook, by kind; whatever you do not name moves."))
    lines += _paused(found)
    lines += [line for line, is_ours in _findings(found) if not is_ours]
    if found.files:
        lines.append(Line("Confirm the map, and then the sample", "With your name: nothing but the sample is loaded before."))
    return lines


def _again(found: Discovery) -> list[Line]:
    """Return the files that came damaged, and the exports that are old."""
    lines, files = [], broken_files(found)
    if empty := [plain(name) for name in empty_exports(found)]:
        lines.append(Line(f"Export {', '.join(empty)} again", "The file holds no record that can be read.", is_must=True))
    if files:
        bad = [one for one in found.broken if next_is_export(one["reason"])]
        parts = some([rows_of(sum(one["rows"] for one in bad if one["object"] == name), name) for name in dict.fromkeys(_objects(bad))])
        told = f"Cut off or damaged on the way: {parts}, and what came after, cannot be read."
        lines.append(Line(f"Export {'this file' if len(files) == 1 else 'these files'} again: {', '.join(files)}", told, is_must=True))
    if ruined := found.ruined:
        names = ", ".join(one["file"] for one in ruined)
        which = "this file" if len(ruined) == 1 else "these files"
        told = f"A spreadsheet rounded phone numbers in {rows_of(sum(one['rows'] for one in ruined), ruined[0]['object'])}; they are lost "
        lines.append(Line(f"Export {which} again, for the phone numbers: {names}", f"{told}otherwise. Do not open the new file in one."))
    ages = export_ages(found)
    if ages and max(ages.values()) > FRESH_DAYS:
        told = f"Yours are {Count(max(ages.values())):day} old. What changed since is picked up then."
        lines.append(Line(f"Export {'everything' if len(ages) > 1 else plain(next(iter(ages)))} again just before the last load", told))
    return lines


def _objects(rows: list[Mapping[str, Any]]) -> list[str]:
    return [one["object"] for one in rows]


def _paused(found: Discovery) -> list[Line]:
    system, back = title(found.destination), "Somebody must switch them on again after the load."
    if needs_signature(found):
        told = f"They could write to your customers. Tell us who paused what, and when; we note it here. {back}"
        return [Line(f"Pause the automations in {system}, and sign for it", told, is_must=True)]
    if found.automations_signed:
        signed = found.automations_signed
        told = f"{signed['by']} signed for the pause on {day(signed['at'])}."
        return [Line(f"Switch the automations in {system} on again after the load", told)]
    return []


def _to_export(found: Discovery, *, is_required: bool) -> list[Line]:
    absent = [plain(item.object) for item in found.checklist if not item.is_there and item.is_required == is_required]
    told = "Nothing can start before." if is_required else "If you have them."
    return (
        [Line(f"Export {', '.join(absent)}", f"{told} Where to find them is told under “Exports”.", is_must=is_required)] if absent else []
    )


def _engineers(found: Discovery) -> list[Line]:
    hours = f"About {Count(ceil(sum(one.hours for one in found.grades))):hour} of work"
    open_topics = len(read_rules()["topics"]) - len(found.grades)
    told = f"{hours}, all topics together." if not open_topics else f"{hours} at least; {Count(open_topics):topic} cannot be told yet."
    lines = [Line("Finish the map and prepare the destination", told)]
    lost = sum(one["rows"] for one in found.broken if next_is_export(one["reason"]))
    bad = sum(file.bad_rows for file in found.files) - lost
    if bad > 0:
        lines.append(Line(f"Correct {Count(bad):row that cannot be read}", "Together with you: the lines come back as a file."))
    return lines + [line for line, is_ours in _findings(found) if is_ours]


def _findings(found: Discovery) -> list[tuple[Line, bool]]:
    """Return what is to be done at the destination, and whether the engineer has to: where one of our files or options is named."""
    rows = [one for one in found.inspection.get("findings", ()) if one["level"] in ("blocker", "warning") and one["todo"]]
    told = ("automations", "seats") if short_of(found) else ("automations",)
    named = [(one, any(word in one["todo"] for word in OURS)) for one in rows if one["topic"] not in told]
    return [(Line(one["todo"], one["told"], is_must=one["level"] == "blocker"), is_ours) for one, is_ours in named]

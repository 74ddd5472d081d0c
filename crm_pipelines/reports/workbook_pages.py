"""The sheets that are only read: how to fill in the workbook, what is mapped already, what stays behind.

Belongs here: text and findings. Not here: rows with answers (workbook_rows).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from crm_pipelines.reports.sheets import STATE, Cell, Scalar, Sheet, State
from crm_pipelines.reports.workbook_layout import (
    ABOUT,
    ANSWER,
    COLUMNS,
    EMPTY,
    INTRO,
    LEFT,
    MAPPED,
    OWNERS,
    QUESTIONS,
    READ_ONLY,
    START,
    TEXT_COLUMNS,
    WORDS,
)
from crm_pipelines.reports.workbook_material import Material
from crm_pipelines.reports.workbook_words import typed

_Values = Mapping[str, Scalar | Cell]
_STEPS = (
    "Go through the sheets from left to right. Every sheet says at the top what it asks.",
    "Cells with a thick blue frame take your answer; most of them have a list. All other cells are locked.",
    "Yellow needs your answer. Blue is our proposal: leave it if it is right; it counts as your answer when you send the workbook back.",
    "Pale violet may stay empty. Whatever you fill in or change turns green.",
    "Save the file under its name (.xlsx) and send it back by the day that the scope names. Half filled in will do; the rest stays open.",
    "Please do not rename sheets or headings and do not write formulas. If something does not fit, write to us instead.",
)


def start_sheet(material: Material, sheets: Sequence[Sheet], warning: str = "") -> Sheet:
    """Return the first page: what this is, how to fill it in, what is open, what to beware of, what the colours mean."""
    beware: list[_Values] = [{"what": "Too many fields", "told": Cell(warning, state="open")}] if warning else []
    rows: list[_Values] = [
        {"what": f"Your migration: {material.proposed.engagement}", STATE: "title"},
        {
            "what": "What this is",
            "told": "Everything that only you can decide before your records move. Nothing moves because of this file alone.",
        },
        *({"what": f"Step {number}", "told": step} for number, step in enumerate(_STEPS, 1)),
        {},
        {"what": "Sheet", "told": "What it asks", "open": "Open when this was made (does not count down)", STATE: "head"},
        *(_progress(sheet, material) for sheet in sheets),
        *beware,
        {},
        {"what": "Colour", "told": "What it means", STATE: "head"},
        {
            "what": Cell("yellow", state="open"),
            "told": "Needs your answer. On the sheet Owners, an empty cell leaves it to your answer on the sheet Questions.",
        },
        {"what": Cell("blue", state="proposed"), "told": "Our proposal: counts as your answer if you leave it."},
        {
            "what": Cell("pale violet", state="may"),
            "told": "You may answer if you like; empty is an answer, too. Each sheet says at the top what it means.",
        },
        {"what": Cell("green", state="done"), "told": "Filled in by you, or decided before; you may change it."},
        {"what": "white, grey or sand", "told": "To read. Sand and white only hold the lines of a group together."},
    ]
    return Sheet(START, TEXT_COLUMNS, rows, has_headings=False)


def _progress(sheet: Sheet, material: Material) -> _Values:
    key = ANSWER.get(sheet.name)
    states = Counter(cell.state for row in sheet.rows if key and isinstance(cell := row.get(key), Cell))
    told = ABOUT[sheet.name]
    count = f"{len(sheet.rows):,} line{'s' if len(sheet.rows) != 1 else ''}"
    waiting = _waiting(sheet.name, states["open"], states["proposed"], material) if key else "to read"
    state: State = "open" if states["open"] else "proposed" if states["proposed"] else ""
    return {"what": sheet.name, "told": f"{told} ({count})", "open": Cell(waiting, state=state)}


def _waiting(name: str, is_open: int, proposed: int, material: Material) -> str:
    """Return what a sheet waits for, in the numbers and words of the scope document."""
    if name == QUESTIONS:
        return _some(is_open, "question only you can answer", "questions only you can answer") if is_open else "nothing you must answer"
    if name == OWNERS and is_open:
        return _some(is_open, "team member without a user", "team members without a user")
    if name == COLUMNS and is_open + proposed:
        places = sum(each.state == "waiting" and each.filled > 0 for each in material.columns)
        found = _some(places, "column without a place", "columns without a place")
        empty = _some(rest, "empty one", "empty ones") if (rest := is_open + proposed - places) > 0 else ""
        return f"{found}{' and ' if empty else ''}{empty}: {proposed:,} proposed, {is_open:,} to choose"
    if name == WORDS and is_open + proposed:
        return f"{_some(is_open + proposed, 'word', 'words')}: {proposed:,} proposed, {is_open:,} to choose"
    return "nothing you must answer"


def _some(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def reading_sheets(material: Material) -> list[Sheet]:
    """Return the sheets to read that have something to say."""
    rows = {MAPPED: _mapped(material), EMPTY: _empty(material), LEFT: _left(material)}
    return [Sheet(name, columns, rows[name], intro=INTRO[name]) for name, columns in READ_ONLY.items() if rows[name]]


def _mapped(material: Material) -> list[_Values]:
    return [
        {
            "object": each.object,
            "heading": each.heading,
            "filled": f"{each.filled / each.rows:.0%}" if each.rows else "",
            "examples": ", ".join(each.options[:4] or each.examples[:1]),
            "why": each.why,
        }
        for each in material.columns
        if each.state in ("mapped", "custom field")
    ]


def _empty(material: Material) -> list[_Values]:
    rows: list[_Values] = []
    for each in material.proposed.empty_fields:
        told = "\n".join(f"{heading} ({name}), {share:.0%}" for name, heading, share in each.candidates[:3])
        target = each.target
        name = target.label or target.name
        rows.append({"phase": target.phase.replace("_", " "), "field": name, "type": typed(target.type), "candidates": told})
    return rows


def _left(material: Material) -> list[_Values]:
    gaps = [{"what": each.get("what", ""), "why": each.get("why", ""), "instead": each.get("instead", "")} for each in material.gaps]
    history = [
        {"what": each.kind.replace("_", " "), "why": each.told, "instead": "The tags arrive." if each.tags else ""}
        for each in material.history
    ]
    columns = [
        {"what": each.heading, "where": each.object, "why": each.why}
        for each in material.columns
        if each.state == "ignored" and each.filled
    ]
    return [*gaps, *history, *columns]

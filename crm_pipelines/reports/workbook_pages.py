"""The sheets that are only read: how to fill in the workbook, what is mapped already, what stays behind.

Belongs here: text and findings. Not here: rows with answers (workbook_rows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_pipelines.reports.sheets import STATE, Cell, Scalar, Sheet
from crm_pipelines.reports.workbook_layout import ABOUT, ANSWER, EMPTY, INTRO, LEFT, MAPPED, READ_ONLY, START, TEXT_COLUMNS
from crm_pipelines.reports.workbook_material import Material

_Values = Mapping[str, Scalar | Cell]
_STEPS = (
    "Go through the sheets from left to right. Every sheet says at the top what it asks.",
    "Click a coloured cell and choose from its list. All other cells are locked.",
    "Yellow is open: we need your answer. It turns white as soon as you have chosen.",
    "Blue is our proposal. Leave it if it is right; it counts as your answer when you send the workbook back.",
    "Save the file under its name (.xlsx) and send it back. You may send it half filled in; what is open stays open.",
    "Please do not rename sheets or headings and do not write formulas. If something does not fit, write to us instead.",
)


def start_sheet(material: Material, sheets: Sequence[Sheet]) -> Sheet:
    """Return the first page: what this is, how to fill it in, what is open, what the colours mean."""
    rows: list[_Values] = [
        {"what": f"Your migration: {material.proposed.engagement}", STATE: "title"},
        {
            "what": "What this is",
            "told": "Everything that only you can decide before your records move. Nothing moves because of this file alone.",
        },
        *({"what": f"Step {number}", "told": step} for number, step in enumerate(_STEPS, 1)),
        {},
        {"what": "Sheet", "told": "What it asks", "open": "Still open", STATE: "head"},
        *(_progress(sheet) for sheet in sheets),
        {},
        {"what": "Colour", "told": "What it means", STATE: "head"},
        {"what": Cell("yellow", state="open", editable=False), "told": "Open: needs your answer."},
        {"what": Cell("blue", state="proposed"), "told": "Proposed: counts as your answer if you leave it."},
        {"what": Cell("green", state="done"), "told": "Decided before; you may change it."},
        {"what": "white", "told": "Nothing to do, or you may answer if you like."},
    ]
    return Sheet(START, TEXT_COLUMNS, rows, has_headings=False)


def _progress(sheet: Sheet) -> _Values:
    key = ANSWER.get(sheet.name)
    is_open = sum(1 for row in sheet.rows if key and isinstance(cell := row.get(key), Cell) and cell.state == "open" and not cell.value)
    told = ABOUT[sheet.name]
    count = f"{len(sheet.rows):,} line{'s' if len(sheet.rows) != 1 else ''}"
    return {
        "what": sheet.name,
        "told": f"{told} ({count})",
        "open": Cell(f"{is_open:,}" if key else "to read", state="open" if is_open else ""),
    }


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
        rows.append({"phase": target.phase, "field": target.label or target.name, "type": target.type, "candidates": told})
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

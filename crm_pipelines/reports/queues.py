"""Queues as files that people work: one CSV and one workbook per queue, written so that they can be given back.

Belongs here: columns, headings, files and their reading. Not here: what waits (phases.queues), whether an answer fits
(phases.queues_answers), how a sheet is written (reports.sheets).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.phases.queues import CONFLICT, DECISION, DUPLICATE, EDITED, INVITED, OWNER, QUEUES, OwnerLine, RowLine, Tables
from crm_pipelines.phases.queues_answers import CELL, LEAVE, ROW, Returned
from crm_pipelines.phases.queues_conflicts import LEFT as LEFT_OF_OTHERS
from crm_pipelines.phases.queues_conflicts import ConflictLine, shown
from crm_pipelines.phases.reconcile import export_row, sheet_row
from crm_pipelines.reports.reasons import next_step, sentence
from crm_pipelines.reports.sheets import STATE, Cell, Column, Limits, Row, Sheet, State, read_book, read_csv, write_book, write_csv
from crm_pipelines.reports.sheets_values import Scalar

ASKED: State = "open"
BOOK_ROWS = 20_000
"""Longer queues come as CSV only: nobody works them row by row, and a workbook takes a second per thousand rows."""
LIMITS = Limits(columns=1_000)
OWN = (
    Column("engagement", "Engagement", is_hidden=True),
    Column("queue", "Queue", 12, is_hidden=True),
)
SHEET_ROW = "sheet_row"
COUNTED = Column(ROW, "Export row", is_required=False)
"""Files of an earlier version count the rows of an export without its heading; they are taken still."""
PLACE = (
    Column("object", "Export", 14),
    Column("file", "Export file", 28),
    Column("chunk", "Chunk", is_hidden=True),
    Column(SHEET_ROW, "Row in a spreadsheet", 10, note="Where the export shows it, opened in a spreadsheet."),
    Column("key", "Source record", 14, is_required=False),
    Column("why", "Why it waits", 40, is_required=False),
    Column("what_to_do", "What to do", 40, is_required=False),
)
LEAVING = Column(
    LEAVE,
    "Leave behind, because",
    30,
    editable=True,
    is_required=False,
    note="Say why, and this row does not move, nor what hangs on it; it is counted as excluded, with your words.",
)
EDITING = (
    Column(
        "belongs_to",
        "Belongs to sale",
        30,
        editable=True,
        is_required=False,
        note="Number of the sale that was paid back; choose or write it.",
    ),
    Column("candidates", "Sales it may belong to", 44, is_required=False),
    Column("raw_line", "Line as it stands", 30, is_required=False, note="Shown where the line could not be read."),
)
OWNERS = (
    Column("owner", "Owner in the export", 32),
    Column("rows", "Rows that wait", 26, is_required=False),
    Column("records", "Records that wait", 12, is_number=True, is_required=False),
    Column("money", "Money that waits", 20, is_required=False),
    Column("suggested", "Suggested user", 32, is_required=False),
    Column("user", "User who takes over", 32, editable=True, note=f"E-mail address of a user, or: {INVITED} (the owner is a user now)."),
    Column("what_to_do", "What to do", 44, is_required=False),
)
WORDS = (
    Column("column", "Column of the export", 30),
    Column("word", "Word", 28),
    Column("rows", "Rows", 10, is_number=True, is_required=False),
    Column("meaning", "Means", 28, editable=True, note="The word that it stands for."),
    Column("what_to_do", "What to do", 44, is_required=False),
)
PAIRS = (
    Column("object", "Export", 14),
    Column("key_a", "First record", 14),
    Column("key_b", "Second record", 14),
    Column("score", "How alike", 10, is_number=True, is_required=False),
    Column("why", "Why", 40, is_required=False),
    Column(
        "answer", "Same or different", 16, editable=True, choices=("same", "different"), note="The first record of the same two survives."
    ),
)
LEFT = (
    Column("phase", "Kind of record", 18),
    Column("key", "Source record", 14),
    Column("destination_id", "Number in the CRM", 18),
    Column("into", "Record that stayed", 18),
    Column("why", "Why", 50),
    Column("what_to_do", "What to do", 50),
)
LEFT_SHEET = "left over"
CONFLICTS = (
    Column("phase", "Kind of record", 18),
    Column("key", "Source record", 14),
    Column("destination_id", "Number in the CRM", 18, is_required=False),
    Column("field", "Field", 24),
    Column("export_value", "What the export says (ours)", 36, is_required=False),
    Column("there_value", "What the CRM has (theirs)", 36, is_required=False),
    Column("why", "Why", 44, is_required=False),
    Column("take", "Which counts", 16, editable=True, note="ours: the export's value is written. theirs: what the CRM has stays."),
    Column("asked", "Asked", is_hidden=True),
)
SIDES_SHEET = "which counts"
HOW = "Fill in the cells that are not grey, save the file, and send it back to whoever runs the migration. Only what you answer moves."
CELLS_BESIDE = " The cells of the export stand to the right of the answers; they are not printed."
SHOWN = "Shown only: what to do stands beside each row."
LISTED = "rows of {}"
LISTED_ROWS = 2_000
"""Rows that wait for an owner or a word are listed in the workbook up to here, to be left behind one by one; more would take its time."""


def write_queues(tables: Tables, folder: Path, memory: Path, *, is_look: bool = False) -> dict[str, list[Path]]:
    """Write the files of every queue that is not empty and take away those of the others; return where they lie. Mode 0600.

    A file that somebody filled in since it was written is kept beside the new one (`review.answered-1.xlsx`); by a mere look (`is_look`)
    its queue is left as it is. `memory` is the file that remembers what was written.
    """
    known: dict[str, str] = orjson.loads(memory.read_bytes()) if memory.exists() else {}
    sheets = {queue: list(sheets_of(tables, queue)) for queue in QUEUES}
    written: dict[str, list[Path]] = {}
    worked: dict[str, list[Path]] = {}
    for queue, own in sheets.items():
        paths = [folder / f"{queue}.csv", folder / f"{queue}.xlsx"]
        if is_look and any(_is_filled_in(path, known.get(path.name)) for path in paths):
            worked[queue] = [path for path in paths if path.is_file()]
            continue
        for path in paths:
            _set_aside(path, known.get(path.name))
            path.unlink(missing_ok=True)
        if own:
            written[queue] = _write(tables, queue, own, *paths)
    digests = {path.name: known[path.name] for paths in worked.values() for path in paths if path.name in known}
    digests |= {path.name: _digest(path) for paths in written.values() for path in paths}
    write_bytes(memory, orjson.dumps(digests, option=orjson.OPT_INDENT_2))
    return {**written, **worked}


def forget_files(paths: Iterable[Path], memory: Path) -> None:
    """Remember files as taken, so that what was filled in is not set aside a second time."""
    known: dict[str, str] = orjson.loads(memory.read_bytes()) if memory.exists() else {}
    taken = {path.name: _digest(path) for path in paths}
    write_bytes(memory, orjson.dumps({**known, **taken}, option=orjson.OPT_INDENT_2))


def read_answers(path: Path, headings: Mapping[str, Sequence[str]], tables: Tables) -> list[Returned]:
    """Read a file that came back. `headings` are the export's own, by object.

    Raises: SheetError with every problem of the file, formulas and unknown sheets among them.
    """
    if path.suffix.casefold() != ".xlsx":
        queue = _queue_of(path)
        return [_returned(path, row, "") for row in read_csv(path, path.name, _csv_columns(queue, headings, tables), LIMITS)]
    columns: dict[str, Sequence[Column]] = {name: [*row_columns([*own]), COUNTED] for name, own in headings.items()}
    columns |= {OWNER: (*OWN, *OWNERS), DECISION: (*OWN, *WORDS), DUPLICATE: (*OWN, *PAIRS, *_pair_columns(tables))}
    columns |= {SIDES_SHEET: (*OWN, *CONFLICTS), **{LISTED.format(name): [*row_columns((), is_edited=False), COUNTED] for name in headings}}
    found = read_book(path, columns, LIMITS, optional=tuple(columns), others_ok=(LEFT_SHEET,))
    return [_returned(path, row, sheet) for sheet, rows in found.items() for row in rows]


def sheets_of(tables: Tables, queue: str) -> Iterator[Sheet]:
    """Yield the sheets of one queue: one per export where it holds rows of exports; none when it is empty."""
    if queue == OWNER and tables.owners:
        yield Sheet(queue, (*OWN, *OWNERS), [_owner_row(tables, queue, line) for line in tables.owners], HOW)
    elif queue == DECISION and tables.words:
        yield Sheet(queue, (*OWN, *WORDS), list(_word_rows(tables)), HOW)
    elif queue == DUPLICATE and tables.pairs:
        yield Sheet(queue, (*OWN, *PAIRS, *_pair_columns(tables)), list(_pair_rows(tables)), HOW)
    lines = _listed(tables, queue)
    for name in dict.fromkeys(line.object for line in lines):
        yield _row_sheet(tables, name, [line for line in lines if line.object == name], is_edited=queue in EDITED)
    if queue == CONFLICT and tables.conflicts:
        yield Sheet(SIDES_SHEET, (*OWN, *CONFLICTS), [_conflict_row(tables, line) for line in tables.conflicts], HOW)
    if queue == CONFLICT and tables.left:
        yield Sheet(LEFT_SHEET, (*OWN, *LEFT), list(_left_rows(tables)), SHOWN)


def _listed(tables: Tables, queue: str) -> list[RowLine]:
    """Return the rows of exports that a queue shows one by one; those whose fields are asked about stand on a sheet of their own."""
    asked = {line.key for line in tables.conflicts} if queue == CONFLICT else set()
    lines = [line for line in tables.of(queue) if line.key not in asked or line.key is None]
    return [] if queue in (OWNER, DECISION) and len(lines) > LISTED_ROWS else lines


def row_columns(headings: Iterable[str], *, is_edited: bool = True) -> list[Column]:
    """Return the columns of rows of exports: where a row stands and why it waits, then its own cells under the export's headings."""
    control = (*OWN, *PLACE, LEAVING, *(EDITING if is_edited else ()))
    taken = {word.casefold() for column in (*OWN, *PLACE, COUNTED, LEAVING, *EDITING) for word in (column.key, column.title)}
    named: dict[str, str] = {}
    for heading in headings:
        folded = heading.casefold()
        named.setdefault(folded, f"{heading} (export)" if folded in taken else heading)
    cells = (Column(f"{CELL}{folded}", title, 20, editable=True, is_required=False, is_aside=True) for folded, title in named.items())
    return [*control, *cells]


def _row_sheet(tables: Tables, name: str, lines: Sequence[RowLine], *, is_edited: bool) -> Sheet:
    headings = dict.fromkeys(heading for line in lines for heading in line.headings)
    title = name if is_edited else LISTED.format(name)  # without the export's own cells: a sheet of another shape
    return Sheet(title, row_columns(headings, is_edited=is_edited), [_row(tables, line) for line in lines], HOW + CELLS_BESIDE * is_edited)


def _row(tables: Tables, line: RowLine) -> dict[str, Scalar | Cell]:
    own: dict[str, Scalar | Cell] = {
        "engagement": tables.engagement,
        "queue": line.queue,
        "object": line.object,
        "file": line.file,
        "chunk": line.chunk,
        SHEET_ROW: str(sheet_row(line.row)),
        "key": line.key or "",
        "why": sentence(line.reason),
        "what_to_do": next_step(line.reason),
        LEAVE: Cell("", state=""),
        "candidates": "\n".join(line.candidates),
        "belongs_to": Cell(
            "", choices=line.candidates, state=ASKED if line.takes_parent else None, editable=line.takes_parent, is_strict=False
        ),
        "raw_line": line.raw,
        STATE: "fixed",
    }
    for heading, value in zip(line.headings, line.cells, strict=True):
        is_fixed = line.key is not None and heading == line.key_heading
        own[f"{CELL}{heading.casefold()}"] = Cell(value, editable=False) if is_fixed else Cell(value, state="")
    return own


def _owner_row(tables: Tables, queue: str, line: OwnerLine) -> dict[str, Scalar | Cell]:
    return {
        "engagement": tables.engagement,
        "queue": queue,
        "owner": line.owner,
        "rows": "; ".join(f"{name}: {count}" for name, count in line.rows.items()),
        "records": line.records,
        "money": line.money,
        "suggested": line.suggested,
        "user": Cell("", choices=(INVITED, *tables.users), state=ASKED, is_strict=False),
        "what_to_do": next_step("no_user"),
        STATE: "fixed",
    }


def _word_rows(tables: Tables) -> Iterator[dict[str, Scalar | Cell]]:
    for word in tables.words:
        own: dict[str, Scalar | Cell] = {"engagement": tables.engagement, "queue": DECISION, "column": word.column, "word": word.word}
        yield {
            **own,
            "rows": word.rows,
            "meaning": Cell("", choices=word.choices, state=ASKED),
            "what_to_do": next_step("unknown_option"),
            STATE: "fixed",
        }


def _pair_rows(tables: Tables) -> Iterator[dict[str, Scalar | Cell]]:
    for pair in tables.pairs:
        own: dict[str, Scalar | Cell] = {"engagement": tables.engagement, "queue": DUPLICATE, "object": pair.object}
        own |= {
            "key_a": pair.key_a,
            "key_b": pair.key_b,
            "score": round(pair.score, 2),
            "why": pair.why,
            "answer": Cell("", state=ASKED),
            STATE: "fixed",
        }
        for name, (first, second) in pair.cells.items():
            own |= {f"a:{name.casefold()}": first, f"b:{name.casefold()}": second}
        yield own


def _conflict_row(tables: Tables, line: ConflictLine) -> dict[str, Scalar | Cell]:
    question = line.question
    own: dict[str, Scalar | Cell] = {"engagement": tables.engagement, "queue": CONFLICT, "phase": line.phase, "key": line.key}
    is_left = question.kind == LEFT_OF_OTHERS
    return {
        **own,
        "destination_id": line.destination_id,
        "field": question.field,
        "export_value": "(nothing: it is the other person's)" if is_left else shown(question.export),
        "there_value": shown(question.there),
        "why": sentence(question.kind),
        "take": Cell("", choices=question.sides, state=ASKED),
        "asked": question.stamp,
        STATE: "fixed",
    }


def _left_rows(tables: Tables) -> Iterator[dict[str, Scalar | Cell]]:
    for each in tables.left:
        own: dict[str, Scalar | Cell] = {"engagement": tables.engagement, "queue": CONFLICT, "phase": each.phase, "key": each.key}
        texts = {"why": sentence(each.reason), "what_to_do": next_step(each.reason)}
        yield {**own, "destination_id": each.destination_id, "into": each.into, **texts, STATE: "fixed"}


def _pair_columns(tables: Tables) -> list[Column]:
    names = dict.fromkeys(name for pair in tables.pairs for name in pair.cells)
    return [
        Column(f"{side}:{name.casefold()}", f"{name} ({place})", 22, is_required=False)
        for name in names
        for side, place in (("a", "first"), ("b", "second"))
    ]


def _write(tables: Tables, queue: str, sheets: Sequence[Sheet], csv: Path, book: Path) -> list[Path]:
    table = sheets[:1] if queue == sheets[0].name else sheets  # owners and words; their rows are in the workbook alone
    rows = [row for sheet in table for row in sheet.rows]
    columns: dict[str, Column] = {}
    for column in (column for sheet in table for column in sheet.columns):
        columns.setdefault(column.key, column)
    out = [write_csv(csv, Sheet(queue, list(columns.values()), rows))]
    if len(rows) <= BOOK_ROWS:
        out.append(write_book(book, sheets, f"{tables.engagement}: {queue}"))
    return out


def _csv_columns(queue: str, headings: Mapping[str, Sequence[str]], tables: Tables) -> Sequence[Column]:
    if queue == OWNER:
        return (*OWN, *OWNERS)
    if queue == DUPLICATE:
        return (*OWN, *PAIRS, *_pair_columns(tables))
    if queue == DECISION and tables.words:
        return (*OWN, *WORDS)
    if queue == CONFLICT:  # one table of all its sheets: no row fills every column
        every = (*row_columns(()), COUNTED, *LEFT, *CONFLICTS)
        return list(dict.fromkeys(replace(column, is_required=False) for column in every))
    return [*row_columns(heading for own in headings.values() for heading in own), COUNTED]


def _queue_of(path: Path) -> str:
    """Tell the queue of a CSV from its heading line; empty for rows of exports, and for what is no file."""
    head = ""
    if path.is_file():
        with path.open("rb") as file:
            head = file.readline(4096).decode("utf-8-sig", "replace").casefold()
    marks = {OWNERS[0].title: OWNER, WORDS[0].title: DECISION, PAIRS[1].title: DUPLICATE, LEFT[0].title: CONFLICT}
    return next((queue for title, queue in marks.items() if title.casefold() in head), "")


def _returned(path: Path, row: Row, sheet: str) -> Returned:
    cut = [key for key in row.cells if row.is_cut(key)]
    places = {key: found.address for key, found in row.cells.items()}
    cells = {key: row.text(key) for key in row.cells}
    if not cells.get(ROW) and cells.get(SHEET_ROW, "").isdecimal():
        cells[ROW], places[ROW] = str(export_row(int(cells[SHEET_ROW]))), places[SHEET_ROW]
    return Returned(path.name, sheet, row.number, cells, places, cut)


def _set_aside(path: Path, written: str | None) -> None:
    """Keep a file that somebody filled in since we wrote it, or may have."""
    if not _is_filled_in(path, written):
        return
    number = 1
    while (kept := path.with_name(f"{path.stem}.answered-{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)


def _is_filled_in(path: Path, written: str | None) -> bool:
    """Whether somebody may have worked in a file; one that nobody remembers writing is treated as theirs."""
    return path.is_file() and (written is None or _digest(path) != written)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

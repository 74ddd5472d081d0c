"""The workbook: everything that a client decides, as one file to fill in; and back into answers and a client map.

Belongs here: the file as a whole. Not here: tables as such (sheets), rows (workbook_rows, workbook_pages), the meaning of what came back
(workbook_answers, workbook_merge, workbook_twins), the same for engineers (phases.client: decisions.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from crm_pipelines.reports.sheets import Cell, CellProblem, Limits, Scalar, Sheet, SheetError, read_book, write_book
from crm_pipelines.reports.workbook_answers import Reader
from crm_pipelines.reports.workbook_layout import (
    ANSWER,
    COLUMNS,
    DUPLICATES,
    IDS,
    INTRO,
    LAYOUT,
    LEAVE_OUT,
    MADE,
    MADE_COLUMNS,
    OWNERS,
    QUESTIONS,
    READ_ONLY,
    START,
    TAGS,
    VERSION,
    WORDS,
)
from crm_pipelines.reports.workbook_material import Made, Material
from crm_pipelines.reports.workbook_merge import Merge
from crm_pipelines.reports.workbook_pages import reading_sheets, start_sheet
from crm_pipelines.reports.workbook_picks import Picks
from crm_pipelines.reports.workbook_rows import (
    Values,
    column_rows,
    duplicate_rows,
    leave_out_rows,
    owner_rows,
    question_rows,
    readings,
    tag_rows,
    word_rows,
)
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.contract import DestinationContract
from crm_pipelines.spec.model import MappingSpec

__all__ = ["Material", "read_workbook", "write_workbook"]

_ALWAYS = (QUESTIONS, COLUMNS)


def write_workbook(path: Path, material: Material) -> Path:
    """Write the workbook that a client fills in, in one step, readable by its owner only.

    Shape: sheets of `workbook_layout`; those without rows are left out. Everything that the client map holds has a row.
    """
    picks = Picks(material)
    rows = _rows(material, picks)
    filled_in = [Sheet(name, LAYOUT[name], rows[name], intro=INTRO[name]) for name in LAYOUT if rows[name] or name in _ALWAYS]
    sheets = [*filled_in, *reading_sheets(material)]
    made = _made(material, picks, filled_in)
    return write_book(path, [start_sheet(material, sheets), *sheets, made.as_sheet()], f"Map of {material.proposed.engagement}")


def read_workbook(
    path: Path,
    spec: MappingSpec,
    destination: DestinationContract,
    now: tuple[Mapping[str, str], ClientMap] | None = None,
    *,
    engagement: str = "",
    limits: Limits | None = None,
) -> tuple[dict[str, str], ClientMap]:
    """Return the answers and the client map as they are with the workbook's changes laid over `now`.

    `now` is what decisions.yaml holds at this moment; without it, what it held when the workbook was given out. What the workbook does
    not show, or shows unchanged, stays as it is. A proposal that was left ticked counts as chosen.
    Raises: SheetError with every problem by sheet and cell; nothing was changed.
    """
    made = _read_made(path, engagement, limits)
    shapes = {name: LAYOUT[name] for name in LAYOUT if name in made.rows}
    book = read_book(path, shapes, limits, others_ok=[START, *READ_ONLY])
    problems: list[CellProblem] = []
    said, verdicts = Reader(made, spec, destination, problems).read(book)
    answers, client = now if now is not None else (made.answers, made.client)
    merge = Merge(answers, client, problems)
    merge.take(said, made.answers, made.client)
    merge.judge(verdicts, made.client)
    if problems:
        raise SheetError(path, problems)
    return merge.answers, merge.client


def _rows(material: Material, picks: Picks) -> dict[str, list[Values]]:
    return {
        QUESTIONS: question_rows(material),
        COLUMNS: column_rows(material, picks),
        WORDS: word_rows(material),
        OWNERS: owner_rows(material),
        TAGS: tag_rows(material),
        LEAVE_OUT: leave_out_rows(material),
        DUPLICATES: duplicate_rows(material),
    }


def _made(material: Material, picks: Picks, sheets: Sequence[Sheet]) -> Made:
    return Made(
        version=VERSION,
        engagement=material.proposed.engagement,
        route=material.proposed.route,
        answers=dict(material.answers),
        client=material.client,
        picks=picks.by_label,
        users=tuple(dict.fromkeys([*material.users, *material.client.owners.values()])),
        words=readings(material),
        rows={sheet.name: [_known(sheet, row) for row in sheet.rows] for sheet in sheets},
        ticked={sheet.name: [(*_known(sheet, row), tick) for row in sheet.rows if (tick := _tick(sheet, row))] for sheet in sheets},
    )


def _known(sheet: Sheet, row: Mapping[str, Scalar | Cell]) -> tuple[str, ...]:
    return tuple(_text(row.get(key)) for key in IDS[sheet.name])


def _tick(sheet: Sheet, row: Mapping[str, Scalar | Cell]) -> str:
    cell = row.get(ANSWER[sheet.name])
    return _text(cell) if isinstance(cell, Cell) and cell.state == "proposed" else ""


def _text(value: object) -> str:
    inner = value.value if isinstance(value, Cell) else value
    return "" if inner is None else str(inner)


def _read_made(path: Path, engagement: str, limits: Limits | None) -> Made:
    rows = read_book(path, {MADE: MADE_COLUMNS}, limits, others_ok=None)[MADE]
    try:
        made = Made.of_rows(rows)
    except ValueError as error:
        problem = CellProblem(
            MADE, "", "what the workbook was given out with", "something else", "ask for a new workbook and copy the answers into it"
        )
        raise SheetError(path, [problem]) from error
    if engagement and made.engagement != engagement:
        problem = CellProblem(
            "", "", f"the workbook of {engagement!r}", f"that of {made.engagement!r}", "take the one made for this engagement"
        )
        raise SheetError(path, [problem])
    return made

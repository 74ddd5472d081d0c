"""The workbook: everything that a client decides, as one file to fill in; and back into answers and a client map.

Belongs here: the file as a whole. Not here: tables as such (sheets), rows (workbook_rows, workbook_pages), the meaning of what came back
(workbook_answers, workbook_merge, phases.twin_groups), the same for engineers (phases.client: decisions.yaml).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from crm_pipelines.discovery.proposal import ProposedMap
from crm_pipelines.discovery.values import Discovery
from crm_pipelines.phases.contracts import destination_contract, source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.stale import pinned
from crm_pipelines.reports.sheets import Cell, CellProblem, Limits, Scalar, Sheet, SheetError, first_of, read_book, survey_book, write_book
from crm_pipelines.reports.workbook_answers import Reader, readable
from crm_pipelines.reports.workbook_check import one_record_problems, route_problems
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
from crm_pipelines.reports.workbook_memory import recalled, remember
from crm_pipelines.reports.workbook_merge import Merge
from crm_pipelines.reports.workbook_pages import reading_sheets, start_sheet
from crm_pipelines.reports.workbook_pairs import duplicate_rows
from crm_pipelines.reports.workbook_picks import Picks
from crm_pipelines.reports.workbook_rows import (
    Values,
    column_rows,
    leave_out_rows,
    owner_rows,
    question_rows,
    readings,
    tag_rows,
    word_rows,
)
from crm_pipelines.reports.workbook_words import owner_question
from crm_pipelines.spec.client import Client
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.contract import DestinationContract
from crm_pipelines.spec.model import MappingSpec

__all__ = ["Material", "read_decided", "read_workbook", "remember_workbook", "write_material", "write_workbook"]

Decided = tuple[Mapping[str, str], ClientMap]
"""Answers and client map."""
_ALWAYS = (QUESTIONS, COLUMNS)


def write_workbook(path: Path, proposed: ProposedMap, found: Discovery, project: Project, *, warning: str = "") -> Path:
    """Write the workbook of an engagement, in one step, readable by its owner only; a warning stands on its first page."""
    return write_material(path, Material.of(proposed, found, project), warning)


def read_workbook(path: Path, project: Project, before: Client) -> tuple[dict[str, str], ClientMap]:
    """Return the answers and the client map as they are with the workbook's changes laid over `before`; changes nothing itself.

    What the workbook does not show, or shows unchanged, stays as it is. A proposal that was left ticked counts as chosen. Unchanged means:
    since `remember_workbook` kept what it said, else since it was given out; so a client may change an answer in the same workbook.
    Raises: SheetError with every problem by sheet and cell, those of meaning among them (a field that another column fills).
    """
    destination = destination_contract(project.engagement.destination)
    read = _Reading(path, project.route_spec, destination, project.engagement.name)
    answers, client = read.merged((before.answers, before.map), recalled(project.engagement.work, read.id))
    rows = (read.said, read.verdicts)
    found = route_problems(project.route_spec, source_contract(project.source), destination, client, rows)
    read.require_right([*found, *one_record_problems(project, client, read.verdicts)])
    return answers, pinned(project, client)


def remember_workbook(path: Path, project: Project) -> None:
    """Keep what a workbook says, now that it was taken over: its next words are changes of these.

    Raises: SheetError when it cannot be read.
    """
    read = _Reading(path, project.route_spec, destination_contract(project.engagement.destination), project.engagement.name)
    remember(project.engagement.work, read.id, *read.decided(None))


def write_material(path: Path, material: Material, warning: str = "") -> Path:
    """Write the workbook that a client fills in.

    Shape: sheets of `workbook_layout`; those without rows are left out. Everything that the client map holds has a row.
    """
    picks = Picks(material)
    rows = _rows(material, picks)
    filled_in = [_sheet(name, rows[name], material) for name in LAYOUT if rows[name] or name in _ALWAYS]
    sheets = [*filled_in, *reading_sheets(material)]
    made = _made(material, picks, filled_in)
    return write_book(path, [start_sheet(material, sheets, warning), *sheets, made.as_sheet()], f"Map of {material.proposed.engagement}")


def read_decided(
    path: Path,
    spec: MappingSpec,
    destination: DestinationContract,
    now: Decided | None = None,
    *,
    engagement: str = "",
    limits: Limits | None = None,
) -> tuple[dict[str, str], ClientMap]:
    """Return what is decided as `read_workbook` does, without holding it against what the route can do.

    `now` is what decisions.yaml holds at this moment; without it, what it held when the workbook was given out.
    Raises: SheetError with every problem by sheet and cell.
    """
    return _Reading(path, spec, destination, engagement, limits).decided(now)


class _Reading:
    """One workbook that came back: what its rows say."""

    def __init__(
        self, path: Path, spec: MappingSpec, destination: DestinationContract, engagement: str, limits: Limits | None = None
    ) -> None:
        self._path = path
        self._made = _read_made(path, engagement, limits)
        shapes = {name: LAYOUT[name] for name in LAYOUT if name in self._made.rows}
        self._limit = (limits or Limits()).problems
        book, self._problems = survey_book(path, shapes, limits, others_ok=[START, *READ_ONLY])
        self.said, self.verdicts = Reader(self._made, spec, destination, self._problems).read(readable(book, self._problems))

    @property
    def id(self) -> str:
        return self._made.id

    def decided(self, now: Decided | None, last: Decided | None = None) -> tuple[dict[str, str], ClientMap]:
        """Return what is decided after the workbook. Raises: SheetError with everything that is wrong."""
        answers, client = self.merged(now, last)
        self.require_right()
        return answers, client

    def merged(self, now: Decided | None, last: Decided | None = None) -> tuple[dict[str, str], ClientMap]:
        """Return what is decided after all of the workbook that could be read; problems are collected.

        `last` is what it said when it was last taken over; None for what it was made with.
        """
        made = (self._made.answers, self._made.client)
        alone = Merge(*made, self._problems)
        alone.take(self.said, *made)
        alone.judge(self.verdicts, made[1])
        merge = alone
        if now is not None:
            merge = Merge(*now, self._problems)
            merge.take(self.said, *(last or made))
            merge.judge(self.verdicts, (last or made)[1], alone.client)
        return merge.answers, merge.client

    def require_right(self, more: Sequence[CellProblem] = ()) -> None:
        """Raise SheetError if anything is wrong, sheet by sheet; of `more` what no cell tells that is wrong already."""
        told = {(each.sheet, each.cell) for each in self._problems}
        found = [*self._problems, *(each for each in more if not each.cell or (each.sheet, each.cell) not in told)]
        order = ["", *LAYOUT]
        found.sort(key=lambda each: order.index(each.sheet) if each.sheet in order else len(order))
        if found:
            raise SheetError(self._path, first_of(list(dict.fromkeys(found)), self._limit))


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


def _sheet(name: str, rows: Sequence[Values], material: Material) -> Sheet:
    """Return a sheet to fill in; every cell that takes an answer looks like one."""
    editable = [column.key for column in LAYOUT[name] if column.editable]
    asking = [{**row, **{key: _asking(row.get(key), row.get(ANSWER[name])) for key in editable}} for row in rows]
    return Sheet(name, LAYOUT[name], asking, intro=_intro(name, material))


def _asking(value: Scalar | Cell, answer: Scalar | Cell) -> Cell:
    cell = value if isinstance(value, Cell) else Cell(value)
    state = answer.state if isinstance(answer, Cell) and cell.value not in (None, "") else "may"
    return cell if cell.state else replace(cell, state=state)


def _intro(name: str, material: Material) -> str:
    question = owner_question(material.spec)
    if name != OWNERS:
        return INTRO[name]
    if not question:
        return INTRO[name].partition("\n")[0]
    return INTRO[name].format(number=list(material.spec.decisions).index(question) + 1)


def _made(material: Material, picks: Picks, sheets: Sequence[Sheet]) -> Made:
    return Made(
        version=VERSION,
        id=uuid4().hex,
        engagement=material.proposed.engagement,
        route=material.proposed.route,
        answers=dict(material.answers),
        client=material.client,
        picks=picks.by_label,
        users=tuple(dict.fromkeys([*material.users, *material.client.owners.values()])),
        words=readings(material),
        rows={sheet.name: [_known(sheet, row) for row in sheet.rows] for sheet in sheets},
        ticked={
            sheet.name: [(*_known(sheet, row), *_cells(sheet, row)) for row in sheet.rows if _is_ticked(sheet, row)] for sheet in sheets
        },
    )


def _known(sheet: Sheet, row: Mapping[str, Scalar | Cell]) -> tuple[str, ...]:
    return tuple(_text(row.get(key)) for key in IDS[sheet.name])


def _cells(sheet: Sheet, row: Mapping[str, Scalar | Cell]) -> list[str]:
    return [_text(row.get(column.key)) for column in sheet.columns if column.editable]


def _is_ticked(sheet: Sheet, row: Mapping[str, Scalar | Cell]) -> bool:
    cell = row.get(ANSWER[sheet.name])
    return isinstance(cell, Cell) and cell.state == "proposed" and bool(cell.value)


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

"""What a client wrote into the workbook, row by row, as decisions; and what is wrong with it, cell by cell.

Belongs here: rows -> decisions. Not here: files (sheets_read), laying decisions over those of others (workbook_merge).

A decision has a path: ("answers", name), ("columns", object, heading), ("values", object.column, word), ("owners", owner),
("tags", object.column, tag), ("leave_out", object, kind). Its value is `None` while it is open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipelines.phases.twin_groups import Verdict
from crm_pipelines.reports.sheets import CellProblem, Row, one_of
from crm_pipelines.reports.workbook_layout import (
    ANSWER,
    BEHIND,
    COLUMNS,
    DROP,
    DUPLICATES,
    IDS,
    KEEP,
    LAYOUT,
    LEAVE_OUT,
    OWNERS,
    QUESTIONS,
    REASON_CHARS,
    RENAME,
    STAY,
    TAGS,
    WORDS,
    option_of,
    spoken,
)
from crm_pipelines.reports.workbook_material import Made, Pick
from crm_pipelines.spec.client import ADDRESS
from crm_pipelines.spec.client_map import ColumnChoice
from crm_pipelines.spec.contract import DestinationContract
from crm_pipelines.spec.model import MappingSpec

Path = tuple[str, ...]
CELL = re.compile(r"[A-Z]+(\d+)")
LEFT_OUT = "left out"
"""Value of a tag that is left out, and of a kind of records that is."""


@dataclass(frozen=True)
class Said:
    """One decision as a row says it."""

    path: Path
    value: Any
    """None while it is open."""
    sheet: str
    place: str
    is_tick: bool = False
    """Whether it is our proposal, left as it was."""


def readable(book: Mapping[str, Sequence[Row]], problems: Sequence[CellProblem]) -> dict[str, list[Row]]:
    """Return the rows whose meaning can be asked for: of a sheet whose columns are in doubt none, else those without a broken cell."""
    found: dict[str, list[Row]] = {}
    for name, rows in book.items():
        broken = {each.cell for each in problems if each.sheet == name}
        first = min((row.number for row in rows), default=0)
        if all((cell := CELL.fullmatch(each)) and int(cell[1]) >= first for each in broken):
            found[name] = [row for row in rows if broken.isdisjoint(each.address for each in row.cells.values())]
    return found


@dataclass
class Reader:
    """The rows of a workbook on their way to decisions."""

    made: Made
    spec: MappingSpec
    destination: DestinationContract
    problems: list[CellProblem]
    _ticked: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)

    def read(self, book: Mapping[str, Sequence[Row]]) -> tuple[list[Said], list[Verdict]]:
        """Return what every known row says; problems are collected."""
        readers: Mapping[str, Callable[[Row], Said | None]] = {
            QUESTIONS: self._question,
            COLUMNS: self._column,
            WORDS: self._word,
            OWNERS: self._owner,
            TAGS: self._tag,
            LEAVE_OUT: self._leave_out,
        }
        self._ticked = {name: set(map(tuple, rows)) for name, rows in self.made.ticked.items()}
        said = [one for name, read in readers.items() for row in self._known(name, book.get(name, ())) if (one := read(row)) is not None]
        self._check_targets(said)
        return said, [self._verdict(row) for row in self._known(DUPLICATES, book.get(DUPLICATES, ()))]

    def _known(self, name: str, rows: Iterable[Row]) -> Iterable[Row]:
        """Yield the rows that the workbook was given out with; others are problems."""
        given, seen = {tuple(known) for known in self.made.rows.get(name, ())}, set()
        for row in rows:
            known = tuple(row.text(key) for key in IDS[name])
            if known not in given:
                self._wrong(
                    row, IDS[name][-1], "a row as it was given out", "leave the locked cells as they were, and add no rows", "another one"
                )
            elif known in seen:
                self._wrong(row, IDS[name][-1], "each row once", "delete one of the two rows", "the same row a second time")
            else:
                seen.add(known)
                yield row

    def _question(self, row: Row) -> Said | None:
        name = row.text("name")
        decision = self.spec.decisions.get(name)
        if decision is None:
            self._wrong(row, "name", "a question of this route", "ask for a new workbook: the questions have changed", "another one")
            return None
        answer = row.text("answer").strip()
        if answer and decision.options:
            option = option_of(decision.options, answer)
            if option is None:
                self._wrong(
                    row,
                    "answer",
                    one_of(list(spoken(tuple(decision.options)).values())),
                    "choose one from the list of the cell",
                    "another text",
                )
            return self._said(row, QUESTIONS, ("answers", name), option)
        if answer and not ADDRESS.fullmatch(answer):
            self._wrong(row, "answer", "an e-mail address", "write it as name@example.com", "another text")
        return self._said(row, QUESTIONS, ("answers", name), answer or None)

    def _column(self, row: Row) -> Said | None:
        label, path = row.text("choice"), ("columns", row.text("object"), row.text("heading"))
        name, reason = row.text("name"), row.text("reason")
        pick = self.made.picks.get(label) or self.made.picks.get(label.strip())
        if not label.strip():
            if name.strip() or reason.strip():
                self._wrong(row, "choice", "a choice, since the row says more", "choose one from the list of the cell", "nothing")
            return self._said(row, COLUMNS, path, None)
        if pick is None:
            self._wrong(row, "choice", "one of the options in the list of the cell", "choose one from the list", "another text")
            return None
        if not self._is_whole(row, pick, name, reason):
            return None
        return self._said(row, COLUMNS, path, pick.choice(name if name.strip() else path[2], reason))

    def _is_whole(self, row: Row, pick: Pick, name: str, reason: str) -> bool:
        if not pick.phase and len(reason) < REASON_CHARS:
            self._wrong(
                row, "reason", f"a reason of {REASON_CHARS} characters or more", "say why the column stays behind", self._length(reason)
            )
        elif pick.phase and reason.strip():
            self._wrong(
                row, "reason", f"nothing, unless {BEHIND!r} is chosen", "empty this cell, or choose to leave the column behind", "a text"
            )
        elif not pick.is_new and name.strip():
            self._wrong(row, "name", "nothing, unless a new field is chosen", "empty this cell, or choose a new field", "a text")
        elif pick.is_new and len(name) > self.destination.field_name_max:
            self._wrong(row, "name", f"at most {self.destination.field_name_max} characters", "shorten the name", self._length(name))
        elif pick.phase and not self._exists(pick):
            self._wrong(
                row, "choice", "a place that the destination has", "ask for a new workbook: the map has changed", "a place that is gone"
            )
        else:
            return True
        return False

    def _exists(self, pick: Pick) -> bool:
        phase = self.destination.phases.get(pick.phase)
        if phase is None or pick.phase not in self.spec.phases:
            return False
        if pick.field is not None:
            return pick.field in phase.fields
        return phase.custom_fields and pick.type in (None, *self.destination.custom_types)

    def _word(self, row: Row) -> Said | None:
        column, meaning = row.text("column"), row.text("choice")
        known = self.made.words.get(column, ())
        if meaning and known and meaning not in known:
            self._wrong(row, "choice", one_of(known), "choose one from the list of the cell", "another text")
            return None
        return self._said(row, WORDS, ("values", column, row.text("word")), meaning or None)

    def _owner(self, row: Row) -> Said | None:
        given, known = row.text("choice"), {each.casefold(): each for each in self.made.users}
        user = given if given in self.made.users else known.get(given.strip().casefold(), given.strip())
        if user and known and user not in self.made.users:
            self._wrong(row, "choice", "a user of the destination", "choose one from the list of the cell", "another text")
            return None
        if user and not known and not ADDRESS.fullmatch(user):
            self._wrong(row, "choice", "an e-mail address", "write it as name@example.com", "another text")
            return None
        return self._said(row, OWNERS, ("owners", row.text("owner")), user or None)

    def _tag(self, row: Row) -> Said | None:
        choice, name, tag = row.text("choice"), row.text("name"), row.text("tag")
        if choice == RENAME and not name.strip():
            self._wrong(row, "name", "the new name of the tag", "write it, or choose another option", "nothing")
        elif choice != RENAME and name.strip():
            self._wrong(row, "name", f"nothing, unless {RENAME!r} is chosen", f"empty this cell, or choose {RENAME!r}", "a text")
        else:
            values = {KEEP: ("as", tag), DROP: (LEFT_OUT,), RENAME: ("as", name)}
            return self._said(row, TAGS, ("tags", row.text("column"), tag), values.get(choice))
        return None

    def _leave_out(self, row: Row) -> Said:
        stays = row.text("choice") == STAY
        return self._said(row, LEAVE_OUT, ("leave_out", row.text("object"), row.text("kind")), LEFT_OUT if stays else None)

    def _verdict(self, row: Row) -> Verdict:
        return Verdict(row.text("object"), row.text("first"), row.text("second"), row.text("verdict"), row.address("verdict"))

    def _check_targets(self, said: Sequence[Said]) -> None:
        """Find columns of one export that are to fill one and the same field."""
        places: dict[tuple[str, ...], list[Said]] = {}
        for one in said:
            if isinstance(one.value, ColumnChoice) and one.value.phase is not None:
                target = (
                    one.path[1],
                    one.value.phase,
                    "field" if one.value.field else "custom",
                    str(one.value.field or one.value.custom_field),
                )
                places.setdefault(target, []).append(one)
        for ones in places.values():
            for one in ones if len(ones) > 1 else ():
                others = ", ".join(each.place for each in ones if each is not one)
                todo = "choose another field for all but one of them"
                self.problems.append(CellProblem(COLUMNS, one.place, "one column for each field", f"the same field as in {others}", todo))

    def _said(self, row: Row, sheet: str, path: Path, value: Any) -> Said:
        row_id = (*(row.text(key) for key in IDS[sheet]), *(row.text(each.key) for each in LAYOUT[sheet] if each.editable))
        return Said(path, value, sheet, row.address(ANSWER[sheet]), row_id in self._ticked.get(sheet, ()))

    def _wrong(self, row: Row, key: str, expected: str, todo: str, found: str) -> None:
        self.problems.append(row.problem(key, expected, todo, found))

    @staticmethod
    def _length(text: str) -> str:
        return f"{len(text)} characters" if text else "nothing"

"""What people answered, held against what waits: everything that is wrong by file, sheet and cell, or what is to be done.

Belongs here: judging answers; nothing is changed here. Not here: reading files (reports.queues), doing it (defs.queues), merged groups
(phases.queues_pairs).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from crm_pipelines.errors import Problem
from crm_pipelines.phases import queues_conflicts as conflicts
from crm_pipelines.phases.queues import EDITED, INVITED, QUEUES, RowLine, Tables
from crm_pipelines.phases.queues_correct import Fix
from crm_pipelines.phases.queues_respelled import ROUNDED, SAME, respelled
from crm_pipelines.spec.client_map import ConflictAnswer

CELL = "cell:"
"""Begins the key of a column that is the export's own; the rest is its heading, casefolded."""
ENGAGEMENT, QUEUE, OBJECT, FILE, CHUNK, ROW, KEY = "engagement", "queue", "object", "file", "chunk", "row", "key"
BELONGS_TO, OWNER, USER, COLUMN, WORD, MEANING = "belongs_to", "owner", "user", "column", "word", "meaning"
KEY_A, KEY_B, ANSWER = "key_a", "key_b", "answer"
PHASE, FIELD, ASKED, TAKE = "phase", "field", "asked", "take"
LEAVE, WHY_CHARS = "leave_behind", 8
SEVERAL = frozenset({"unterminated_quote"})
"""Reasons of lines that swallowed others: they may come back as several rows."""
DAMAGED = "\ufffd"


@dataclass(frozen=True)
class Returned:
    """One row as it came back: cells by column key, and where each stands."""

    file: str
    sheet: str
    number: int
    cells: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    cut: Collection[str] = ()
    """Keys of cells whose text was too long for the file: nobody answered there."""

    def text(self, key: str) -> str:
        """Return a cell, trimmed; empty when it is not there."""
        return self.cells.get(key, "").strip()

    def problem(self, key: str, message: str) -> Problem:
        """Return a problem of one cell."""
        place = self.places.get(key, f"row {self.number}")
        where = f"sheet {self.sheet!r}, {place if place.startswith(('row', 'line')) else f'cell {place}'}" if self.sheet else place
        return Problem(where, message, file=self.file)


@dataclass
class Answers:
    """What is to be done, and what is wrong; nothing is done while something is."""

    owners: dict[str, str] = field(default_factory=dict)
    invited: list[str] = field(default_factory=list)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    same: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    different: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    fixes: list[tuple[Fix, Returned]] = field(default_factory=list)
    conflicts: dict[str, dict[str, dict[str, ConflictAnswer]]] = field(default_factory=dict)
    """Phase -> key -> field -> the side that counts."""
    left_behind: dict[str, dict[str, str]] = field(default_factory=dict)
    """Object -> source key -> why that row does not move."""
    left_lines: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    """The same of rows without a key: object -> chunk -> row -> why."""
    skipped: list[str] = field(default_factory=list)
    """What is not waiting any more, or cannot be settled here, in sentences."""
    unanswered: int = 0
    """Rows that came back as they were given out."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not any(self.counts().values())

    def counts(self) -> dict[str, int]:
        """Return how much is to be done, by kind."""
        return {
            "owners": len(self.owners),
            "invited": len(self.invited),
            "words": sum(map(len, self.values.values())),
            "same": sum(map(len, self.same.values())),
            "different": sum(map(len, self.different.values())),
            "rows": len(self.fixes),
            "conflicts": sum(len(fields) for keys in self.conflicts.values() for fields in keys.values()),
            "left_behind": sum(
                map(len, [*self.left_behind.values(), *(rows for each in self.left_lines.values() for rows in each.values())])
            ),
        }


def judge(tables: Tables, returned: Iterable[Returned], users: Collection[str], payments: Collection[str]) -> Answers:
    """Return what people answered. `users` are the destination's, `payments` the keys of what can be paid back.

    Rows that no longer wait are skipped with a sentence; everything else that does not fit is a problem.
    """
    judging = _Judging(tables, users, payments)
    for row in returned:
        judging.take(row)
    return judging.answers


class _Judging:
    """The answers so far, and what they are held against."""

    def __init__(self, tables: Tables, users: Collection[str], payments: Collection[str]) -> None:
        self.tables, self.payments, self.answers = tables, payments, Answers()
        self.users = {user.casefold(): user for user in users}
        self.lines = {(line.chunk, line.row): line for line in tables.rows}
        self.owners = {line.owner for line in tables.owners} | {each for each in tables.owners_known if each.casefold() not in self.users}
        self.words = {(word.column, word.word): word for word in tables.words}
        self.conflicts = {(line.phase, line.key, line.question.field): line.question for line in tables.conflicts}
        self.chosen: dict[str, str] = {}
        self.fixed: dict[tuple[str, int], list[tuple[str, ...]]] = {}

    def take(self, row: Returned) -> None:
        """Judge one row."""
        kinds = {"owner": self._owner, "decision": self._word, "duplicate": self._pair}
        kinds |= {"conflict": self._conflict} if row.text(PHASE) else {}
        kinds = {} if row.text(CHUNK) else kinds  # a row of an export, in whatever queue it waits
        if row.text(ENGAGEMENT) != self.tables.engagement:
            self._wrong(row, ENGAGEMENT, f"belongs to another engagement; this one is {self.tables.engagement}")
        elif row.text(QUEUE) not in QUEUES:
            self._wrong(row, QUEUE, f"expected one of the queues {', '.join(QUEUES)}; give back the file as it was given out")
        else:
            kinds.get(row.text(QUEUE), self._row)(row)

    def _wrong(self, row: Returned, key: str, message: str) -> None:
        self.answers.problems.append(row.problem(key, message))

    def _skip(self, row: Returned, message: str) -> None:
        self.answers.skipped.append(f"{row.problem('', message)}")

    # -- owners, words, pairs -----------------------------------------------------------------------------------------

    def _owner(self, row: Returned) -> None:
        owner, answer = row.text(OWNER).casefold(), row.text(USER)
        if not answer:
            self.answers.unanswered += 1
        elif owner not in self.owners:
            self._skip(row, "nothing waits for this owner any more; skipped")
        elif self.chosen.setdefault(owner, answer.casefold()) != answer.casefold():
            self._wrong(row, USER, "the same owner got another answer before; keep one of the two")
        elif answer.casefold() == INVITED:
            self.answers.invited = list(dict.fromkeys([*self.answers.invited, owner]))
        elif (user := self.users.get(answer.casefold())) is None:
            self._wrong(row, USER, f"no active user of the destination has this address; write one that has, or: {INVITED}")
        else:
            self.answers.owners[owner] = user

    def _word(self, row: Returned) -> None:
        column, word, answer = row.text(COLUMN), row.text(WORD), row.text(MEANING)
        known = self.words.get((column, word))
        if not answer:
            self.answers.unanswered += 1
        elif known is None:
            self._skip(row, "nothing waits for this word any more; skipped")
        elif (meaning := _alike(answer, known.choices)) is None:
            self._wrong(row, MEANING, f"expected one of {', '.join(known.choices)}")
        elif self.answers.values.setdefault(column, {}).setdefault(word, meaning) != meaning:
            self._wrong(row, MEANING, "the same word got another answer before; keep one of the two")

    def _pair(self, row: Returned) -> None:
        name, pair, answer = row.text(OBJECT), (row.text(KEY_A), row.text(KEY_B)), row.text(ANSWER).casefold()
        if not answer:
            self.answers.unanswered += 1
        elif (name, *pair) not in {(line.object, line.key_a, line.key_b) for line in self.tables.pairs}:
            self._skip(row, "these two are not asked about any more; skipped")
        elif answer not in ("same", "different"):
            self._wrong(row, ANSWER, "expected same or different")
        else:
            chosen, other = (self.answers.same, self.answers.different)[:: 1 if answer == "same" else -1]
            if pair in other.get(name, ()):
                self._wrong(row, ANSWER, "the same two got another answer before; keep one of the two")
            elif pair not in chosen.setdefault(name, []):
                chosen[name].append(pair)

    def _conflict(self, row: Returned) -> None:
        phase, key, name, answer = row.text(PHASE), row.text(KEY), row.text(FIELD), row.text(TAKE).casefold()
        question = self.conflicts.get((phase, key, name))
        if not name:  # a record that is left over is only shown
            return
        if not answer:
            self.answers.unanswered += 1
        elif question is None:
            self._skip(row, "nothing is asked about this field any more; skipped")
        elif row.text(ASKED) != question.stamp:
            self._skip(row, "one of the two values is another one since this file was written; skipped, answer in the new file")
        elif (side := next((each for each in question.sides if each == answer), None)) is None:
            self._wrong(row, TAKE, f"expected {' or '.join(question.sides)}")
        elif self.answers.conflicts.setdefault(phase, {}).setdefault(key, {}).setdefault(name, question.taken(side)).take != side:
            self._wrong(row, TAKE, "the same field got another answer before; keep one of the two")

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _row(self, row: Returned) -> None:
        number = row.text(ROW)
        line = self.lines.get((row.text(CHUNK), int(number))) if number.isdecimal() else None
        if line is None:
            self._skip(row, "this row does not wait any more; skipped")
        elif line.queue != row.text(QUEUE):
            self._wrong(row, QUEUE, f"this row waits in queue {line.queue}; give it back in the file of that queue")
        elif why := row.text(LEAVE):
            self._left_behind(row, line, why)
        elif line.queue not in EDITED:
            self.answers.unanswered += 1
        else:
            self._edited(row, line)

    def _left_behind(self, row: Returned, line: RowLine, why: str) -> None:
        if line.queue in EDITED and (self._cells(row, line)[1] or row.text(BELONGS_TO)):
            self._wrong(row, LEAVE, "a row is either corrected or left behind; empty this cell, or put back the others")
        elif line.reason.partition(":")[0] in (conflicts.EDITED, conflicts.LEFT):
            self._wrong(row, LEAVE, "this record is there already; say whose value counts (ours or theirs) instead, and empty this cell")
        elif len(why) < WHY_CHARS:
            self._wrong(row, LEAVE, f"say why in {WHY_CHARS} characters or more, so that others understand it later")
        else:
            of = self.answers.left_behind.setdefault(line.object, {}) if line.key else self._lines_of(line)
            if of.setdefault(line.key or str(line.row), why) != why:
                self._wrong(row, LEAVE, "the same record was left behind for another reason before; keep one of the two")
        self._check_fixed_columns(row, line)

    def _lines_of(self, line: RowLine) -> dict[str, str]:
        return self.answers.left_lines.setdefault(line.object, {}).setdefault(line.chunk, {})

    def _edited(self, row: Returned, line: RowLine) -> None:
        before = len(self.answers.problems)
        cells, changed = self._cells(row, line)
        parent = self._parent(row, line)
        self._check_fixed_columns(row, line)
        if len(self.answers.problems) > before:
            return
        if not changed and not parent:
            self.answers.unanswered += 1
            return
        place, fix = (line.chunk, line.row), (*cells, parent)
        earlier = self.fixed.setdefault(place, [])
        if fix in earlier:
            return
        if earlier and line.reason not in SEVERAL:
            self._wrong(row, ROW, "the same row came back before with other cells; keep one of the two")
            return
        earlier.append(fix)
        self.answers.fixes.append((Fix(line.chunk, line.row, cells, parent), row))

    def _cells(self, row: Returned, line: RowLine) -> tuple[tuple[str, ...], list[str]]:
        """Return the cells as they came back, unchanged ones exactly as exported, and the headings that changed."""
        own = {f"{CELL}{heading.casefold()}" for heading in line.headings}
        for key in sorted(key for key, value in row.cells.items() if key.startswith(CELL) and key not in own and value.strip()):
            self._wrong(row, key, f"{line.file} has no such column; empty the cell")
        cells, changed = [], []
        for heading, old in zip(line.headings, line.cells, strict=True):
            key = f"{CELL}{heading.casefold()}"
            new = old if key in row.cut or key not in row.cells else row.cells[key]
            if _plain(new) == _plain(old) or respelled(old, new) == SAME:
                cells.append(old)
                continue
            cells.append(new)
            changed.append(heading)
            for message in _cell_problems(line, heading, old, new):
                self._wrong(row, key, message)
        return tuple(cells), changed

    def _parent(self, row: Returned, line: RowLine) -> str:
        given = row.text(BELONGS_TO).partition(":")[0].strip()
        if given and not line.takes_parent:
            self._wrong(row, BELONGS_TO, "only a refund can be given a sale here; empty the cell")
        elif given and given not in self.payments:
            self._wrong(row, BELONGS_TO, "no sale in the exports has this number; write the number of one that is listed")
        return given

    def _check_fixed_columns(self, row: Returned, line: RowLine) -> None:
        for key, value in ((OBJECT, line.object), (FILE, line.file), (KEY, line.key or "")):
            if key in row.cells and row.text(key) != value:
                self._wrong(row, key, "this column tells which row it is and cannot be changed; put back what was there")


def _cell_problems(line: RowLine, heading: str, old: str, new: str) -> Iterator[str]:
    """Yield what is wrong with one changed cell."""
    if line.key is not None and heading == line.key_heading:
        yield "this cell identifies the row and cannot be changed; put back what was there"
    elif line.key is not None and not new.strip():
        yield "an emptied cell changes nothing, because the export still holds its value; write what shall stand there, or put it back"
    if ROUNDED.fullmatch(new.strip()) and not ROUNDED.fullmatch(old.strip()):
        yield "a spreadsheet rounded this number; format the column as text and write it out"
    if told := respelled(old, new):
        yield told
    if DAMAGED in new:
        yield "the text holds a damaged character; write it out"


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _alike(answer: str, choices: Sequence[str]) -> str | None:
    return next((choice for choice in choices if choice.casefold() == answer.casefold()), None)

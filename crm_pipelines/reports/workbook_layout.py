"""How the workbook looks: its sheets, their columns, and the words of its drop-downs.

Belongs here: what writing and reading have in common. Not here: rows (workbook_rows), meaning of the answers (workbook_answers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_pipelines.reports.sheets import Column

START, QUESTIONS, COLUMNS, WORDS, OWNERS = "Start here", "Questions", "Columns", "Words", "Owners"
TAGS, LEAVE_OUT, DUPLICATES = "Tags", "Leave out", "Duplicates"
MAPPED, EMPTY, LEFT = "Mapped already", "Fields left empty", "Left behind"
MADE = "_made"
VERSION = 1

KEEP, DROP, RENAME = "Keep", "Leave out", "Rename"
MOVE, STAY = "Move them", "Leave them out"
FIRST, SECOND, APART = "Same: keep the first", "Same: keep the second", "Different"
BEHIND = "Leave behind (say why)"
REASON_CHARS = 8  # spec.client_map: ColumnChoice.ignore

_OBJECT = Column("object", "Export", 13)

LAYOUT: Mapping[str, tuple[Column, ...]] = {
    QUESTIONS: (
        Column("name", "Name", 18, is_hidden=True),
        Column("number", "No.", 6, is_number=True),
        Column("question", "Question", 36),
        Column("options", "What you can answer", 56),
        Column("why", "Why we suggest it, or why we ask", 36),
        Column("answer", "Your answer", 24, editable=True, note="Choose from the list. Where it asks for an e-mail address, type it."),
    ),
    COLUMNS: (
        _OBJECT,
        Column("heading", "Column", 22),
        Column("filled", "Filled", 9, note="Share of rows that hold something."),
        Column("examples", "Looks like", 20, note="Masked: letters are x, digits 9."),
        Column("proposals", "What we propose, and why", 52, note="Per cent: how often proposals like this one were right."),
        Column("choice", "Your choice", 30, editable=True, note="Where this column goes. Leaving it behind needs a reason."),
        Column("name", "Name of a new field", 19, editable=True, note="Only for a new field. Empty: it is called like the column."),
        Column("reason", "Why it stays behind", 21, editable=True, note="Only for what is left behind."),
    ),
    WORDS: (
        Column("column", "Column", 30),
        Column("role", "Kind", 12),
        Column("word", "Word in the export", 30),
        Column("rows", "Rows", 10, is_number=True),
        Column("proposals", "What it may mean", 40),
        Column("choice", "Read it as", 32, editable=True),
    ),
    OWNERS: (
        Column("owner", "Team member in the export", 36),
        Column("rows", "What they look after", 38),
        Column("money", "Money waiting", 22),
        Column("proposals", "Users that look alike", 44),
        Column("choice", "Who takes over", 36, editable=True),
    ),
    TAGS: (
        Column("column", "Column", 20),
        Column("tag", "Tag", 36),
        Column("records", "Records", 10, is_number=True),
        Column("kind", "What it records", 30),
        Column("choice", "Your choice", 18, editable=True, choices=(KEEP, DROP, RENAME), note="Empty: it is kept as it is."),
        Column("name", "New name", 30, editable=True, note="Only for Rename. Two tags with one new name become one."),
    ),
    LEAVE_OUT: (
        _OBJECT,
        Column("kind", "Kind of record", 20),
        Column("records", "Records", 10, is_number=True),
        Column("rule", "What counts as one", 70),
        Column("choice", "Your choice", 20, editable=True, choices=(MOVE, STAY), note="Empty: they move."),
    ),
    DUPLICATES: (
        _OBJECT,
        Column("first", "First record", 26),
        Column("second", "Second record", 26),
        Column("score", "Alike", 9),
        Column("why", "Why they may be one", 60),
        Column("verdict", "Your verdict", 26, editable=True, choices=(FIRST, SECOND, APART), note="Empty: both move, and we ask again."),
    ),
}
"""Sheets that are filled in, in their order, and what they are made of."""

READ_ONLY: Mapping[str, tuple[Column, ...]] = {
    MAPPED: (
        _OBJECT,
        Column("heading", "Column", 28),
        Column("filled", "Filled", 9),
        Column("examples", "Looks like", 34),
        Column("why", "Where it goes", 70),
    ),
    EMPTY: (
        Column("phase", "In", 18),
        Column("field", "Field", 34),
        Column("type", "Takes", 16),
        Column("candidates", "Columns that could fill it", 80),
    ),
    LEFT: (
        Column("what", "What", 26),
        Column("where", "From", 14),
        Column("why", "Why it does not move", 56),
        Column("instead", "What you can do", 52),
    ),
}
"""Sheets to read; nothing in them is taken over."""

IDS: Mapping[str, tuple[str, ...]] = {
    QUESTIONS: ("name",),
    COLUMNS: ("object", "heading"),
    WORDS: ("column", "word"),
    OWNERS: ("owner",),
    TAGS: ("column", "tag"),
    LEAVE_OUT: ("object", "kind"),
    DUPLICATES: ("object", "first", "second"),
}
"""The columns by which a row is known again."""

ANSWER: Mapping[str, str] = {name: "verdict" if name == DUPLICATES else "answer" if name == QUESTIONS else "choice" for name in LAYOUT}
"""The column that is open while it is empty."""

MADE_COLUMNS = (Column("key", "Key", 16), Column("part", "Part", 8, is_number=True), Column("text", "Text", 60))
TEXT_COLUMNS = (Column("what", "What", 30), Column("told", "Told", 96), Column("open", "Open", 16))

ABOUT: Mapping[str, str] = {
    QUESTIONS: "Decisions that nobody can take for you.",
    COLUMNS: "Columns of your export that no rule knows yet: where each one goes.",
    WORDS: "Words of statuses, stages and options that the new system does not know.",
    OWNERS: "Team members of the old system, and who takes their records over.",
    TAGS: "Keep, rename or leave out.",
    LEAVE_OUT: "Records you may not want to pay for.",
    DUPLICATES: "Records that may be one and the same person or company.",
    MAPPED: "For reading: columns whose place is known.",
    EMPTY: "For reading: fields of the new system that nothing fills.",
    LEFT: "For reading: what does not move, why, and what you can do.",
}
INTRO: Mapping[str, str] = {
    QUESTIONS: "One question per line. Yellow cells need an answer; where there is a suggestion, an empty cell takes it.",
    COLUMNS: "One column of your export per line. Blue is our proposal: leave it if it is right. Yellow needs your choice.",
    WORDS: "One word per line: what shall it be read as? Yellow needs your choice.",
    OWNERS: "One team member per line. While nobody takes over, their records wait.",
    TAGS: "One tag per line. An empty cell keeps the tag.",
    LEAVE_OUT: "One kind of record per line. An empty cell lets them move.",
    DUPLICATES: "Two records per line. An empty cell leaves both as they are.",
    MAPPED: "Nothing to do here.",
    EMPTY: "Nothing to do here; choose one of these fields on the sheet Columns.",
    LEFT: "Nothing to do here. Tell us if something must not be lost.",
}


def spoken(words: Sequence[str]) -> dict[str, str]:
    """Return options as a client reads them (`queue_rows` -> `queue rows`), or as they are where that would not tell two apart."""
    plain = {word: word.replace("_", " ") for word in words}
    return plain if len(set(plain.values())) == len(plain) else {word: word for word in words}

"""How the workbook looks: its sheets, their columns, and the words of its drop-downs.

Belongs here: what writing and reading have in common. Not here: rows (workbook_rows), meaning of the answers (workbook_answers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_pipelines.phases.twin_groups import APART, FIRST, SECOND
from crm_pipelines.reports.sheets import Column

START, QUESTIONS, COLUMNS, WORDS, OWNERS = "Start here", "Questions", "Columns", "Words", "Owners"
TAGS, LEAVE_OUT, DUPLICATES = "Tags", "Leave out", "Duplicates"
MAPPED, EMPTY, LEFT = "Mapped already", "Fields left empty", "Left behind"
MADE = "_made"
VERSION = 1

KEEP, DROP, RENAME = "Keep", "Leave out", "Rename"
MOVE, STAY = "Move them", "Leave them out"
TOLD_CHARS = 90
"""Characters of an option's meaning that its drop-down shows."""
BEHIND = "Leave behind (say why)"
REASON_CHARS = 8  # spec.client_map: ColumnChoice.ignore

_OBJECT = Column("object", "Export", 13)
VERDICT_NOTE = (
    "Same: the one you keep stays. The other fills its gaps, the tags of both are united, and the other's purchases and appointments "
    "move to it. Different: both move, and nobody asks again. Empty: both move, and we ask again."
)

LAYOUT: Mapping[str, tuple[Column, ...]] = {
    QUESTIONS: (
        Column("name", "Name", 18, is_hidden=True),
        Column("number", "No.", 6, is_number=True),
        Column("question", "Question", 30),
        Column("options", "What you can answer", 44),
        Column("why", "Why we suggest it, or why we ask", 28),
        Column("answer", "Your answer", 34, editable=True, note="Choose from the list. Where it asks for an e-mail address, type it."),
    ),
    COLUMNS: (
        _OBJECT,
        Column("heading", "Column", 17),
        Column("filled", "Filled", 9, note="Share of rows that hold something."),
        Column("examples", "Looks like", 17, note="Masked: letters are x, digits 9."),
        Column("proposals", "What we propose, and why", 40, note="Per cent: how often proposals like this one were right."),
        Column("choice", "Your choice", 27, editable=True, note="Where this column goes. Leaving it behind needs a reason."),
        Column("name", "Name of a new field", 16, editable=True, note="Only for a new field. Empty: it is called like the column."),
        Column("reason", "Why it stays behind", 18, editable=True, note="Only for what is left behind."),
    ),
    WORDS: (
        Column("column", "Column", 24),
        Column("role", "Kind", 12),
        Column("word", "Word in the export", 26),
        Column("rows", "Rows", 9, is_number=True),
        Column("proposals", "What it may mean", 34),
        Column("choice", "Read it as", 32, editable=True),
    ),
    OWNERS: (
        Column("owner", "Team member in the export", 31),
        Column("rows", "What they look after", 27),
        Column("money", "Money on their records", 17),
        Column("proposals", "Users that look alike", 32),
        Column("choice", "Who takes over", 31, editable=True, note="A user of the new system. Empty: see the line at the top."),
    ),
    TAGS: (
        Column("column", "Column", 18),
        Column("tag", "Tag", 34),
        Column("records", "Records", 10, is_number=True),
        Column("kind", "What it records", 24),
        Column("choice", "Your choice", 18, editable=True, choices=(KEEP, DROP, RENAME), note="Empty: it is kept as it is."),
        Column("name", "New name", 28, editable=True, note="Only for Rename. Two tags with one new name become one."),
    ),
    LEAVE_OUT: (
        _OBJECT,
        Column("kind", "Kind", 14, is_hidden=True),
        Column("spoken", "Kind of record", 28, is_required=False),
        Column("records", "Records", 10, is_number=True),
        Column("rule", "What counts as one", 58),
        Column("choice", "Your choice", 22, editable=True, choices=(MOVE, STAY), note="Empty: they move."),
    ),
    DUPLICATES: (
        _OBJECT,
        Column("group", "Group", 8, is_number=True, is_required=False, note="Records of one group may all be one and the same."),
        Column("first", "No. of the first", 11),
        Column("first_shown", "First record", 29, is_required=False),
        Column("second", "No. of the second", 11),
        Column("second_shown", "Second record", 29, is_required=False),
        Column("score", "Alike", 8, note="How often pairs like this one were one person; never certain."),
        Column("why", "Why they may be one", 24),
        Column("verdict", "Your verdict", 24, editable=True, choices=(FIRST, SECOND, APART), note=VERDICT_NOTE),
    ),
}
"""Sheets that are filled in, in their order, and what they are made of."""

READ_ONLY: Mapping[str, tuple[Column, ...]] = {
    MAPPED: (
        _OBJECT,
        Column("heading", "Column", 26),
        Column("filled", "Filled", 9),
        Column("examples", "Looks like", 32),
        Column("why", "Where it goes", 62),
    ),
    EMPTY: (
        Column("phase", "In", 18),
        Column("field", "Field", 34),
        Column("type", "Takes", 20),
        Column("candidates", "Columns that could fill it", 64),
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
TEXT_COLUMNS = (Column("what", "What", 20), Column("told", "Told", 92), Column("open", "Open", 36))

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
    QUESTIONS: "One question per line. Yellow needs an answer; where there is a suggestion, an empty cell takes it.",
    COLUMNS: "One column of your export per line. Blue is our proposal: leave it if it is right. Yellow needs your choice.",
    WORDS: "One word per line: what shall it be read as? Yellow needs your choice.",
    OWNERS: "One team member per line. Whoever you choose under “Who takes over” gets that member's records.\n"
    "For members without a user for whom you choose nobody, your answer to question {number} on the sheet Questions decides.",
    TAGS: "One tag per line. You need not do anything: an empty cell keeps the tag.",
    LEAVE_OUT: "One kind of record per line. You need not do anything: an empty cell lets them move.\n"
    "Where they are left out, their purchases and appointments stay behind, too.",
    DUPLICATES: "Two records per line; lines of one group belong together. You may skip this: an empty cell leaves them as they are.\n"
    "“Same”: the one you keep stays, the other fills its gaps, the tags of both are united, purchases and appointments follow.",
    MAPPED: "Nothing to do here.",
    EMPTY: "Nothing to do here. If something of yours belongs into one of these fields, write to us.",
    LEFT: "Nothing to do here. Tell us if something must not be lost.",
}


def spoken(words: Sequence[str]) -> dict[str, str]:
    """Return options as a client reads them (`queue_rows` -> `queue rows`), or as they are where that would not tell two apart."""
    plain = {word: word.replace("_", " ") for word in words}
    return plain if len(set(plain.values())) == len(plain) else {word: word for word in words}


def labels(options: Mapping[str, str]) -> dict[str, str]:
    """Return options as their drop-down shows them: `fold: Together, in the one deal of the subscription`."""
    words = spoken(tuple(options))
    return {option: f"{words[option]}: {_short(told)}" if told else words[option] for option, told in options.items()}


def option_of(options: Mapping[str, str], answer: str) -> str | None:
    """Return the option that an answer means; None when it means none.

    It is known by its word in any spelling (`queue rows`, `Queue_Rows`), with or without what the drop-down says after it.
    """
    known = {_folded(option): option for option in options}
    whole = {_folded(label): option for option, label in labels(options).items()}
    if len(known) < len(options):  # two options that only a sign tells apart
        known = {option.casefold(): option for option in options}
        return known.get(answer.strip().casefold()) or whole.get(_folded(answer))
    return whole.get(_folded(answer)) or known.get(_folded(answer)) or known.get(_folded(answer.partition(":")[0]))


def _short(told: str) -> str:
    """Return what an option means in a line: its first sentence where both are too long, cut where that is, too."""
    text = " ".join(told.split()).rstrip(".")
    text = text if len(text) <= TOLD_CHARS else text.partition(". ")[0]
    return text if len(text) <= TOLD_CHARS else text[: TOLD_CHARS - 1].rpartition(" ")[0].rstrip(",.;") + "…"


def _folded(word: str) -> str:
    return " ".join(word.replace("_", " ").replace("-", " ").casefold().split())

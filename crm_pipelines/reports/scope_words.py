"""Words and small shapes that all parts of the scope document share: a line of a list, names, dates, counts.

Belongs here: saying one thing. Not here: which things are said (scope_facts, scope_asks, scope_clean), how they look (scope, templates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crm_pipelines.discovery.grades import Count
from crm_pipelines.reports import reasons

NAMED = 4
"""Names that a sentence of the first page lists before it says how many more there are."""
SETTLED = ", as decided."
UNLESS = ", unless you decide otherwise."
STEPS = {"no_user": "Name in the workbook who takes over, or invite that person."}
"""Next steps that the client reads otherwise than the engineer."""


@dataclass(frozen=True)
class Line:
    """A point of a list: what, and a word more about it."""

    what: str
    more: str = ""
    is_must: bool = False
    """Whether nothing goes on without it."""


def plain(name: str) -> str:
    """Return a technical name as words: `single_person` is `single person`."""
    return name.replace("_", " ")


def upper_first(text: str) -> str:
    """Return a text with a capital to begin with; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def title(name: str) -> str:
    """Return the name of a system as a client knows it."""
    return plain(name).title()


def day(value: date | str | None) -> str:
    """Return a date as a person writes it; a dash where there is none."""
    if value is None:
        return "–"
    moment = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{moment.day} {moment:%b %Y}"


def span(first: date | str, last: date | str) -> str:
    """Return two days without saying month and year twice: `23 – 25 Nov 2026`."""
    one, other = day(first), day(last)
    if one == other:
        return one
    words, ends = one.split(), other.split()
    kept = words[:1] if words[1:] == ends[1:] else words[:2] if words[2:] == ends[2:] else words
    return f"{' '.join(kept)} – {other}"


def some(names: Sequence[str], most: int = NAMED) -> str:
    """Return the first names and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def counted(number: int, name: str) -> str:
    """Return a number with the name of an object, which is a plural: `2 contacts`, `1 contact`."""
    words = plain(name)
    return f"{number:,} {_one_of(words) if number == 1 else words}"


def _one_of(words: str) -> str:
    if words == "people":
        return "person"
    return f"{words[:-3]}y" if words.endswith("ies") else words.removesuffix("s")


def rows_of(number: int, name: str) -> str:
    """Return `1 row of contacts`."""
    return f"{Count(number):row} of {plain(name)}"


def why(reason: str | None) -> str:
    """Return what a reason means to a client; what only a default decided is not told as decided."""
    told = reasons.sentence(reason)
    return told if (reason or "").startswith("left_out_") else told.replace(SETTLED, UNLESS)


def what_to_do(reason: str | None) -> str:
    """Return what a client can do about it; empty when nothing is known."""
    return STEPS.get(reason or "", reasons.next_step(reason))

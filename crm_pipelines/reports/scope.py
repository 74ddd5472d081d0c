"""The scope document of an engagement as files: HTML to read and print, Markdown with the same facts.

Belongs here: rendering and escaping. Not here: what the first page says (scope_facts), drawings (charts), finding out (discovery).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crm_pipelines.discovery.grades import Count, load_days, read_rules
from crm_pipelines.discovery.values import ColumnProfile, Discovery, TagFinding
from crm_pipelines.phases.files import write_bytes
from crm_pipelines.reports import charts
from crm_pipelines.reports.figures import duration, money, number
from crm_pipelines.reports.scope_asks import for_whom
from crm_pipelines.reports.scope_clean import clean_kind
from crm_pipelines.reports.scope_facts import first_page
from crm_pipelines.reports.scope_words import counted, day, plain, some, span, title, upper_first, what_to_do, why

TAGS_SHOWN = 100
"""Tags of one class that are listed; the workbook lists all of them."""
WORDS_SHOWN = 40
TAG_KINDS = {
    "event": "Events: something that happened",
    "membership": "Memberships",
    "course": "Courses",
    "plain": "Plain: what you made of them yourself",
    "admin": "For your own administration",
}
WORDS = {"enum": "choice", "set": "choices", "id": "key", "caps": "limits", "debris": "left-overs"}
"""Technical words that a client reads otherwise."""
LISTED_TAGS = "tags"
"""The export that lists all tags, in every source that has one."""
WORDS_TOLD = (
    "Counted in rows as exported, file by file: a record that stands in two files, or two contacts who become one person, count twice here "
    "and once where records or people are counted. So failed payments, or bounced contacts, are more here than elsewhere."
)
RECORDS_TOLD = (
    "Rows are lines of your exports, records what is made of them. One contact can become a person, a note and an organization, and many "
    "payments one deal; so rows and records differ, and what waits is counted once as rows and once as records. The report after the load "
    "also counts entries of lists and what is matched or put on a list apart, so it names more to make than there are records here."
)
SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")
ENTITY = re.compile(r"&(?=#?\w+;)")
"""An ampersand that a reader of Markdown would take for the beginning of a character's name; any other one stands for itself."""
BREAKS = re.compile(r"\s+")


def write_scope(discovery: Discovery, folder: Path) -> dict[str, Path]:
    """Write scope.html and scope.md (private, each in one step); return where they lie."""
    pages = {"html": as_html(discovery), "md": as_markdown(discovery)}
    return {name: write_bytes(folder / f"scope.{name}", text.encode()) for name, text in pages.items()}


def as_html(discovery: Discovery) -> str:
    """Return the scope document as one self-contained page."""
    return _environment(autoescape=True).get_template("scope.html.j2").render(_context(discovery))


def as_markdown(discovery: Discovery) -> str:
    """Return the scope document as Markdown; every inserted text is escaped, so that no heading of an export can be markup."""
    text = _environment(autoescape=False, finalize=_in_markdown).get_template("scope.md.j2").render(_context(discovery))
    return re.sub(r"\n{3,}", "\n\n", text)


def of_kind(tags: Iterable[TagFinding], kind: str) -> list[TagFinding]:
    """Return the tags of one class, those of most contacts first."""
    return sorted((tag for tag in tags if tag.kind == kind), key=lambda tag: -tag.records)


def by_object(columns: Iterable[ColumnProfile]) -> dict[str, list[ColumnProfile]]:
    """Return object -> its columns: those that wait first, then mapped ones, then what stays behind."""
    order = ("waiting", "mapped", "custom field", "ignored")
    out: dict[str, list[ColumnProfile]] = {}
    for column in sorted(columns, key=lambda one: order.index(one.state)):
        out.setdefault(column.object, []).append(column)
    return out


def percent(part: float, whole: float) -> str:
    """Return a share of a hundred; what is neither nothing nor all never reads as if it were."""
    if not whole:
        return "–"
    exact = 100 * part / whole
    whole_number = math.floor(exact) if exact > 50 else math.ceil(exact)
    return f"{whole_number}\N{NO-BREAK SPACE}%"


def size(size_bytes: int) -> str:
    """Return a file's size as a person would say it."""
    return f"{size_bytes / 1_000_000:,.1f} MB" if size_bytes >= 1_000_000 else f"{math.ceil(size_bytes / 1000):,} KB"


def count(value: int, noun: str) -> str:
    """Return `1 row`, `1,204 rows`."""
    return format(Count(value), noun)


def kind(name: str) -> str:
    """Return a type or a topic in the client's words."""
    return WORDS.get(name, plain(name))


def _context(discovery: Discovery) -> dict[str, Any]:
    return {
        "found": discovery,
        "page": first_page(discovery),
        "columns": by_object(discovery.columns),
        "tag_kinds": {kind: (told, of_kind(discovery.tags, kind)) for kind, told in TAG_KINDS.items()},
        "over_time": {name: charts.over_time(series) for name, series in discovery.series.items() if series},
        "days": charts.per_day(discovery.forecast.get("calendar", ())),
        "scale": read_rules()["scale"],
        "hours": sum(one.hours for one in discovery.grades),
        "load_days": load_days(discovery),
        "tags_told": tags_told(discovery),
        "words_told": WORDS_TOLD,
        "records_told": RECORDS_TOLD,
        "findings": by_topic(discovery.inspection.get("findings", ())),
        "tags_shown": TAGS_SHOWN,
        "words_shown": WORDS_SHOWN,
    }


def tags_told(found: Discovery) -> str:
    """Return how the number of tags here goes with that of the exported list of tags and with the warnings of the files."""
    used = sum(1 for tag in found.tags if tag.records)
    listed = [one.distinct_keys for one in found.clean if one.object == LISTED_TAGS]
    more = f" The exported list of tags holds {listed[0]:,}; a tag that is missing there stands at contacts all the same." if listed else ""
    return (
        f"{count(len(found.tags), 'tag')}, each in one spelling; {used:,} of them are in use.{more} "
        "What the files warn of are spellings (“VIP”, “vip”), so those numbers are others."
    )


def by_topic(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return findings, what stops first, then what asks for a look, then what is good to know."""
    order = ("blocker", "warning", "note", "good")
    return sorted(findings, key=lambda one: order.index(one["level"]))


@cache
def _environment(*, autoescape: bool, finalize: Callable[[Any], Any] | None = None) -> Environment:
    environment = Environment(
        loader=PackageLoader("crm_pipelines.reports"),
        autoescape=autoescape,  # noqa: S701 (Markdown is escaped by a rule of its own: _in_markdown)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    words = (clean_kind, counted, day, duration, money, number, plain, some, span, upper_first, what_to_do, why)
    named = (*words, count, for_whom, kind, percent, size, charts.axis)
    environment.filters.update({function.__name__: function for function in named})
    environment.filters.update(moment=_moment, raw=Markup, system=title)
    environment.globals.update(share=charts.share, stacked=charts.stacked, columns_chart=charts.columns)
    return environment


def _in_markdown(value: Any) -> Any:
    """Return a value as text that Markdown shows as it is, on one line."""
    if isinstance(value, Markup):  # what a macro of the template made of values that are escaped already
        return value
    return SPECIAL.sub(r"\\\1", ENTITY.sub("&amp;", BREAKS.sub(" ", str(value))))


def _moment(value: Any) -> str:
    """Return a time as a client reads it, or a dash where none is told."""
    if value is None:
        return "–"
    told = value.isoformat() if isinstance(value, date) else str(value)
    return f"{day(told)}, {told[11:16]} UTC" if len(told) > 10 else day(told)

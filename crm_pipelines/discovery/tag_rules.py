"""The ordered rules that recognise tags standing for events: read from CSV, checked, applied.

Belongs here: `tag_rules.csv` of this package, and an engagement's own file of its shape. Not here: counting tags (tags). The first rule
that matches decides; before it is asked, `_ - · : /` in the tag are spaces, and case does not matter.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from crm_pipelines.errors import SettingsError

Kind = Literal["event", "membership", "course", "plain", "admin"]
OWN_FILE = "tag_rules.csv"
NEEDED = ("priority", "event", "pattern")
KNOWN = (*NEEDED, "kind", "history", "confidence", "examples")
BREAKS = re.compile(r"[\s_\-·:/]+")
SMALL_WORDS = ("a", "an", "the", "has", "have", "had", "did", "was", "my", "our")
MARKS = "|.,;()[]–—"
CONFIDENCE = 0.75
"""Of a rule whose file gives none."""
PLAIN_CONFIDENCE = 0.6
"""A tag that no rule knows may still mean something to its owner."""


@dataclass(frozen=True)
class TagRule:
    """One rule: the event that a tag stands for, and the pattern that tells."""

    priority: float
    event: str
    kind: Kind
    history: str
    """Row of history.csv that such tags make up for; empty when none."""
    confidence: float
    pattern: re.Pattern[str]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagMeaning:
    """What one tag stands for."""

    kind: Kind
    event: str
    subject: str
    matched: str
    confidence: float
    history: str = ""


def load_tag_rules(folder: Path | None = None) -> tuple[TagRule, ...]:
    """Return the rules by priority: the engagement's own file where there is one, else the shipped ones.

    Raises: SettingsError naming file and line of the first rule that cannot be used.
    """
    own = folder / OWN_FILE if folder else None
    if own is not None and own.is_file():
        return _parsed(_text_of(own), str(own), {rule.event: rule for rule in reversed(_shipped())})
    return _shipped()


def classify(tag: str, rules: Sequence[TagRule]) -> TagMeaning:
    """Tell what a tag stands for."""
    plain = BREAKS.sub(" ", tag).strip()
    for rule in rules:
        if found := rule.pattern.search(plain):
            spans = _deciding(found)
            matched = " ".join(plain[start:end].strip(MARKS) for start, end in spans)
            return TagMeaning(rule.kind, rule.event, _without(plain, spans), matched, rule.confidence, rule.history)
    return TagMeaning("plain", "plain", plain, "", PLAIN_CONFIDENCE)


@cache
def _shipped() -> tuple[TagRule, ...]:
    path = Path(__file__).parent / OWN_FILE
    return _parsed(path.read_text("utf-8"), path.name, {})


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: is not UTF-8; save it as CSV in UTF-8") from None


def _parsed(text: str, where: str, shipped: Mapping[str, TagRule]) -> tuple[TagRule, ...]:
    """Read rules; what a rule leaves out is taken from the shipped one for its event."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    headings = reader.fieldnames or []
    if missing := [name for name in NEEDED if name not in headings]:
        raise SettingsError(f"{where}:1: the heading lacks {', '.join(missing)}; expected {', '.join(KNOWN)}")
    if unknown := [name for name in headings if name not in KNOWN]:
        raise SettingsError(f"{where}:1: unknown heading {', '.join(map(repr, unknown))}; expected {', '.join(KNOWN)}")
    rules = []
    for row in _rows(reader, where):
        if None in row or None in row.values():
            raise SettingsError(f"{where}:{reader.line_num}: has more or fewer cells than the heading; put texts with a comma in quotes")
        if any(row.values()):
            rules.append(_rule(row, f"{where}:{reader.line_num}", shipped))
    if not rules:
        raise SettingsError(f"{where}: holds no rule; remove the file to use the shipped rules")
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _rows(reader: csv.DictReader[str], where: str) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise SettingsError(f"{where}:{reader.line_num}: is no CSV: {error}") from None


def _rule(row: Mapping[str, str], where: str, shipped: Mapping[str, TagRule]) -> TagRule:
    event = row["event"].strip()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", event):
        raise SettingsError(f"{where}: event must be a word in small letters such as webinar_attended, found {event!r}")
    like = shipped.get(event)
    kind = (row.get("kind") or "").strip() or (like.kind if like else "event")
    if kind not in get_args(Kind):
        raise SettingsError(f"{where}: kind must be one of {', '.join(get_args(Kind))}; found {kind!r}")
    history = (row.get("history") or "").strip() or (like.history if like else "")
    return TagRule(
        priority=_number(row["priority"], f"{where}: priority"),
        event=event,
        kind=kind,  # type: ignore[arg-type]
        history=history,
        confidence=_confidence(row.get("confidence"), like, where),
        pattern=_pattern(row["pattern"], where),
        examples=tuple(one.strip() for one in (row.get("examples") or "").split(";") if one.strip()),
    )


def _confidence(told: str | None, like: TagRule | None, where: str) -> float:
    if not (told or "").strip():
        return like.confidence if like else CONFIDENCE
    value = _number(str(told), f"{where}: confidence")
    if not 0 <= value <= 1:
        raise SettingsError(f"{where}: confidence must be between 0 and 1, found {value:g}")
    return value


def _number(told: str, where: str) -> float:
    try:
        return float(told)
    except ValueError:
        raise SettingsError(f"{where} must be a number, found {told!r}") from None


def _pattern(told: str, where: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(told, re.IGNORECASE)
    except re.error as error:
        raise SettingsError(f"{where}: pattern is no regular expression: {error}") from None
    if not told or pattern.search(""):
        raise SettingsError(f"{where}: pattern matches every tag; say which words decide")
    return pattern


def _deciding(found: re.Match[str]) -> list[tuple[int, int]]:
    """Return where the deciding words stand, whole words in order: the match itself, or what its look-aheads caught."""
    own = [found.span()] if found.end() > found.start() else [found.span(number) for number in range(1, found.re.groups + 1)]
    words = [word.span() for word in re.finditer(r"\S+", found.string)]
    return [(start, end) for start, end in words if any(start < last and first < end for first, last in own)]


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the text without these words, nor the small ones that go with them (`Has ... a`)."""
    kept = [word for word in re.finditer(r"\S+", text) if word.span() not in spans]
    words = [word.group().strip(MARKS) for word in kept]
    return " ".join(word for word in words if word and (not spans or word.casefold() not in SMALL_WORDS))

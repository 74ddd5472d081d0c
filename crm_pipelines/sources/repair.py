"""Undo what spreadsheets and web forms did to text, count every change, keep the original.

Belongs here: formula guards, invisible characters, control characters, HTML entities, mojibake. Not here: changes that
a mapping makes (spec rules), and anything that needs to know a column's meaning (typed).

The rules: one leading ' or tab goes only before = + - @ (a bare apostrophe is a name's own). NBSP, zero-width and
direction marks go at the ends only. Control characters go, tab and line ends stay. Entities and mojibake are undone
in columns marked `repair` only: in an address of a web page `&copy=2` is no copyright sign.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import ftfy
import polars as pl

from crm_pipelines.sources.base import LINE, ROW

GUARD = re.compile(r"['\t](?=[=+\-@])")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CONTROL_BYTES = [bytes([code]) for code in range(0x80) if CONTROLS.match(chr(code))]
HIDDEN = frozenset("\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
ENDS = "".join(sorted(HIDDEN)) + " \t"
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
SHORT_CHARACTERS = 100
ENTITY_PASSES = 2  # text escaped twice on its way (`&amp;#039;`) is as common as once


@dataclass(frozen=True)
class Repaired:
    """A frame after repair, and per column how many cells changed by kind."""

    frame: pl.DataFrame
    repairs: dict[str, dict[str, int]]


def repair_frame(frame: pl.DataFrame, human_text: frozenset[str], whole: Iterable[bytes]) -> Repaired:
    """Repair every text column; columns in `human_text` also lose entities and mojibake.

    `whole` is the UTF-8 text that all cells come from, in blocks: what it does not hold, no cell is searched for.
    """
    names = [name for name in frame.columns if name not in (ROW, LINE)]
    traits = _Traits(whole)
    suspicious = {name: test for name in names if (test := traits.suspicious(name, name in human_text)) is not None}
    if not suspicious or not frame.height:
        return Repaired(frame, {})
    hits = frame.select(test.any().alias(name) for name, test in suspicious.items()).row(0, named=True)
    repairs: dict[str, dict[str, int]] = {}
    replaced = []
    for name, test in suspicious.items():
        if hits[name] and (result := _repair_column(frame.select(name).filter(test)[name], frame[name], name in human_text)) is not None:
            column, repairs[name] = result
            replaced.append(column)
    return Repaired(frame.with_columns(replaced), repairs)


def repair_text(text: str, is_human: bool) -> tuple[str, tuple[str, ...]]:
    """Return one cell's text repaired, and the kinds of repair that were needed."""
    kinds = []
    for kind, repaired in _steps(text, is_human):
        if repaired != text:
            kinds.append(kind)
            text = repaired
    return text, tuple(kinds)


_repair_short = lru_cache(maxsize=20_000)(repair_text)  # names, places and tags come again in every chunk


def _steps(text: str, is_human: bool) -> list[tuple[str, str]]:
    """Apply the repairs one after the other; each step sees what the one before it left."""
    steps = [("invisible", text := _trimmed(text))]
    steps.append(("control", text := CONTROLS.sub("", text)))
    steps.append(("formula_guard", text := GUARD.sub("", text, count=1) if GUARD.match(text) else text))
    if is_human:
        steps.append(("entity", text := _unescape(text) if "&" in text else text))
        if not text.isascii():
            steps.append(("mojibake", ftfy.fix_encoding(text)))
    return steps


def _trimmed(text: str) -> str:
    """Take white space off an end where something invisible stands in it; plain spaces alone stay."""
    left, right = text[: len(text) - len(text.lstrip(ENDS))], text[len(text.rstrip(ENDS)) :]
    if not HIDDEN.isdisjoint(left):
        text = text.lstrip(ENDS)
    return text.rstrip(ENDS) if not HIDDEN.isdisjoint(right) else text


def _unescape(text: str) -> str:
    for _ in range(ENTITY_PASSES):
        text = ENTITY.sub(lambda found: html.unescape(found.group()), text)
    return text


class _Traits:
    """What a file's whole text holds, and so what its cells may need."""

    def __init__(self, whole: Iterable[bytes]) -> None:
        self.has_accents = self.has_controls = self.has_guards = self.has_entities = False
        for block in whole:
            self.has_accents = self.has_accents or not block.isascii()
            # Single bytes only: they are found 50 times faster than pairs or patterns.
            self.has_controls = self.has_controls or any(one in block for one in CONTROL_BYTES)
            self.has_guards = self.has_guards or b"'" in block or b"\t" in block
            self.has_entities = self.has_entities or b"&" in block

    def suspicious(self, name: str, is_human: bool) -> pl.Expr | None:
        """Say which cells may need a repair, in terms that cost next to nothing on those that do not."""
        text = pl.col(name)
        tests = [
            (self.has_accents, text.str.len_bytes() != text.str.len_chars()),
            (self.has_controls, text.str.contains(CONTROLS.pattern)),
            (self.has_guards, text.str.starts_with("'") | text.str.starts_with("\t")),
            (self.has_entities and is_human, text.str.contains("&", literal=True)),
        ]
        wanted = [test for is_needed, test in tests if is_needed]
        return pl.any_horizontal(wanted) if wanted else None


def _repair_column(suspects: pl.Series, column: pl.Series, is_human: bool) -> tuple[pl.Series, dict[str, int]] | None:
    """Repair a column's suspicious values, each distinct one once; None when none of them changed."""
    values = suspects.value_counts(name="count")
    mapping: dict[str, str | None] = {}
    counts: Counter[str] = Counter()
    for value, count in values.iter_rows():
        repaired, kinds = (_repair_short if len(value) <= SHORT_CHARACTERS else repair_text)(value, is_human)
        if kinds:
            mapping[value] = repaired or None
            counts.update(dict.fromkeys(kinds, count))
    return (_replace(column, mapping), dict(counts)) if mapping else None


def _replace(column: pl.Series, mapping: Mapping[str, str | None]) -> pl.Series:
    return column.replace(pl.Series(list(mapping), dtype=pl.String), pl.Series(list(mapping.values()), dtype=pl.String))

"""What is odd about desired records: the longest text, letters outside Latin, several currencies, every option of a field.

Belongs here: which fields each record fills, and examples of every oddity. Not here: which of them make a sample (phases.sample).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.spec.compile import CompiledPhase

CUSTOM = "custom"
LONG = 40
"""Characters from which a text is long: the longest of short ones shows nothing."""
ISO_SIZES = frozenset({10, 20})  # characters of 2026-11-22 and of 2026-11-22T10:00:00Z, as payloads have them
NOTHING = (0, "")
EXAMPLES = 20
"""Records remembered of each oddity: enough to choose from, few enough to look at."""
SIGNATURE_EXAMPLES = 3
TEXTS: Mapping[str, str] = {
    "letters outside Latin": r"[\p{L}&&\P{Latin}]",
    "right-to-left letters": r"[\p{Arabic}\p{Hebrew}]",
    "accented letters": r"[\p{Latin}&&[^\x00-\x7F]]",
    "an emoji": r"\p{Emoji_Presentation}",
    "several lines": r"\\n",
    "quotation marks": r'\\"',
    "angle brackets": r"<[a-zA-Z/]",
}
"""What a canonical payload's text may hold; JSON writes line ends and quotes with a backslash, letters as they are."""


@dataclass
class Traits:
    """What the records of one phase show."""

    keys: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Per record, in the order of `keys`, the number of its combination of fields."""
    signatures: list[frozenset[str]] = field(default_factory=list)
    """Combinations of fields in use, as `phase.field`."""
    examples: list[list[str]] = field(default_factory=list)
    """Some records of each combination."""
    oddities: dict[str, list[str]] = field(default_factory=dict)
    """Name of an oddity -> some records that have it."""

    @property
    def fields(self) -> frozenset[str]:
        """Every field that any record fills."""
        return frozenset().union(*self.signatures)


def traits_of(project: Project, phase: str, frame: pl.DataFrame) -> Traits:
    """Return what the desired records of a phase show; deterministic, 100,000 records take about a second."""
    compiled = project.compiled.phases[phase]
    watch = _Watch(phase, compiled)
    for key, text in frame.select("key", "payload").iter_rows():
        watch.look(key, orjson.loads(text))
    traits = watch.traits
    for name, keys in (*watch.extremes(), *_texts(frame), *_columns(frame), *_sources(project, phase)):
        if keys:
            traits.oddities[f"{phase}{name}"] = keys
    return traits


class _Watch:
    """Remembers, while records go by, which fields they fill and which are the extremes of each."""

    def __init__(self, phase: str, compiled: CompiledPhase) -> None:
        self.traits = Traits()
        self._phase = phase
        self._words = {each.name for each in compiled.fields if each.type in {"enum", "set", "boolean"} or each.name in _stages(compiled)}
        self._links = frozenset(compiled.links)
        self._numbers_of: dict[tuple[str, ...], int] = {}
        self._longest: dict[str, tuple[int, str]] = {}
        self._lowest: dict[str, tuple[Any, str]] = {}
        self._highest: dict[str, tuple[Any, str]] = {}
        self._spotted: dict[str, _Few] = {}

    def look(self, key: str, record: dict[str, Any]) -> None:
        """Take in one record."""
        inner = record.pop(CUSTOM, None) or {}
        names = (*record, "", *inner)
        number = self._numbers_of.get(names)
        if number is None:
            number = self._numbers_of[names] = len(self._numbers_of)
            self.traits.signatures.append(frozenset(f"{self._phase}.{name}" for name in names if name))
            self.traits.examples.append([])
        if len(self.traits.examples[number]) < SIGNATURE_EXAMPLES:
            self.traits.examples[number].append(key)
        self.traits.keys.append(key)
        self.traits.numbers.append(number)
        self._values(key, record)
        if inner:
            self._values(key, inner)

    def _values(self, key: str, values: Mapping[str, Any]) -> None:
        """Take in the values of one record: two million of 100,000 records, so that nothing is called that need not be."""
        longest, words = self._longest, self._words
        for name, value in values.items():
            kind = type(value)
            if kind is str:
                size = len(value)
                if size > LONG and size > longest.get(name, NOTHING)[0]:
                    longest[name] = (size, key)
                elif size in ISO_SIZES and value[4] == "-" and value[7] == "-":
                    self._extreme(name, value, key)
                if name in words:
                    self._spot(f".{name}: {value}", key)
            elif kind is list:
                if len(value) > 1:
                    self._spot(f".{name}: several values", key)
                if name in words:
                    for word in value:
                        self._spot(f".{name}: {word}", key)
            elif kind is bool:
                self._spot(f".{name}: {'yes' if value else 'no'}", key)
            elif kind is int or kind is float:
                self._extreme(name, value, key)

    def _spot(self, name: str, key: str) -> None:
        few = self._spotted.get(name)
        if few is None:
            few = self._spotted[name] = _Few()
        few.add(key)

    def _extreme(self, name: str, value: Any, key: str) -> None:
        low = self._lowest.get(name)
        if low is None or value < low[0]:
            self._lowest[name] = (value, key)
        high = self._highest.get(name)
        if high is None or value > high[0]:
            self._highest[name] = (value, key)

    def extremes(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what was remembered, by name."""
        for name, (_, key) in self._longest.items():
            if name not in self._links:
                yield f".{name}: longest text", [key]
        for name in self._lowest:
            if name not in self._links and self._lowest[name][0] != self._highest[name][0]:
                low, high = ("earliest", "latest") if isinstance(self._lowest[name][0], str) else ("lowest", "highest")
                yield f".{name}: {low}", [self._lowest[name][1]]
                yield f".{name}: {high}", [self._highest[name][1]]
        for name, few in self._spotted.items():
            yield name, few.keys


class _Few:
    """Some of many keys: the first ones, and later ones ever more rarely, so that more than the first file is among them."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self._count = 0

    def add(self, key: str) -> None:
        """Take in one key."""
        self._count += 1
        if len(self.keys) < EXAMPLES:
            self.keys.append(key)
        elif self._count & (self._count - 1) == 0:
            self.keys[self._count.bit_length() % EXAMPLES] = key


def _stages(compiled: CompiledPhase) -> set[str]:
    named = {pipeline.stage for pipeline in compiled.pipelines}
    return named | ({compiled.record_type} if compiled.record_type else set())


def _texts(frame: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for name, pattern in TEXTS.items():
        yield f": {name}", _some(frame.filter(pl.col("payload").str.contains(pattern)))


def _columns(frame: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    for column in ("currency", "status"):
        for word in frame.get_column(column).drop_nulls().unique().sort():
            yield f": {column} {word}", _some(frame.filter(pl.col(column) == word))
    yield ": negative amount", _some(frame.filter(pl.col("amount") < 0))
    yield ": amount of zero", _some(frame.filter(pl.col("amount") == 0))
    yield ": in several files", _some(frame.filter(pl.col("contributors").list.len() > 1))


def _sources(project: Project, phase: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what happened to the source rows on their way: twins merged, cells repaired."""
    for name in project.compiled.phases[phase].home_of:
        fates = read_resolved(project.resolved_folder, f"fates/{name}").filter(pl.col("into_phase") == phase)
        yield ": merged twins", _some(fates.filter(pl.col("fate") == "merged").select(key="into_key").drop_nulls())
        yield ": several rows folded into it", _some(fates.filter(pl.col("fate") == "folded").select(key="into_key").drop_nulls())
        yield from _repaired(project, name, fates)


def _repaired(project: Project, name: str, fates: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    rows: dict[str, list[pl.DataFrame]] = {}
    for chunk in project.object_chunks(name):
        frame = pl.scan_parquet(project.staged_path(name, chunk))
        columns = frame.collect_schema().names()
        raw = [c.removeprefix("raw_") for c in columns if c.startswith("raw_") and c.removeprefix("raw_") in columns]
        changed = {c: (pl.col(f"raw_{c}") != pl.col(c).cast(pl.String)).fill_null(value=False) for c in raw}
        found = frame.select("_row", **changed).filter(pl.any_horizontal(raw)).collect() if raw else pl.DataFrame()
        for column in raw:
            rows.setdefault(column, []).append(found.filter(pl.col(column)).select(pl.lit(chunk).alias("chunk"), row="_row"))
    for column, parts in sorted(rows.items()):
        joined = pl.concat(parts).join(fates, on=["chunk", "row"], how="inner", maintain_order="left")
        yield f": repaired cell in {name}.{column}", _some(joined.select(key="into_key").drop_nulls())


def _some(frame: pl.DataFrame) -> list[str]:
    """Return some keys of a frame, evenly over it."""
    keys = frame.get_column("key").unique(maintain_order=True)
    return keys.gather_every(max(1, len(keys) // EXAMPLES)).head(EXAMPLES).to_list()

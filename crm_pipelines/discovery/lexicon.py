"""The tables of aliases/: what people call things in four languages, ready to be looked up.

Belongs here: reading the tables once. Not here: the words themselves (aliases/*.yaml), reading a heading (headings), scoring (names,
propose). A concept is a row of targets.csv.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crm_pipelines.discovery.headings import Words, fold, read_heading

HERE = Path(__file__).parent
OBJECTS = ("person", "org", "deal", "activity", "product")
LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # texts only: `no`, `on` and `y` are words here
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True)
class Alias:
    """One name of one concept."""

    concept: str
    language: str
    spelled: str
    text: str
    """Folded, with spaces."""
    words: tuple[str, ...]
    place: float
    """0 for the first name of its concept and language, 1 for the last."""


@dataclass(frozen=True)
class Concept:
    """A row of targets.csv."""

    name: str
    label: str
    description: str
    kind: str

    @property
    def object(self) -> str:
        """What it is a column of: person, org, deal, activity, product."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Lexicon:
    """Every table, indexed."""

    concepts: Mapping[str, Concept]
    aliases: tuple[Alias, ...]
    """Of concepts, and of the columns that no concept stands for (`technical.*`, `kept.*`)."""
    words: Words
    weight: Mapping[str, float]
    """Canonical word -> how much it tells: words that many concepts share tell little."""
    objects: Mapping[str, frozenset[str]]
    """Object -> words of headings that only say whose column it is."""
    files: Mapping[str, frozenset[str]]
    """Object -> words of file and object names."""
    against: Mapping[str, float]
    """Word -> how surely a heading with it means something else."""
    kinds: Mapping[str, Mapping[str, float]]
    """Concept -> kind of value -> how well it fits."""
    types: Mapping[str, Mapping[str, float]]
    """Type of a custom field -> kind of value -> how well it fits."""
    called: Mapping[str, str]
    """Kind of value -> what a client calls such values."""


def read_table(name: str) -> Any:
    """Read one file of aliases/. Shape: every scalar is text."""
    return yaml.load((HERE / "aliases" / f"{name}.yaml").read_text("utf-8"), Loader=LOADER)  # noqa: S506  (BaseLoader makes texts, lists and mappings only)


@cache
def load_lexicon() -> Lexicon:
    """Read and index all tables; the same value every time."""
    table = read_table("words")
    kinds = read_table("kinds")
    spoken = list(_names())
    words = _vocabulary(table, spoken)
    own = tuple(alias for each in spoken for alias in _read(each, words))
    folded = {name: frozenset(words.same.get(fold(str(word)), fold(str(word))) for word in each) for name, each in table["objects"].items()}
    aliases = (*own, *_of_twins(own, table["twins"], frozenset(word for each in folded.values() for word in each)))
    return Lexicon(
        concepts={row["target"]: Concept(row["target"], row["label"], row["description"], row["kind"]) for row in _targets()},
        aliases=aliases,
        words=words,
        weight=_weights(own),
        objects=folded,
        files={name: frozenset(map(fold, each)) for name, each in table["files"].items()},
        against={
            words.same.get(fold(str(word)), fold(str(word))): float(grade) for grade, each in table["against"].items() for word in each
        },
        kinds=_floats(kinds["concepts"]),
        types=_floats(kinds["types"]),
        called=kinds["called"],
    )


def _floats(table: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, float]]:
    return {name: {kind: float(fit) for kind, fit in fits.items()} for name, fits in table.items()}


def _targets() -> list[dict[str, str]]:
    with (HERE / "targets.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _names() -> Iterator[Alias]:
    """Yield every name as written, labels of targets.csv first."""
    for row in _targets():
        yield Alias(row["target"], "en", row["label"], "", (), 0.0)
    for table in (*OBJECTS, "none"):
        for concept, languages in read_table(table).items():
            for language, names in languages.items():
                for place, name in enumerate(names):
                    yield Alias(concept, language, str(name), "", (), place / len(names))


def _vocabulary(table: Mapping[str, Any], spoken: list[Alias]) -> Words:
    same = {fold(str(other)): fold(canonical) for canonical, others in table["same"].items() for other in others}
    known = {word for alias in spoken for word in re.findall(r"[^\W_]+", fold(alias.spelled))}
    parts = (
        {word for word in known if not word.isdigit()}
        | set(same)
        | set(same.values())
        | {word for word in map(fold, table["stop"]) if len(word) > 3}
    )
    return Words(same=same, stop=frozenset(fold(word) for word in table["stop"]), known=frozenset(parts))


def _read(alias: Alias, words: Words) -> Iterator[Alias]:
    for spelled in dict.fromkeys((alias.spelled, alias.spelled.translate(UMLAUTS))):
        said = read_heading(spelled, words)
        yield replace(alias, text=said.text, words=tuple(dict.fromkeys((*said.words, *said.units))))


def _of_twins(own: Sequence[Alias], groups: Sequence[Sequence[str]], objects: frozenset[str]) -> Iterator[Alias]:
    """Yield the names that a concept has from its twins: those without a word that says whose column it is."""
    known = {(alias.concept, alias.language, alias.text) for alias in own}
    for group in groups:
        for alias in own:
            if alias.concept in group and objects.isdisjoint(alias.words):
                lent = (replace(alias, concept=name, place=1.0) for name in group if name != alias.concept)
                yield from (each for each in lent if (each.concept, each.language, each.text) not in known)


def _weights(aliases: tuple[Alias, ...]) -> dict[str, float]:
    """Return log(concepts / concepts with the word), at least 0.3."""
    holders = Counter(word for word, _ in {(word, alias.concept) for alias in aliases for word in alias.words})
    total = len({alias.concept for alias in aliases})
    return {word: max(0.3, math.log(total / count)) for word, count in holders.items()}

"""What is known of a column and a target, as numbers: names, values, neighbours, words that speak against it.

Belongs here: features of (column, target) and of (column, no target). Not here: weighing them (model), choosing (propose).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from crm_pipelines.discovery import evidence
from crm_pipelines.discovery.headings import Said, fold, read_heading
from crm_pipelines.discovery.lexicon import LANGUAGES, OBJECTS, Alias, load_lexicon
from crm_pipelines.discovery.names import NOTHING, NameIndex, NameMatch
from crm_pipelines.discovery.overlap import Hits, Overlap, distinct_of
from crm_pipelines.discovery.proposal import Target

FEATURES = ("name", "exact", "fit", "conflict", "missing", "against", "object", "name_fit", "overlap", "none_like", "open", "sure", "alone")
NONE_FEATURES = ("bias", "like", "exact", "technical", "code", "left_over")
OTHER_LANGUAGE = 0.9  # what a name counts in a language that the file does not speak
LEXICAL = frozenset(
    {
        "job_title",
        "industry",
        "source",
        "stage",
        "pipeline",
        "deal_status",
        "lost_reason",
        "consent",
        "city",
        "state",
        "company",
        "activity_type",
        "activity_text",
        "title",
        "product",
        "place",
        "category",
        "first_name",
        "full_name",
        "done",
    }
)
"""Kinds told by tables of words, which never hold all words: a third of the values found is much."""
STRUCTURED = frozenset(
    {
        "email",
        "phone",
        "mobile",
        "url",
        "domain",
        "linkedin",
        "date",
        "datetime",
        "birthday",
        "percent",
        "money",
        "number",
        "integer",
        "country",
        "postal_code",
        "currency",
    }
)
TELLING = frozenset(
    {
        "person.email",
        "person.phone",
        "person.mobile",
        "person.linkedin",
        "person.website",
        "person.country",
        "person.postal_code",
        "person.birthday",
        "person.language",
        "org.phone",
        "org.website",
        "org.country",
        "org.tax_id",
        "deal.currency",
    }
)
"""Concepts whose values are hardly ever anything else: the only such column of a file needs no good name."""
SUITS = 0.7  # fit from which values are of a concept, where only such columns of a file are counted
AFFINITY = {
    ("person", "org"): 0.6,
    ("org", "person"): 0.3,
    ("deal", "org"): 0.5,
    ("deal", "person"): 0.4,
    ("deal", "product"): 0.4,
    ("product", "deal"): 0.3,
    ("product", "org"): 0.3,
    ("product", "person"): 0.25,
    ("activity", "person"): 0.35,
    ("activity", "org"): 0.3,
    ("activity", "deal"): 0.2,
    ("person", "deal"): 0.15,
    ("person", "activity"): 0.1,
}
"""(Object of the file, object of the concept) -> how usual such a column is there."""


@dataclass(frozen=True)
class ColumnSample:
    """A column as the engine sees it: its heading and some of its values."""

    object: str
    """Name of the object or file; its words say whose columns these are."""
    heading: str
    column: str
    values: tuple[str, ...] = ()
    """Filled cells, repeats included; never logged, never stored."""
    filled: int = 0
    inferred: str = "text"


@dataclass(frozen=True)
class Facts:
    """Everything known of one column before weighing."""

    column: ColumnSample
    said: Said
    kinds: Mapping[str, float]
    names: tuple[NameMatch, ...]
    """Per target."""
    none_name: NameMatch
    """Best name of a column that no concept stands for."""
    none_concept: str
    fits: tuple[float, ...]
    hits: tuple[Hits, ...]
    technical: float
    matrix: np.ndarray = field(repr=False)
    """Targets x FEATURES."""
    none: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class _Clues:
    """What the rows of one column are made of."""

    kinds: Mapping[str, float]
    names: Sequence[NameMatch]
    fits: Sequence[float]
    hits: Sequence[Hits]
    none: NameMatch
    told: Mapping[str, float]


class Surveyor:
    """Takes the columns of one file and says what is known of each against every target."""

    def __init__(self, targets: Sequence[Target], overlap: Overlap) -> None:
        self.lexicon = load_lexicon()
        self.targets = tuple(targets)
        self.overlap = overlap
        self._keys = [_key(place, target) for place, target in enumerate(self.targets)]
        self.index = NameIndex(self.lexicon, self._own_names())
        self.objects = [self._object_of(target) for target in self.targets]

    def survey(self, columns: Sequence[ColumnSample]) -> list[Facts]:
        """Return the facts of every column; the object feature is that of the file's name until `with_neighbours`."""
        said = [self.index.read(column.heading) for column in columns]
        matches = [self.index.matches(each) for each in said]
        tongue = _tongue(matches)
        return self._alone([self._facts(column, each, found, tongue) for column, each, found in zip(columns, said, matches, strict=True)])

    def _alone(self, facts: Sequence[Facts]) -> list[Facts]:
        """Add whether values tell a concept by themselves: the fit, shared among the columns of the file that have it."""
        is_telling = np.array([target.concept in TELLING for target in self.targets], dtype=bool)
        fits = np.array([each.fits for each in facts], dtype=float).reshape(len(facts), len(self.targets))
        suits = (fits >= SUITS) & is_telling & np.array([bool(each.kinds) for each in facts], dtype=bool)[:, None]
        share = np.where(suits, fits, 0.0) / np.maximum(1, suits.sum(axis=0))
        made = []
        for place, each in enumerate(facts):
            matrix = each.matrix.copy()
            matrix[:, FEATURES.index("alone")] = share[place] * (1 - matrix[:, FEATURES.index("against")])
            made.append(replace(each, matrix=matrix))
        return made

    def with_neighbours(self, facts: Sequence[Facts], probable: Sequence[np.ndarray]) -> list[Facts]:
        """Add what the other columns of the file are about; `probable` are first guesses per target."""
        mass = np.array([[row[[o == name for o in self.objects]].sum() for name in OBJECTS] for row in probable])
        made = []
        for place, each in enumerate(facts):
            others = mass.sum(axis=0) - mass[place]
            share = others / others.max() if others.max() > 0.5 else np.full(len(OBJECTS), 0.5)
            about = dict(zip(OBJECTS, share, strict=True))
            told = _affinity(self.lexicon.files, each.column.object)
            matrix = each.matrix.copy()
            matrix[:, FEATURES.index("object")] = [0.5 * told.get(name, 0.5) + 0.5 * about.get(name, 0.5) for name in self.objects]
            made.append(replace(each, matrix=matrix))
        return made

    def _facts(self, column: ColumnSample, said: Said, found: Mapping[tuple[str, str], NameMatch], tongue: Mapping[str, float]) -> Facts:
        kinds = evidence.likenesses(column.values)
        best, none_name, none_concept = self._best_names(found, tongue)
        pairs = [(best.get(key, NOTHING), best.get(target.concept, NOTHING)) for key, target in zip(self._keys, self.targets, strict=True)]
        names = tuple(max(pair, key=lambda each: each.likeness) for pair in pairs)
        fits = tuple(self._fit(target, kinds) for target in self.targets)
        distinct = distinct_of(column.values)
        hits = tuple(self.overlap.hits(target, distinct) for target in self.targets)
        told = _affinity(self.lexicon.files, column.object)
        technical = _technical(kinds)
        clues = _Clues(kinds, names, fits, hits, none_name, told)
        rows = [self._row(place, clues) for place in range(len(self.targets))]
        none = np.array(
            [
                1.0,
                none_name.likeness,
                _exact(none_name),
                technical,
                _code(kinds),
                min((each.open_share for each in names if each.likeness > 0), default=1.0),
            ]
        )
        matrix = np.array(rows, dtype=float).reshape(len(rows), len(FEATURES))
        return Facts(column, said, kinds, names, none_name, none_concept, fits, hits, technical, matrix, none)

    def _best_names(
        self, found: Mapping[tuple[str, str], NameMatch], tongue: Mapping[str, float]
    ) -> tuple[dict[str, NameMatch], NameMatch, str]:
        best: dict[str, NameMatch] = {}
        for (concept, language), match in found.items():
            share = OTHER_LANGUAGE + (1 - OTHER_LANGUAGE) * tongue.get(language, 1.0)
            each = replace(match, likeness=match.likeness * share)
            if each.likeness > best.get(concept, NOTHING).likeness:
                best[concept] = each
        none = {concept: match for concept, match in best.items() if concept.partition(".")[0] in ("technical", "kept")}
        concept = max(none, key=lambda name: none[name].likeness, default="")
        return best, none.get(concept, NOTHING), concept

    def _fit(self, target: Target, kinds: Mapping[str, float]) -> float:
        if not kinds:
            return 0.5
        table = self.lexicon.kinds.get(target.concept) or self.lexicon.types.get(target.type, {})
        return max((weight * _boosted(kind, kinds.get(kind, 0.0)) for kind, weight in table.items()), default=0.3)

    def _row(self, place: int, clues: _Clues) -> list[float]:
        target, name, fit, kinds = self.targets[place], clues.names[place], clues.fits[place], clues.kinds
        conflict = max(0.0, evidence.strongest(kinds)[1] - fit)
        table = self.lexicon.kinds.get(target.concept) or self.lexicon.types.get(target.type, {})
        is_structured = bool(table) and all(kind in STRUCTURED or weight < 0.5 for kind, weight in table.items())
        missing = 1 - fit if is_structured and kinds else 0.0
        doubt = max(0.0, clues.none.likeness - name.likeness)
        affinity = clues.told.get(self.objects[place], 0.5)
        of_name = [name.likeness, _exact(name)]
        of_values = [fit, conflict, missing]
        sure = _exact(name) * fit
        return [
            *of_name,
            *of_values,
            name.against,
            affinity,
            name.likeness * fit,
            clues.hits[place].share,
            doubt,
            name.open_share,
            sure,
            0.0,
        ]

    def _own_names(self) -> list[Alias]:
        """Return the destination's own names of its fields as aliases."""
        made = []
        for key, target in zip(self._keys, self.targets, strict=True):
            for spelled in dict.fromkeys(filter(None, (target.label, "" if target.concept else target.name))):
                said = read_heading(spelled, self.lexicon.words)
                made.append(Alias(key, "", spelled, said.text, said.words, 0.0))
        return made

    def _object_of(self, target: Target) -> str:
        """Return what a target belongs to; a custom field to what the other fields of its phase are about."""
        if target.concept:
            return target.concept.partition(".")[0]
        about = [each.concept.partition(".")[0] for each in self.targets if each.concept and each.phase == target.phase]
        return max(set(about), key=about.count) if about else ""


def _key(place: int, target: Target) -> str:
    return f"target:{place}:{target.name}"


def _tongue(matches: Sequence[Mapping[tuple[str, str], NameMatch]]) -> dict[str, float]:
    """Return how much a file speaks each language: 1 for the one that most of its headings are names in."""
    votes = dict.fromkeys(LANGUAGES, 0.0)
    for found in matches:
        for language in votes:
            votes[language] += max(
                (match.likeness for (_, spoken), match in found.items() if spoken == language and match.likeness > 0.9), default=0.0
            )
    most = max(votes.values())
    return {language: (vote / most) ** 2 if most else 1.0 for language, vote in votes.items()}


def _affinity(files: Mapping[str, frozenset[str]], name: str) -> dict[str, float]:
    """Return how usual columns of each object are in a file of this name; all alike when the name tells nothing."""
    words = set(re.findall(r"[^\W_]+", fold(name)))
    told = [about for about in OBJECTS if files[about] & words]
    if not told:
        return dict.fromkeys(OBJECTS, 0.5)
    return {each: max(1.0 if each == about else AFFINITY.get((about, each), 0.0) for about in told) for each in OBJECTS}


def _boosted(kind: str, likeness: float) -> float:
    return float(likeness**0.5) if kind in LEXICAL else likeness


def _exact(name: NameMatch) -> float:
    return max(0.0, (name.likeness - 0.85) / 0.15)


def _technical(kinds: Mapping[str, float]) -> float:
    return max((kinds.get(kind, 0.0) for kind in evidence.TECHNICAL), default=0.0)


def _code(kinds: Mapping[str, float]) -> float:
    return max(0.0, kinds.get("code", 0.0) - kinds.get("tax_id", 0.0) - kinds.get("postal_code", 0.0) - kinds.get("phone", 0.0))

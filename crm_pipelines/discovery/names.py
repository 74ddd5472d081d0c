"""How like a heading is to the names that people give to a concept.

Belongs here: likeness of words. Not here: the names (aliases), reading headings (headings), what values tell (evidence).

Words count by how much they tell (`name` stands in twenty concepts, `birth` in one); a word matches a word that is spelled almost the
same. Words that only say whose column it is (`Contact phone`) cost little; words of the heading that the name does not have cost
what they tell, and more where they speak against a field (`Last modified`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz import fuzz, process

from crm_pipelines.discovery.headings import Said, read_heading
from crm_pipelines.discovery.lexicon import Alias, Lexicon

SPELLED_ALIKE = 84.0  # per cent of rapidfuzz.fuzz.ratio; below it words as `stage` and `state` would meet
WORD_MIN = 4  # shorter words have to be equal
UNKNOWN_WEIGHT = 2.5  # of a word that no alias has
OBJECT_SHARE = 0.2  # what a word counts that only says whose column it is
UNIT_SHARE = 0.25
TEXT_LIKE = 86.0  # whole texts that are almost equal: typos
TEXT_TRUST = 0.93
SPELLINGS = 3
CUT, CUT_BARE, SKELETON = 0.92, 0.8, 0.8  # a word cut short with a full stop, without; one that lost its vowels
CUT_MIN = 3  # letters of a cut word without a full stop
VOWELS = "aeiouy"
TOGETHER_MIN, TOGETHER = 0.5, 0.88  # a name that has half of the heading; what several names are worth together


@dataclass(frozen=True)
class NameMatch:
    """The best name of one concept for a heading."""

    likeness: float
    alias: str
    """As written in the table."""
    language: str
    against: float = 0.0
    """How surely the words that the name does not have speak against it."""
    uncovered: tuple[str, ...] = ()
    speaker: str = ""
    """The one of them that speaks loudest."""
    open_share: float = 0.0
    """Share of the heading's weight that the name does not have."""


NOTHING = NameMatch(0.0, "", "")


class NameIndex:
    """All names, indexed by word."""

    def __init__(self, lexicon: Lexicon, extra: Iterable[Alias] = ()) -> None:
        self.lexicon = lexicon
        self.aliases = (*lexicon.aliases, *extra)
        self._texts = [alias.text for alias in self.aliases]
        self._holders: dict[str, list[int]] = defaultdict(list)
        for place, alias in enumerate(self.aliases):
            for word in alias.words:
                self._holders[word].append(place)
        self._words = list(self._holders)
        self._spellings: dict[tuple[str, bool], dict[str, float]] = {}
        self._of_object = dict(lexicon.objects)

    @cached_property
    def object_words(self) -> frozenset[str]:
        """Every word that only says whose column it is."""
        return frozenset(word for words in self._of_object.values() for word in words)

    def read(self, heading: str) -> Said:
        """Read a heading with the words of the tables."""
        return read_heading(heading, self.lexicon.words)

    def matches(self, said: Said) -> dict[tuple[str, str], NameMatch]:
        """Return the best name per (concept, language); those without any likeness are left out."""
        best: dict[tuple[str, str], NameMatch] = {}
        for place, likeness in self._likely(said).items():
            alias = self.aliases[place]
            key = (alias.concept, alias.language)
            if likeness > best.get(key, NOTHING).likeness:
                best[key] = self._told(said, alias, likeness)
        return {key: self._together(said, key, match) for key, match in best.items()}

    def _together(self, said: Said, key: tuple[str, str], match: NameMatch) -> NameMatch:
        """Raise a match whose concept knows every word of the heading, though no single name has them all (`Consent newsletter`)."""
        is_known = all(word in self._said_of[key] for word in said.words)
        if not is_known or len(said.words) < 2 or not TOGETHER_MIN <= match.likeness < TOGETHER:
            return match
        return replace(match, likeness=TOGETHER, against=0.0, uncovered=(), open_share=0.0)

    @cached_property
    def _said_of(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Return every word of the names of a concept in a language."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for alias in self.aliases:
            found[alias.concept, alias.language].update(alias.words)
        return {key: frozenset(words) for key, words in found.items()}

    def _likely(self, said: Said) -> dict[int, float]:
        found = {place: score / 100 * TEXT_TRUST for place, score in self._spelled_alike(said.text)}
        spellings = {word: self._like(word, word in said.short) for word in (*said.words, *said.units, *said.prefix)}
        for place in {place for near in spellings.values() for word in near for place in self._holders[word]}:
            alias = self.aliases[place]
            likeness = 1.0 if alias.text == said.text else self._words_alike(said, alias, spellings)
            found[place] = max(found.get(place, 0.0), likeness) * (1 - 0.03 * alias.place)
        return found

    def _spelled_alike(self, text: str) -> list[tuple[int, float]]:
        if len(text) < WORD_MIN:
            return []
        found = process.extract(text, self._texts, scorer=fuzz.ratio, score_cutoff=TEXT_LIKE, limit=40)
        return [(place, score) for _, score, place in found]

    def _like(self, word: str, is_short: bool = False) -> dict[str, float]:
        """Return the words of the tables that are spelled like this one, or that it is short for."""
        if (word, is_short) not in self._spellings:
            near = {word: 1.0} if word in self._holders else {}
            if len(word) >= WORD_MIN:
                for other, score, _ in process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=SPELLED_ALIKE, limit=SPELLINGS):
                    if len(other) >= WORD_MIN:
                        near.setdefault(other, score / 100)
            for other, likeness in self._long_for(word, is_short):
                near[other] = max(near.get(other, 0.0), likeness)
            self._spellings[word, is_short] = near
        return self._spellings[word, is_short]

    def _long_for(self, word: str, is_short: bool) -> Iterable[tuple[str, float]]:
        """Yield the words that a word is cut from (`observ.`) or is the consonants of (`whg`)."""
        if (word in self._holders and not is_short) or not word.isalpha() or len(word) < (2 if is_short else CUT_MIN):
            return
        likeness = CUT if is_short else CUT_BARE
        letters = re.compile(".*".join(word))
        is_skeleton = len(word) >= CUT_MIN and sum(letter in VOWELS for letter in word) <= 1
        for other in self._words:
            if len(other) <= len(word) or other[0] != word[0]:
                continue
            if other.startswith(word):
                yield other, likeness
            elif is_skeleton and letters.match(other) and len(other) > WORD_MIN:
                yield other, SKELETON * (1.0 if is_short else 0.9)

    def _words_alike(self, said: Said, alias: Alias, spellings: Mapping[str, Mapping[str, float]]) -> float:
        """Return the harmonic mean of both sides' covered weight."""
        covered = {word: max((spellings[word].get(other, 0.0) for other in alias.words), default=0.0) for word in said.words}
        if not any(covered.values()):
            return 0.0
        aside = (*said.units, *said.prefix)
        heard = dict.fromkeys(alias.words, 0.0)
        for word in (*said.words, *aside):
            for other in alias.words:
                heard[other] = max(heard[other], spellings[word].get(other, 0.0))
        of_heading = self._share(covered, alias.concept, aside)
        of_alias = self._share(heard, alias.concept, ())
        return 0.98 * 2 * of_heading * of_alias / (of_heading + of_alias) if of_heading and of_alias else 0.0

    def _share(self, covered: Mapping[str, float], concept: str, aside: Sequence[str]) -> float:
        total = met = 0.0
        for word, likeness in covered.items():
            weight = self._weight(word, concept, likeness > 0)
            total, met = total + weight, met + weight * likeness
        total += sum(
            UNIT_SHARE * self._weight(word, concept, False) for word in aside if word not in covered and word not in self.object_words
        )
        return met / total if total else 0.0

    def _weight(self, word: str, concept: str, is_met: bool) -> float:
        weight = self.lexicon.weight.get(word, UNKNOWN_WEIGHT)
        own = self._of_object.get(concept.partition(".")[0], frozenset())
        return weight * OBJECT_SHARE if not is_met and word in own else weight

    def _told(self, said: Said, alias: Alias, likeness: float) -> NameMatch:
        """Return a match with what the name leaves open of the heading."""
        if alias.text == said.text:
            return NameMatch(likeness, alias.spelled, alias.language)
        every = dict.fromkeys((*said.words, *said.units))
        uncovered = tuple(
            word for word in every if not any(other in alias.words for other in (word, *self._like(word, word in said.short)))
        )
        loud = [(self._speaks_against(word, word in said.short), word) for word in uncovered]
        against, speaker = max(loud, key=lambda each: each[0], default=(0.0, ""))
        weights = {word: self._weight(word, alias.concept, False) for word in said.words}
        left = sum(weight for word, weight in weights.items() if word in uncovered)
        return NameMatch(likeness, alias.spelled, alias.language, against, uncovered, speaker, left / max(0.1, sum(weights.values())))

    def _speaks_against(self, word: str, is_short: bool) -> float:
        """Return how surely a word speaks against a field, also one that is cut short (`Emerg.`)."""
        own = self.lexicon.against.get(word, 0.0)
        return max((likeness * self.lexicon.against.get(other, 0.0) for other, likeness in self._like(word, is_short).items()), default=own)

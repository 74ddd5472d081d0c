"""Which known word an unknown one may mean: the same in another language, or spelled nearly so.

Belongs here: likeness of single words of statuses, stages, kinds and options. Not here: which words are unknown (vocabularies), owners
(owners), headings (names).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from rapidfuzz import fuzz

from crm_pipelines.discovery.headings import fold
from crm_pipelines.discovery.lexicon import read_table

SAME_WORD, SAME_MEANING = 1.0, 0.95
SPELLED_MIN = 75.0  # per cent of rapidfuzz; below it words only share letters
SPELLED_TRUST = 0.85  # `inactive` and `active` are spelled alike, too
CANDIDATES = 3


def meanings(word: str, known: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Return the known words that a word may mean, best first, three at most."""
    scored = [(_likeness(word, other), other) for other in dict.fromkeys(known) if other.strip()]
    best = sorted(((-score, other) for score, other in scored if score > 0))
    return tuple((other, round(-score, 4)) for score, other in best[:CANDIDATES])


def _likeness(word: str, other: str) -> float:
    one, two = _plain(word), _plain(other)
    if one == two:
        return SAME_WORD
    mine, theirs = _groups().get(one, frozenset()), _groups().get(two, frozenset())
    if mine & theirs:
        return SAME_MEANING
    if mine and theirs:
        return 0.0  # both are known, and mean different things
    alike = fuzz.ratio(one, two)
    return alike / 100 * SPELLED_TRUST if alike >= SPELLED_MIN else 0.0


def _plain(word: str) -> str:
    return " ".join(fold(word).replace("_", " ").replace("-", " ").split())


@cache
def _groups() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, words in enumerate(read_table("meanings")):
        for word in words:
            found.setdefault(_plain(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}

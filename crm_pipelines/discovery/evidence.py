"""What the values of a column look like, as likeness of 0 to 1 per kind.

Belongs here: judging values by their shape and by small tables of words. Not here: which kinds suit which field (aliases/kinds.yaml),
names (names), users and options of a destination (overlap).

Kinds overlap on purpose: a mobile number is a phone, a birthday is a date. A likeness is the mean over the filled values, so 0.98 reads
as `98 % of the values`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from crm_pipelines.discovery import shapes
from crm_pipelines.discovery.headings import fold
from crm_pipelines.discovery.lexicon import read_table
from crm_pipelines.spec.countries import country_code

SAMPLE_MAX = 500
STRONG = frozenset(
    {"email", "phone", "url", "domain", "date", "datetime", "money", "number", "integer", "boolean", "percent", "time", "long_text"}
)
"""Kinds that are told by shape alone: a column of them is nothing else."""
NO_NAMES = frozenset({"company", "job_title", "street"})
TECHNICAL = frozenset({"ip", "uuid", "hash", "json", "path", "user_agent", "colour", "stamp", "serial", "coordinate", "emoji"})
"""Kinds that help nobody in a destination."""


def likenesses(values: Iterable[str]) -> dict[str, float]:
    """Return how like the values are to each kind; kinds that no value is like are left out. Shape: {} without a value."""
    filled = [text for value in values if (text := value.strip())][:SAMPLE_MAX]
    if not filled:
        return {}
    totals: Counter[str] = Counter()
    for value, times in Counter(filled).items():
        for kind, degree in of_value(value).items():
            totals[kind] += degree * times  # type: ignore[assignment]  # Counter is typed for whole numbers
    found = {kind: total / len(filled) for kind, total in totals.items()}
    return {**found, **_of_column(filled, found)}


@lru_cache(maxsize=20_000)
def of_value(value: str) -> Mapping[str, float]:
    """Return the kinds that one value is like."""
    return {**shapes.of_text(value), **_by_words(value)}


def strongest(found: Mapping[str, float]) -> tuple[str, float]:
    """Return the kind of shape that fits best, with its likeness; empty and 0 when none does."""
    return max(((kind, found[kind]) for kind in found if kind in STRONG), key=lambda each: each[1], default=("", 0.0))


def _by_words(value: str) -> dict[str, float]:
    """Return kinds by tables of words: names, towns, job titles, stages."""
    folded = fold(value).strip(" .")
    if len(folded) > 120:
        return {}
    whole, by_word = _tables()
    tokens = shapes.words_of(folded)
    found = dict.fromkeys(whole.get(folded, ()), 1.0)
    for token in tokens:
        for kind in by_word.get(token, ()):
            found[kind] = max(found.get(kind, 0.0), 0.9)
    if _is_country(value):
        found["country"] = 1.0
    found.update(_as_name(value, tokens, whole, found))
    return found


def _is_country(value: str) -> bool:
    if len(value) == 2:
        return value.isupper() and country_code(value) is not None
    return country_code(value) is not None


def _as_name(value: str, tokens: Sequence[str], whole: Mapping[str, frozenset[str]], found: Mapping[str, float]) -> dict[str, float]:
    """Return how like a person's name a value is: capital letters, two or three words, a first name among them."""
    if not shapes.is_name_like(value) or not NO_NAMES.isdisjoint(found):
        return {}
    if shapes.HONORIFIC.match(value):
        return {"full_name": 0.9}
    known = [("first_name" in whole.get(token, ())) for token in tokens]
    if len(tokens) == 1:
        return {"first_name": 1.0, "last_name": 0.15} if known[0] else {"first_name": 0.45, "last_name": 0.7}
    return _as_full_name(value, known)


def _as_full_name(value: str, known: Sequence[bool]) -> dict[str, float]:
    """Judge several words, of which some are known first names."""
    if "," in value:
        return {"full_name": 1.0 if any(known) else 0.5}
    if len(known) > 4:
        return {"full_name": 0.2}
    if known and known[0]:
        return {"first_name": 0.5 if all(known) else 0.2, "full_name": 0.5 if all(known) and "-" in value else 1.0}
    return {"full_name": 0.65, "last_name": 0.4}


def _of_column(filled: Sequence[str], found: Mapping[str, float]) -> dict[str, float]:
    """Return kinds that only the column as a whole shows."""
    made: dict[str, float] = {}
    distinct = len(set(filled))
    share = distinct / len(filled)
    worded = found.get("words", 0.0)
    if len(filled) >= 20:
        made["enum"] = max(0.0, 1 - distinct / 25) if share < 0.5 else 0.0
    elif distinct < len(filled):
        made["enum"] = 0.6
    if found.get("integer", 0.0) > 0.9 and distinct == len(filled) and _is_running(filled):
        made["serial"] = 0.8
    if worded > 0.5 and found.get("first_name", 0.0) < 0.5 and distinct < len(filled):
        made["enum"] = max(made.get("enum", 0.0), 0.6)
    if found.get("date", 0.0) > 0.5 and (old := _share_born(filled)) > 0:
        made["birthday"] = found["date"] * old
    if found.get("percent", 0.0) < 0.5 and found.get("integer", 0.0) > 0.9 and _is_per_cent(filled):
        made["percent"] = 0.7
    return made


def _is_running(filled: Sequence[str]) -> bool:
    """Whether whole numbers of one length lie close together, as keys do."""
    digits = [int(value) for value in filled if value.isdigit() and len(value) >= 4]
    if len(digits) < max(3, len(filled) * 0.9) or len({len(str(each)) for each in digits}) > 1:
        return False
    return max(digits) - min(digits) < 10 ** (len(str(digits[0])) - 1) and not all(each % 10 == 0 for each in digits)


def _share_born(filled: Sequence[str]) -> float:
    """Return the share of dates in years in which people who are alive and grown up were born."""
    years = [year for value in filled if (year := shapes.year_of(value)) is not None]
    return sum(1920 <= year <= 2008 for year in years) / len(filled) if years else 0.0


def _is_per_cent(filled: Sequence[str]) -> bool:
    numbers = [int(value) for value in filled if value.isdigit()]
    return bool(numbers) and all(0 <= each <= 100 and each % 5 == 0 for each in numbers) and max(numbers) > 5


@cache
def _tables() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return whole value -> kinds, and word -> kinds."""
    table = read_table("values")
    return _inverted(table["whole"]), _inverted(table["words"])


def _inverted(table: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for kind, words in table.items():
        for word in words:
            found.setdefault(fold(word), set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}

"""What the destination holds already, and how many values of a column are among it: the hardest evidence there is.

Belongs here: users, stages, pipelines, record types, labels and options as plain sets, and counting hits. Not here: asking the
destination (destinations), weighing the hits (propose).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from crm_pipelines.discovery.headings import fold
from crm_pipelines.discovery.proposal import Target

HITS_MIN = 2  # distinct words; one `open`, alone or among strangers, is chance; one address is not
OF_CONCEPT = {
    "person.owner": ("users", "users of the new system"),
    "org.owner": ("users", "users of the new system"),
    "deal.owner": ("users", "users of the new system"),
    "activity.owner": ("users", "users of the new system"),
    "deal.stage": ("stages", "stages of the new system"),
    "deal.pipeline": ("pipelines", "pipelines of the new system"),
    "activity.type": ("types", "activity types of the new system"),
    "person.tags": ("labels", "labels of the new system"),
    "org.website": ("domains", "web addresses of companies in the new system"),
}


@dataclass(frozen=True)
class Overlap:
    """What the destination holds, folded; empty where it was not asked."""

    users: frozenset[str] = frozenset()
    """E-mail addresses and names."""
    stages: frozenset[str] = frozenset()
    pipelines: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    options: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """(phase, field) -> labels of its options."""

    @classmethod
    def of(
        cls,
        *,
        users: Mapping[str, str] | Iterable[str] = (),
        user_names: Iterable[str] = (),
        stages: Mapping[str, Iterable[str]] | None = None,
        types: Iterable[str] = (),
        labels: Iterable[str] = (),
        domains: Iterable[str] = (),
        options: Mapping[tuple[str, str], Iterable[str]] | None = None,
    ) -> Overlap:
        """Fold plain mappings: `stages` is pipeline -> stages, `users` e-mail addresses."""
        emails = _folded(users)
        boards = stages or {}
        return cls(
            users=emails | _folded(user_names) | frozenset(map(_spoken, emails)),
            stages=_folded(stage for each in boards.values() for stage in each),
            pipelines=_folded(boards),
            types=_folded(types),
            labels=_folded(labels),
            domains=_folded(domains),
            options={key: _folded(each) for key, each in (options or {}).items()},
        )

    def hits(self, target: Target, distinct: frozenset[str]) -> Hits:
        """Count the distinct values (`distinct_of`) that the destination holds where the target would put them."""
        held, what = self._held(target)
        if not held:
            return Hits(0, len(distinct), what)
        hits = distinct & held
        is_telling = len(hits) >= HITS_MIN or (hits == distinct and all("@" in hit for hit in hits))
        return Hits(len(hits) if is_telling else 0, len(distinct), what)

    def _held(self, target: Target) -> tuple[frozenset[str], str]:
        """Return what is held; the options of a field that the vendor calls by another name come with the target."""
        name, what = OF_CONCEPT.get(target.concept, ("", ""))
        held: frozenset[str] = getattr(self, name) if name else frozenset()
        if held:
            return held, what
        options = self.options.get((target.phase, target.name)) or _options(target.options)
        return options, f"options of `{target.label or target.name}`"


def distinct_of(values: Iterable[str]) -> frozenset[str]:
    """Return the distinct values of a column, folded as what is held is."""
    return frozenset(fold(value.strip()) for value in dict.fromkeys(values) if value.strip())


@dataclass(frozen=True)
class Hits:
    """How many distinct values are known to the destination."""

    found: int
    distinct: int
    what: str

    @property
    def share(self) -> float:
        """Share of the distinct values."""
        return self.found / self.distinct if self.distinct else 0.0


@lru_cache(maxsize=1_000)
def _options(words: tuple[str, ...]) -> frozenset[str]:
    return _folded(words)


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(str(word).strip()) for word in words)


def _spoken(email: str) -> str:
    """Return the name that an address spells: `anna.meier@example.com` -> anna meier."""
    return " ".join(email.partition("@")[0].replace("_", ".").split("."))

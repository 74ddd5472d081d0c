"""The sample: the few records that show the most of a migration, for a client to look at before everything is loaded.

Belongs here: which records are chosen, and what they show. Not here: what is odd about a record (phases.oddities), sealing the choice
(phases.confirm), showing it beside its source (reports.side_by_side).

A greedy set cover over fields and odd values: each next record is the one that shows most of what was not shown yet; where several
show as much, the one from the file that was chosen from least. What remains is spread over the files. The same records give the same
sample.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.oddities import Traits, traits_of
from crm_pipelines.phases.project import Project

SHOWN_MISSING = 12
NEVER: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True)
class Coverage:
    """What the records of a sample show; names of fields, options and kinds of oddity, never a value of a record."""

    phase: str
    records: int
    fields: int
    """Fields that any record fills, over all phases."""
    fields_shown: int
    oddities: int
    oddities_shown: int
    missing: tuple[str, ...]
    """What no record of the sample shows."""

    def told(self) -> str:
        """Return `50 people, 61 of 63 fields, 34 of 36 odd values; not shown: ...`."""
        shown = f"{self.fields_shown} of {self.fields} fields, {self.oddities_shown} of {self.oddities} odd values"
        more = f" and {len(self.missing) - SHOWN_MISSING} more" if len(self.missing) > SHOWN_MISSING else ""
        missing = f"; not shown: {', '.join(self.missing[:SHOWN_MISSING])}{more}" if self.missing else ""
        return f"{self.records} {self.phase}, {shown}{missing}"


@dataclass(frozen=True)
class Sample:
    """The records of a sample, by phase, and what they show."""

    keys: dict[str, list[str]]
    coverage: Coverage


def choose_sample(project: Project, count: int, absent: Mapping[str, Collection[str]] = NEVER) -> Sample:
    """Choose `count` records of the widest phase, with their parents and the records that hang on them; none of them waits.

    `absent` names, per phase that is only matched, the keys that have no match: records that point to them would wait.
    Raises: SettingsError where no record could be loaded: nobody can look at nothing.
    """
    frames = {phase: _read(project, phase) for phase in project.phases}
    centre = centre_of(project, {phase: frame.height for phase, frame in frames.items()})
    ready = frames[centre].filter(pl.col("queue").is_null() & _is_free(project, centre, frames[centre], absent))
    features = _features(project, frames, centre, ready)
    chosen = _cover(features, _files(ready), count)
    chosen += _spread(ready, chosen, count - len(chosen))
    if not chosen:
        raise SettingsError(_nothing_to_show(project, centre, frames[centre].height))
    keys = _with_relatives(project, frames, centre, chosen)
    return Sample({phase: sorted(found) for phase, found in keys.items()}, _coverage(features, centre, chosen))


def _nothing_to_show(project: Project, centre: str, count: int) -> str:
    name = project.engagement.name
    if not count:
        return f"{name}: a sample of nothing shows nothing: the exports make no record. Look at `crm discover {name}`. Nothing was sealed."
    return f"{name}: all {count:,} {centre} wait, so no sample can be loaded. `crm plan {name}` says why they do. Nothing was sealed."


@dataclass(frozen=True)
class _Features:
    """What each candidate shows, and everything there is to show."""

    of: dict[str, set[str]]
    """Candidate key -> names of fields (`people.name`) and oddities (`people.name: longest text`)."""
    fields: frozenset[str]
    oddities: frozenset[str]


def _read(project: Project, phase: str) -> pl.DataFrame:
    if project.compiled.phases[phase].pairs:
        return project.mapped(phase, "key", "of", "record")
    links = [f"link_{name}" for name in project.compiled.phases[phase].links]
    return project.mapped(phase, "key", "queue", "payload", "contributors", "amount", "currency", "status", *links)


def centre_of(project: Project, heights: Mapping[str, int]) -> str:
    """Return the phase that most others hang on, the largest of several; `heights` are the phases' records."""
    counts: Counter[str] = Counter()
    for compiled in project.compiled.phases.values():
        counts.update(parent for parent in compiled.links.values() if project.compiled.phases[parent].create != "never")
    return max((p for p in heights if counts.get(p)), key=lambda p: (counts[p], heights[p]), default=project.phases[0])


def _is_free(project: Project, phase: str, frame: pl.DataFrame, absent: Mapping[str, Collection[str]]) -> pl.Expr:
    """Say which records point to nobody who is missing."""
    free = pl.lit(value=True)
    for name, parent in project.compiled.phases[phase].links.items():
        if absent.get(parent) and f"link_{name}" in frame.columns:
            free &= ~pl.col(f"link_{name}").is_in(list(absent[parent])).fill_null(value=False)
    return free


def _features(project: Project, frames: Mapping[str, pl.DataFrame], centre: str, ready: pl.DataFrame) -> _Features:
    compiled = project.compiled.phases
    near = [p for p in project.phases if not compiled[p].pairs and (p == centre or centre in compiled[p].links.values())]
    near += [parent for parent in dict.fromkeys(compiled[centre].links.values()) if compiled[parent].create != "never"]
    hangs = {phase: _hangs(project, phase, centre, frames[phase], ready) for phase in near}
    traits = {phase: traits_of(project, phase, hangs[phase].of(frames[phase])) for phase in near}
    of: dict[str, set[str]] = {}
    for phase in near:
        spotted = list(_spotted(traits[phase]))
        centres = hangs[phase].centres({key for _, keys in spotted for key in keys})
        for name, keys in spotted:
            for key in [each for own in keys for each in centres.get(own, ())]:
                of.setdefault(key, set()).add(name)
    for phase in near:
        hangs[phase].add_fields(traits[phase], of)
    names = [one.fields for one in traits.values()]
    odd = [frozenset(one.oddities) for one in traits.values()]
    return _Features(of, frozenset().union(*names), frozenset().union(*odd))


def _spotted(traits: Traits) -> Iterable[tuple[str, list[str]]]:
    """Yield every oddity and every combination of fields with some records that have it."""
    yield from traits.oddities.items()
    for number, keys in enumerate(traits.examples):
        name = next(iter(sorted(traits.signatures[number])), None)
        if name is not None:
            yield name, keys


class _Hangs:
    """Which records of the centre a phase's records belong to."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame  # [own, centre]: one row per pair, in the order of the exports

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the records that a sample could hold."""
        return frame.join(self._frame, left_on="key", right_on="own", how="semi", maintain_order="left")

    def centres(self, own: Collection[str]) -> dict[str, list[str]]:
        """Return record -> the records of the centre that it belongs to, a few of each."""
        found = self._frame.filter(pl.col("own").is_in(list(own))).group_by("own", maintain_order=True).agg(pl.col("centre").head(3))
        return dict(found.iter_rows())

    def add_fields(self, traits: Traits, of: dict[str, set[str]]) -> None:
        """Add to every candidate the fields that its records fill."""
        signed = pl.DataFrame({"own": traits.keys, "number": traits.numbers}, schema={"own": pl.String, "number": pl.Int64})
        found = self._frame.filter(pl.col("centre").is_in(list(of))).join(signed, on="own", how="inner")
        for key, number in found.select("centre", "number").unique().iter_rows():
            of[key] |= traits.signatures[number]


def _hangs(project: Project, phase: str, centre: str, frame: pl.DataFrame, ready: pl.DataFrame) -> _Hangs:
    links = project.compiled.phases[phase].links
    if phase == centre:
        return _Hangs(ready.select(own="key", centre="key"))
    if centre in links.values():
        column = next(f"link_{name}" for name, parent in links.items() if parent == centre)
        pairs = frame.filter(pl.col("queue").is_null()).select(own="key", centre=column)
        return _Hangs(pairs.join(ready.select(centre="key"), on="centre", how="semi", maintain_order="left"))
    column = next(f"link_{name}" for name, parent in project.compiled.phases[centre].links.items() if parent == phase)
    return _Hangs(ready.select(own=column, centre="key").drop_nulls())


def _files(ready: pl.DataFrame) -> dict[str, str]:
    """Return the first file that each record came in."""
    return dict(ready.select("key", pl.col("contributors").list.first().fill_null("")).iter_rows())


def _cover(features: _Features, file_of: Mapping[str, str], count: int) -> list[str]:
    """Choose up to `count` records, each showing most of what is not shown yet; stops when nothing is left to show.

    What a record adds only ever shrinks, so that an entry of the heap which is still first after a second look is the best.
    """
    shown: set[str] = set()
    taken: Counter[str] = Counter()
    chosen: list[str] = []
    heap = [(-len(names), 0, key) for key, names in features.of.items()]
    heapq.heapify(heap)
    while heap and len(chosen) < count:
        _, _, key = heapq.heappop(heap)
        now = (-len(features.of[key] - shown), taken[file_of[key]], key)
        if now[0] == 0:
            continue
        if heap and now > heap[0]:
            heapq.heappush(heap, now)
            continue
        chosen.append(key)
        shown |= features.of[key]
        taken[file_of[key]] += 1
    return chosen


def _spread(ready: pl.DataFrame, chosen: list[str], count: int) -> list[str]:
    """Return `count` more records, evenly over the files and over each file's keys."""
    rest = ready.filter(~pl.col("key").is_in(chosen)).select("key", file=pl.col("contributors").list.first()).sort("file", "key")
    if count <= 0 or rest.is_empty():
        return []
    step = max(1, rest.height // count)
    return rest.gather_every(step).head(count).get_column("key").to_list()


def _with_relatives(project: Project, frames: Mapping[str, pl.DataFrame], centre: str, chosen: list[str]) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {phase: set() for phase in frames}
    keys[centre] = set(chosen)
    _add_children(project, frames, keys)
    _add_parents(project, frames, keys)
    for phase, frame in frames.items():
        if project.compiled.phases[phase].pairs:
            wanted = [(pl.col("of") == of) & pl.col("record").is_in(list(keys[of])) for of in project.compiled.phases[phase].pairs]
            keys[phase] = set(frame.filter(pl.any_horizontal(wanted)).get_column("key"))
    return keys


def _add_children(project: Project, frames: Mapping[str, pl.DataFrame], keys: dict[str, set[str]]) -> None:
    for phase in project.phases:
        if keys[phase]:
            continue
        for name, parent in project.compiled.phases[phase].links.items():
            frame = frames[phase]
            if keys[parent] and f"link_{name}" in frame.columns:
                hang = frame.filter(pl.col("queue").is_null() & pl.col(f"link_{name}").is_in(list(keys[parent])))
                keys[phase] |= set(hang.get_column("key"))


def _add_parents(project: Project, frames: Mapping[str, pl.DataFrame], keys: dict[str, set[str]]) -> None:
    for phase in reversed(project.phases):
        chosen = frames[phase].filter(pl.col("key").is_in(list(keys[phase])))
        for name, parent in project.compiled.phases[phase].links.items():
            if f"link_{name}" in chosen.columns:
                keys[parent] |= set(chosen.get_column(f"link_{name}").drop_nulls())


def _coverage(features: _Features, centre: str, chosen: list[str]) -> Coverage:
    shown = set().union(*(features.of.get(key, set()) for key in chosen)) if chosen else set()
    missing = sorted((features.fields | features.oddities) - shown)
    return Coverage(
        phase=centre,
        records=len(chosen),
        fields=len(features.fields),
        fields_shown=len(features.fields & shown),
        oddities=len(features.oddities),
        oddities_shown=len(features.oddities & shown),
        missing=tuple(missing),
    )

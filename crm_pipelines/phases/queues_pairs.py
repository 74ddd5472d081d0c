"""Likely twins that were judged: groups of keys that are one record, joined with those decided before.

Belongs here: joining groups, finding contradictions. Not here: merging records (phases.resolve), finding twins (discovery).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved, scan_resolved

TOLD_APART = ("phone", "address", "zip", "city", "country")
"""Columns that people look at first, where an export has them."""
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PairLine:
    """Two records that are likely one."""

    object: str
    key_a: str
    key_b: str
    score: float
    why: str
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Column -> what both have."""


class CircularError(Exception):
    """Two answers about the same records exclude each other; caught by whoever knows the cell."""


def joined(groups: Iterable[Sequence[str]], pairs: Iterable[tuple[str, str]]) -> Groups:
    """Return groups of keys that are one record, after some pairs more; the first of a group survives.

    Raises: CircularError when a pair turns around which of the two survives.
    """
    found = [list(group) for group in groups]
    for first, second in pairs:
        home = next((group for group in found if first in group), None)
        other = next((group for group in found if second in group), None)
        if other is not None and other is home:
            if other[0] == second:
                raise CircularError(f"{second}, {first}")
            continue
        if home is None:
            home = [first]
            found.append(home)
        home += other if other is not None else [second]
        if other is not None:
            found.remove(other)
    return tuple(tuple(group) for group in found)


def survivors(project: Project, name: str) -> dict[str, str]:
    """Return the keys of an export's rows that became part of another record, with the key of that record."""
    fates = read_resolved(project.resolved_folder, f"fates/{name}")
    merged = fates.filter((pl.col("fate") == "merged") & (pl.col("key") != pl.col("into_key")))
    return dict(merged.select("key", "into_key").iter_rows())


def with_survivors(pairs: Iterable[tuple[str, str]], into: Mapping[str, str], arrived: Collection[str]) -> list[tuple[str, str]]:
    """Return pairs of records that are one, by the keys of those records; pairs that are one already are left out.

    The first survives, unless only the second arrived in the destination: that one is changed then, and none is made anew.
    """
    found = []
    for pair in pairs:
        first, second = (into.get(key, key) for key in pair)
        if first != second:
            found.append((second, first) if second in arrived and first not in arrived else (first, second))
    return found


def contradiction(same: Iterable[Sequence[str]], different: Iterable[Sequence[str]]) -> bool:
    """Whether two keys of one group are told apart somewhere."""
    apart = [set(group) for group in different]
    return any(len(set(group) & each) > 1 for group in same for each in apart)


def with_pairs(known: Mapping[str, Groups], pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Groups]:
    """Return groups by object after pairs were joined in. Raises: CircularError."""
    return {name: joined(known.get(name, ()), pairs.get(name, ())) for name in dict.fromkeys([*known, *pairs])}


def with_apart(known: Mapping[str, Groups], pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Groups]:
    """Return by object the groups that are no one record, after some pairs more."""
    return {name: tuple(dict.fromkeys([*known.get(name, ()), *pairs.get(name, ())])) for name in dict.fromkeys([*known, *pairs])}


def side_by_side(project: Project, pairs: Sequence[tuple[str, str, str, float, str]]) -> list[PairLine]:
    """Return likely twins (object, two keys, score, why) with what both hold, as far as people tell records apart by it."""
    if not pairs:
        return []
    spec, scanned = project.spec.derive.contacts, scan_resolved(project.resolved_folder, "contacts")
    there = scanned.collect_schema().names()
    wanted = [name for name in dict.fromkeys(("full_name", spec.email, spec.company, *TOLD_APART, spec.joined)) if name in there]
    keys = {key for _, first, second, _, _ in pairs for key in (first, second)}
    rows = scanned.filter(pl.col("key").is_in(list(keys))).select("key", *wanted).collect()
    held = {row["key"]: {name: "" if row[name] is None else str(row[name]) for name in wanted} for row in rows.iter_rows(named=True)}
    return [PairLine(name, a, b, score, why, _both(wanted, held.get(a, {}), held.get(b, {}))) for name, a, b, score, why in pairs]


def _both(names: Iterable[str], first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (first.get(name, ""), second.get(name, "")) for name in names}

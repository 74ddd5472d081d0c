"""Likely twins: what a person is shown of both, which records their keys are part of, and which are one whatever is said.

Belongs here: pairs. Not here: groups made of verdicts (twin_groups), merging records (phases.resolve), finding twins (discovery).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crm_pipelines.errors import Problem
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved, scan_resolved
from crm_pipelines.phases.resolve.emails import with_emails
from crm_pipelines.spec.client import at

ONE_ADDRESS = "two of these have the same e-mail address, so they are one record; correct the address of one of them instead"
TOLD_APART = ("phone", "address", "zip", "city", "country")
"""Columns that people look at first, where an export has them."""


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


def one_by_address(project: Project, groups: Iterable[Sequence[str]]) -> set[int]:
    """Return the numbers of the groups in which two rows of people have one e-mail address: they are one record, whatever is decided.

    Asked of the exports as they are staged; what is not there yet has no address.
    """
    wanted = [list(group) for group in groups]
    addresses = _addresses(project, sorted({key.strip() for group in wanted for key in group})) if wanted else {}
    found = set()
    for number, group in enumerate(wanted):
        known = [addresses[key.strip()] for key in dict.fromkeys(group) if key.strip() in addresses]
        if len(known) != len(set(known)):
            found.add(number)
    return found


def apart_problems(project: Project) -> list[Problem]:
    """Return a problem per group of the client's map that tells two apart which have one address, by file and line."""
    people = project.spec.derive.contacts.from_
    found = one_by_address(project, project.client_map.different.get(people, ()))
    return [at(project.client.document, ("different", people, number), ONE_ADDRESS) for number in sorted(found)]


def _addresses(project: Project, keys: Sequence[str]) -> dict[str, str]:
    """Return source key -> address as it is compared, of the newest row that has one."""
    spec, name = project.spec.derive.contacts, project.spec.derive.contacts.from_
    found: dict[str, str] = {}
    for chunk in sorted((each for each in project.chunks() if each.object == name), key=lambda each: (each.exported_at, each.key)):
        path = project.staged_path(name, chunk.key)
        if not path.exists():
            continue
        frame = pl.scan_parquet(path)
        key = pl.col(spec.key).cast(pl.String).alias("key")
        if spec.email in frame.collect_schema():
            rows = frame.select(key, spec.email).filter(pl.col("key").is_in(list(keys))).collect()
            told = with_emails(rows, spec.email).filter(pl.col("email_match_key").is_not_null())
            found |= dict(told.select("key", "email_match_key").iter_rows())
    return found


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

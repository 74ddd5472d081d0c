"""Likely duplicates: people who are probably one person, found by rules that can be read out to a client.

Belongs here: running the rules, what a pair is worth, which pairs were decided already. Not here: the rules (duplicates.sql), names in
plain words (plain_people), merging (phases.resolve merges equal e-mail addresses, and what a client declared the same), asking
(reports.workbook).

A pair is offered, never merged by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from itertools import combinations
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import polars as pl

from crm_pipelines.discovery.plain_people import write_plain
from crm_pipelines.discovery.recognised import recognise
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.settings import private_dir

SHOWN = 2_000
"""Pairs that one list holds: more than that nobody reads, and they point to a doubled export."""
THREADS = 2
MEMORY = "2GB"
PLAIN = ("plain", "words", "short", "places", "firms", "lines")
OFTEN = 15
"""Other bearers of a first name from which it is a name of its own, and no slip of another."""
OFTEN_AT_WORK = 100
"""The same where the company is the same, too: families rarely work together."""
RARE = 15
"""People who bear a word up to which it may be a slip: two slips are looked for among such alone."""
SHORTEST = 3
"""Letters of a word that may hold a slip: of two, or of one Chinese character, another one is another name."""
AGAINST = 10
"""Another company, or another postal code, beside one that agrees: the name must be so many times rarer."""
SAME_PHONE, OTHER_PHONE = 0.2, 4
"""The same for an equal telephone number, and for two different ones. People change numbers more rarely than strangers differ in them."""
MIDDLE = 0.02
"""Share of people of one first and last name who have one middle or second last name, too."""
LIMITS = {
    "same_name": (1.5e-3, 4e-3),
    "middle_name": (6e-4, 1.2e-3),
    "between": (1e-2, 1e-2),
    "last_name": (2e-6, 2e-6),
    "first_name": (1e-6, 5e-7),
    "initial": (3e-4, 1e-2),
    "short_name": (2e-10, 5e-8),
    "shorter": (2.5e-4, 2.5e-4),
    "turned": (1e-2, 1e-2),
    "two_slips": (2e-8, 2e-8),
}
"""Rule -> how many others in that place, company or at that number may bear such a name by chance: without, and with the same company.
Chosen on the first seed of benchmarks/twins.py. A slip or a short form is rare itself, and a family shares a last name: so stricter."""
FOUND_SCHEMA = {
    "first": pl.String,
    "second": pl.String,
    "rule": pl.String,
    "same_postcode": pl.Boolean,
    "same_company": pl.Boolean,
    "same_phone": pl.Boolean,
}
WORTH = {
    "same_name": (0.997, 0.998),
    "middle_name": (0.995, 0.998),
    "between": (0.999, 0.999),
    "last_name": (0.999, 0.998),
    "first_name": (0.997, 0.997),
    "initial": (0.998, 0.999),
    "short_name": (0.90, 0.97),
    "shorter": (0.997, 0.992),
    "turned": (0.999, 0.997),
    "two_slips": (0.997, 0.998),
}
"""Rule -> share of such pairs that were one person on planted twins: without, and with the same company
(both seeds of benchmarks/RESULTS.md)."""
SAID = {
    "same_name": "the same name",
    "middle_name": "the same first and last name, a middle name in one of them or shortened",
    "between": "the same first and last name, one letter apart between them",
    "last_name": "the same first name, last names one letter apart",
    "first_name": "the same last name, first names one letter apart",
    "initial": "the same last name, the first name as an initial",
    "short_name": "the same last name, the first names short or other forms of one",
    "shorter": "the same name, the second last name left out",
    "turned": "the same name, the last name first in one of them",
    "two_slips": "first names and last names one letter apart",
}


@dataclass(frozen=True)
class Pair:
    """Two records that are probably one."""

    object: str
    keys: tuple[str, str]
    """Source keys, the lower one first: it would survive."""
    score: float
    """Share of such pairs that were one person in the benchmark."""
    why: str
    shown: tuple[str, str] = field(default=("", ""), repr=False)
    """What one recognises each of the two by; personal data."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"object": self.object, "keys": list(self.keys), "score": self.score, "why": self.why, "shown": list(self.shown)}


def likely_duplicates(project: Project) -> list[Pair]:
    """Return pairs of people that are probably one person and that nobody has decided about, best first.

    Shape: at most SHOWN pairs; none of them shares an e-mail address, for such are one record already.
    """
    contacts = project.spec.derive.contacts
    with tempfile.TemporaryDirectory(dir=private_dir(project.engagement.work)) as folder:
        people = Path(folder) / "people.parquet"
        _people(project).sink_parquet(people)
        found = find_pairs(people, Path(folder) / "pairs.parquet")
    decided = _decided(project, contacts.from_)
    pairs = (_pair(contacts.from_, row) for row in found.iter_rows(named=True))
    offered = sorted((one for one in pairs if one.keys not in decided), key=lambda one: (-one.score, one.keys))[:SHOWN]
    known = recognise(project, {key for one in offered for key in one.keys})
    return [replace(one, shown=(known.get(one.keys[0], ""), known.get(one.keys[1], ""))) for one in offered]


def find_pairs(people: Path, found: Path) -> pl.DataFrame:
    """Return likely duplicates among the people of a parquet file with the columns of PEOPLE_SCHEMA; `found` is written on the way.

    Shape: FOUND_SCHEMA, one row per pair.
    """
    with tempfile.TemporaryDirectory(dir=found.parent) as folder:
        write_plain(people, Path(folder))
        text = _rules({"people": people, "found": found, **{name: Path(folder) / f"{name}.parquet" for name in PLAIN}})
        spill = {"temp_directory": str(Path(folder) / "spill"), "memory_limit": MEMORY}  # names stay in the folder, which is private
        with duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": False, **spill}) as connection:
            connection.execute(text)
    return pl.read_parquet(found) if found.exists() else pl.DataFrame(schema=FOUND_SCHEMA)


def _rules(files: Mapping[str, Path]) -> str:
    """Return duplicates.sql with its files and limits."""
    rules = resources.files("crm_pipelines.discovery").joinpath("duplicates.sql").read_text(encoding="utf-8")
    shares = {"middle": MIDDLE, "against": AGAINST, "same_phone": SAME_PHONE, "other_phone": OTHER_PHONE}
    counts = {"often": OFTEN, "often_at_work": OFTEN_AT_WORK, "rare": RARE, "shortest": SHORTEST}
    limits = ", ".join(f"('{rule}', {at_home}, {at_work})" for rule, (at_home, at_work) in LIMITS.items())
    return Template(rules).substitute(shares, **counts, limits=limits, **{name: _quoted(path) for name, path in files.items()})


def _people(project: Project) -> pl.LazyFrame:
    """Return the folded contacts with the columns the rules read; a column that no export has is empty."""
    contacts = project.spec.derive.contacts
    frame = scan_resolved(project.resolved_folder, "contacts")
    there = frame.collect_schema().names()
    names = [pl.col(name).cast(pl.String) for name in contacts.name if name in there]
    name = pl.concat_str(names, separator=" ", ignore_nulls=True) if names else pl.lit(None, dtype=pl.String)
    phones = contacts.twins.phones
    columns = {"postcode": contacts.postcode, "company": contacts.company, "phone": phones.number if phones else None}
    return frame.select("key", name.alias("name"), *(_text(column, there, said) for said, column in columns.items()))


def _text(column: str | None, there: Iterable[str], name: str) -> pl.Expr:
    return (pl.col(column).cast(pl.String) if column in set(there) and column else pl.lit(None, dtype=pl.String)).alias(name)


def _decided(project: Project, name: str) -> set[tuple[str, str]]:
    groups = (*project.client_map.same.get(name, ()), *project.client_map.different.get(name, ()))
    return {_ordered(*pair) for group in groups for pair in combinations(group, 2)}


def _pair(name: str, row: Mapping[str, Any]) -> Pair:
    agree = {"postal code": row["same_postcode"], "company": row["same_company"], "telephone number": row["same_phone"]}
    *shared, last = (word for word, is_same in agree.items() if is_same)
    said = f"{', '.join(shared)} and {last}" if shared else last
    worth = WORTH[row["rule"]][row["same_company"]]
    return Pair(name, _ordered(row["first"], row["second"]), worth, f"{SAID[row['rule']]}; the same {said}")


def _ordered(one: str, other: str) -> tuple[str, str]:
    first, second = sorted((one, other), key=lambda key: (len(key), key) if key.isdigit() else (1 << 30, key))
    return first, second


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"

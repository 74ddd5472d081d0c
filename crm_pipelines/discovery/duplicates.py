"""Likely duplicates: people who are probably one person, found by rules that can be read out to a client.

Belongs here: running the rules, what a pair is worth, which pairs were decided already. Not here: the rules (duplicates.sql), merging
(phases.resolve merges equal e-mail addresses, and what a client declared the same), asking (reports.workbook).

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

from crm_pipelines.discovery.recognised import recognise
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.settings import private_dir

SHOWN = 2_000
"""Pairs that one list holds: more than that nobody reads, and they point to a doubled export."""
THREADS = 2
MEMORY = "2GB"
OFTEN = 10
"""Carriers of a first name from which it is a name of its own, and no slip of another."""
BY_CHANCE = 8e-4
"""How likely another person in that place may bear the same name by chance; half of it with another
middle name, a 400th with a slip."""
CROWD = 5_000
"""People at one postal code or company from which it is a placeholder ("private"), and says nothing."""
AGAINST = 10
"""Another company, or another postal code, beside one that agrees: the name must be so many times rarer."""
LEGAL_FORMS = (
    "gmbh|ug|ag|kg|ohg|ek|e k|mbh|co|haftungsbeschrankt|ltd|limited|inc|llc|llp|corp|plc|pty|s l u|slu|s l|sl|s a|sa|s coop|c b|"
    "s a r l|sarl|sasu|sas|eurl|b v|bv|n v|nv|spa|srl|oy|ab"
)
"""As they stand at a company's end, in plain letters without dots."""
TITLES = "dr|prof|med|dipl|dipl-ing|ing|mag|mr|mrs|ms|miss|rev|sir|herr|frau|sr|sra|srta|don|dona|dna|d|dra|m|mme|mlle|me|pr"
"""As they stand before a name, in plain letters without dots."""
PEOPLE_SCHEMA = {"key": pl.String, "name": pl.String, "postcode": pl.String, "company": pl.String}
FOUND_SCHEMA = {"first": pl.String, "second": pl.String, "rule": pl.String, "same_postcode": pl.Boolean, "same_company": pl.Boolean}
WORTH = {
    ("same_name", True, True): 0.999,
    ("same_name", False, True): 0.998,
    ("same_name", True, False): 0.996,
    ("middle_name", True, True): 0.997,
    ("middle_name", False, True): 0.998,
    ("middle_name", True, False): 0.993,
    ("last_name", True, True): 0.999,
    ("last_name", False, True): 0.997,
    ("last_name", True, False): 0.998,
    ("first_name", True, True): 0.999,
    ("first_name", False, True): 0.997,
    ("first_name", True, False): 0.997,
    ("shorter", True, True): 0.988,
    ("shorter", False, True): 0.925,
    ("shorter", True, False): 0.970,
    ("initial", True, True): 0.999,
    ("initial", False, True): 0.997,
    ("initial", True, False): 0.978,
}
"""(rule, same postal code, same company) -> share of such pairs that were one person on planted twins (benchmarks/RESULTS.md)."""
SAID = {
    "same_name": "the same name",
    "middle_name": "the same first and last name, a middle name in one of them or shortened",
    "last_name": "the same first name, last names one letter apart",
    "first_name": "the same last name, first names one letter apart",
    "shorter": "the same name, the second last name left out",
    "initial": "the same last name, the first name as an initial",
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
    rules = resources.files("crm_pipelines.discovery").joinpath("duplicates.sql").read_text(encoding="utf-8")
    reversed_forms = "|".join(form[::-1] for form in LEGAL_FORMS.split("|"))
    words = {"legal_forms": reversed_forms, "title": TITLES, "titles": str(TITLES.split("|"))[1:-1]}
    limits = {"often": OFTEN, "by_chance": BY_CHANCE, "against": AGAINST, "crowd": CROWD}
    text = Template(rules).substitute(words, **limits, people=_quoted(people), found=_quoted(found))
    spill = {"temp_directory": str(found.parent / "spill"), "memory_limit": MEMORY}  # names stay in the folder, which is private
    with duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": False, **spill}) as connection:
        connection.execute(text)
    return pl.read_parquet(found) if found.exists() else pl.DataFrame(schema=FOUND_SCHEMA)


def _people(project: Project) -> pl.LazyFrame:
    """Return the folded contacts with the columns the rules read; a column that no export has is empty."""
    contacts = project.spec.derive.contacts
    frame = scan_resolved(project.resolved_folder, "contacts")
    there = frame.collect_schema().names()
    names = [pl.col(name).cast(pl.String) for name in contacts.name if name in there]
    name = pl.concat_str(names, separator=" ", ignore_nulls=True) if names else pl.lit(None, dtype=pl.String)
    return frame.select("key", name.alias("name"), _text(contacts.postcode, there, "postcode"), _text(contacts.company, there, "company"))


def _text(column: str | None, there: Iterable[str], name: str) -> pl.Expr:
    return (pl.col(column).cast(pl.String) if column in set(there) and column else pl.lit(None, dtype=pl.String)).alias(name)


def _decided(project: Project, name: str) -> set[tuple[str, str]]:
    groups = (*project.client_map.same.get(name, ()), *project.client_map.different.get(name, ()))
    return {_ordered(*pair) for group in groups for pair in combinations(group, 2)}


def _pair(name: str, row: Mapping[str, Any]) -> Pair:
    rule, postcode, company = row["rule"], row["same_postcode"], row["same_company"]
    shared = " and ".join(word for word, is_same in (("postal code", postcode), ("company", company)) if is_same)
    return Pair(name, _ordered(row["first"], row["second"]), WORTH[rule, postcode, company], f"{SAID[rule]}; the same {shared}")


def _ordered(one: str, other: str) -> tuple[str, str]:
    first, second = sorted((one, other), key=lambda key: (len(key), key) if key.isdigit() else (1 << 30, key))
    return first, second


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"

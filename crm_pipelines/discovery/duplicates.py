"""Likely duplicates: people who are probably one person, found by rules that can be read out to a client.

Belongs here: running the rules, what a pair is worth, which pairs were decided already. Not here: the rules (duplicates.sql), merging
(phases.resolve merges equal e-mail addresses, and what a client declared the same), asking (reports.workbook).

A pair is offered, never merged by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved
from crm_pipelines.settings import private_dir

SHOWN = 2_000
"""Pairs that one list holds: more than that nobody reads, and they point to a doubled export."""
THREADS = 2
OFTEN_COMPANY, OFTEN_POSTCODE = 50, 10
"""Carriers of a first name from which it is a name of its own: within a company, and where only the postal code agrees (families)."""
LEGAL_FORMS = (
    r"gmbh|ug|ag|kg|ohg|ek|e\.k|ltd|limited|inc|llc|llp|corp|plc|pty|sl|s\.l|slu|sa|s\.a|sarl|s\.a\.r\.l|sas|eurl|bv|b\.v|nv|spa|srl|oy|ab"
)
PEOPLE_SCHEMA = {"key": pl.String, "name": pl.String, "postcode": pl.String, "company": pl.String}
FOUND_SCHEMA = {"first": pl.String, "second": pl.String, "rule": pl.String, "same_postcode": pl.Boolean, "same_company": pl.Boolean}
WORTH = {
    ("same_name", True, True): 0.999,
    ("same_name", False, True): 0.998,
    ("same_name", True, False): 0.995,
    ("last_name", True, True): 0.998,
    ("last_name", False, True): 0.995,
    ("last_name", True, False): 0.99,
    ("first_name", True, True): 0.998,
    ("first_name", False, True): 0.995,
    ("first_name", True, False): 0.98,
}
"""(rule, same postal code, same company) -> share of such pairs that were one person on planted twins (benchmarks/RESULTS.md)."""
SAID = {
    "same_name": "the same name",
    "last_name": "the same first name, last names one letter apart",
    "first_name": "the same last name, first names one letter apart",
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

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"object": self.object, "keys": list(self.keys), "score": self.score, "why": self.why}


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
    return sorted((one for one in pairs if one.keys not in decided), key=lambda one: (-one.score, one.keys))[:SHOWN]


def find_pairs(people: Path, found: Path) -> pl.DataFrame:
    """Return likely duplicates among the people of a parquet file with the columns of PEOPLE_SCHEMA; `found` is written on the way.

    Shape: FOUND_SCHEMA, one row per pair.
    """
    rules = resources.files("crm_pipelines.discovery").joinpath("duplicates.sql").read_text(encoding="utf-8")
    values = {"legal_forms": LEGAL_FORMS, "people": _quoted(people), "found": _quoted(found)}
    text = Template(rules).substitute(values, often_company=OFTEN_COMPANY, often_postcode=OFTEN_POSTCODE)
    with duckdb.connect(config={"threads": THREADS, "preserve_insertion_order": False}) as connection:
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

"""What one recognises a person by: name, address, company, since when, how much was bought.

Belongs here: the few facts that tell two namesakes apart. Not here: who may be one (duplicates), the sheet that asks (reports.workbook).
It is personal data: it goes into files that only their owner reads, never into a log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import scan_resolved

FACTS = ("email", "company", "postcode")


def recognise(project: Project, keys: Collection[str]) -> dict[str, str]:
    """Return what one recognises people by.

    Shape: source key -> one fact per line, the name first; a key that nobody has is not in it.
    """
    if not keys:
        return {}
    bought = _bought(project, keys)
    people = _people(project).filter(pl.col("key").is_in(list(keys))).collect()
    return {row["key"]: "\n".join(_facts(row, bought.get(row["key"], 0))) for row in people.iter_rows(named=True)}


def _people(project: Project) -> pl.LazyFrame:
    contacts = project.spec.derive.contacts
    frame = scan_resolved(project.resolved_folder, "contacts")
    there = frame.collect_schema().names()
    names = [pl.col(name).cast(pl.String) for name in contacts.name if name in there]
    name = pl.concat_str(names, separator=" ", ignore_nulls=True) if names else pl.lit("")
    wanted = {"email": contacts.email, "company": contacts.company, "postcode": contacts.postcode}
    facts = [_text(column, there).alias(fact) for fact, column in wanted.items()]
    joined = pl.col(contacts.joined) if contacts.joined in there else pl.lit(None)
    return frame.select("key", name.alias("name"), *facts, joined.cast(pl.String).str.head(10).alias("joined"))


def _text(column: str | None, there: Iterable[str]) -> pl.Expr:
    return pl.col(column).cast(pl.String) if column and column in set(there) else pl.lit(None, dtype=pl.String)


def _bought(project: Project, keys: Collection[str]) -> dict[str, int]:
    if project.spec.derive.purchases is None:
        return {}
    frame = scan_resolved(project.resolved_folder, "purchases")
    counts = frame.filter(pl.col("contact_key").is_in(list(keys))).group_by("contact_key").len().collect()
    return dict(counts.iter_rows())


def _facts(row: dict[str, Any], bought: int) -> list[str]:
    told = {fact: " ".join((row[fact] or "").split()) for fact in ("name", *FACTS)}
    facts = [told["name"] or "(no name)", told["email"] or "(no e-mail)", *(told[fact] for fact in FACTS[1:] if told[fact])]
    facts += [f"joined {row['joined']}"] if row["joined"] else []
    return [*facts, "no purchase" if not bought else f"{bought:,} purchase{'s' if bought > 1 else ''}"]

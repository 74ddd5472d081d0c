"""How many people may be mailed: whose consent is proven, who said no, who said nothing, and who has no usable address.

Belongs here: counting before anything is loaded. Not here: the rule (the mapping spec), counts at the destination (phases.optouts),
sentences (reports.scope_mailing).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.phases import files
from crm_pipelines.phases.optouts import OPTED_OUT
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve.columns import comparable, text
from crm_pipelines.spec.derive import Strictest
from crm_pipelines.spec.model import FieldMap

AGREED = "subscribed"
"""The value that a spec ends a case with where consent is proven."""
TIMES = ("datetime", "date")


def mailing(project: Project) -> dict[str, Any]:
    """Count people by what they said about being mailed; empty before records are mapped, or where the route tells nothing of it.

    Shape: people, agreed, refused, unproven, unusable (they add up to people); kept (whether the destination has a field that tells them
    apart; otherwise it only knows who refused), decisions (names of the questions that say what proves a consent).
    """
    phase = project.spec.derive.contacts.phase
    if not all(files.parts(project.mapped_folder(name)) for name in project.phases) or phase not in project.phases:
        return {}
    for name, told in project.spec.phases[phase].fields.items():
        if any(case.then in OPTED_OUT for case in told.cases or ()):
            return _by_field(project, phase, name, told)
    return _by_exports(project)


def _by_field(project: Project, phase: str, name: str, told: FieldMap) -> dict[str, Any]:
    """Count by the value that the map gives; somebody without a usable address has none."""
    value = pl.col("payload").str.json_path_match(f"$.{name}").alias("value")
    counts = dict(project.scan_mapped(phase).select(value).group_by("value").len().collect().iter_rows())
    decisions = [each for case in told.cases or () if case.then == AGREED for each in case.only_if]
    refused = sum(counts.get(word, 0) for word in OPTED_OUT)
    return _told(sum(counts.values()), counts.get(AGREED, 0), refused, counts.get(None, 0), kept=True, decisions=decisions)


def _by_exports(project: Project) -> dict[str, Any]:
    """Count by the words of the exports: a consent is proven where every status is the mildest, and dated where it can be."""
    contacts, phases = project.spec.derive.contacts, project.spec.phases
    lists = [name for name in project.phases if (spec := phases.get(name)) and any(word in OPTED_OUT for word in spec.where.values())]
    scanned = frames.resolved(project, "contacts")
    if scanned is None or not lists or not contacts.twins.strictest:
        return {}
    held = set(scanned.collect_schema().names())
    rules = {name: rule for name, rule in contacts.twins.strictest.items() if name in held}
    dated = {one.name for one in project.source.objects[contacts.from_].columns if one.type in TIMES}
    dates = [each for rule in rules.values() for each in rule.together if each in dated & held]
    rows = scanned.select("email_normal", *rules, *dates).collect()
    address = pl.col("email_normal").str.to_lowercase()
    blocked = project.scan_mapped(lists[0]).select("key", address=_address(project, lists[0])).collect()["address"].drop_nulls()
    usable, refuses = pl.col("email_normal").is_not_null(), address.is_in(blocked.implode()).fill_null(value=False)
    proven = pl.all_horizontal(usable, ~refuses, *(_mildest(rows, name, rule) for name, rule in rules.items()), *map(_there, dates))
    sums = rows.select(agreed=proven.sum(), refused=refuses.sum(), unusable=(~usable).sum()).row(0, named=True)
    return _told(rows.height, sums["agreed"], sums["refused"], sums["unusable"], kept=False, decisions=[])


def _address(project: Project, phase: str) -> pl.Expr:
    field = next(iter(project.spec.phases[phase].fields))
    return pl.col("payload").str.json_path_match(f"$.{field}").str.to_lowercase()


def _there(name: str) -> pl.Expr:
    return pl.col(name).is_not_null()


def _mildest(rows: pl.DataFrame, name: str, rule: Strictest) -> pl.Expr:
    """Tell who is of the mildest words of a column, in any of their spellings."""
    last = rule.order[-1]
    mildest = {word.casefold() for word in ([last] if isinstance(last, str) else last)}
    mildest |= {other.casefold() for other, word in rule.words.items() if word.casefold() in mildest}
    return comparable(text(rows, name)).is_in(sorted(mildest)).fill_null(value=False)


def _told(people: int, agreed: int, refused: int, unusable: int, **more: Any) -> dict[str, Any]:
    rest = max(0, people - agreed - refused - unusable)
    return {"people": people, "agreed": agreed, "refused": refused, "unproven": rest, "unusable": unusable, **more}

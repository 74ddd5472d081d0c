"""The tags of the exports: how many people carry each, what each stands for, and which history nothing but tags recorded.

Belongs here: counting and the gaps. Not here: recognising a tag (tag_rules), splitting cells (sources), lists (vocabularies).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.tag_rules import TagRule, classify, load_tag_rules
from crm_pipelines.discovery.values import HistoryGap, TagFinding
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.derive import Contacts

LOST = "No export holds it and no tag recorded it: it is lost."


def tag_columns(contacts: Contacts) -> tuple[str, ...]:
    """Return the list columns that hold tags: those with an inventory of their names; all of them where none has one."""
    listed = tuple(name for name, spelling in contacts.spellings.items() if spelling.inventory)
    return listed or tuple(contacts.spellings)


def tag_findings(project: Project, people: pl.DataFrame) -> tuple[TagFinding, ...]:
    """Classify every tag, those of most people first; tags of the inventory that nobody carries are there with none.

    Raises: SettingsError when the engagement's own tag_rules.csv cannot be used.
    """
    rules = load_tag_rules(project.engagement.folder)
    contacts = project.spec.derive.contacts
    found = []
    for name in tag_columns(contacts):
        counts = dict.fromkeys(_inventory(project, name), 0) | dict(_carried(people, name))
        found += [_finding(tag, records, rules, f"{contacts.from_}.{name}") for tag, records in counts.items()]
    return tuple(sorted(found, key=lambda one: (-one.records, one.tag.casefold(), one.tag, one.column)))


def history_gaps(project: Project, people: pl.DataFrame, tags: Sequence[TagFinding]) -> tuple[HistoryGap, ...]:
    """Say of every kind of engagement history that no export holds how far tags make up for it."""
    rules = load_tag_rules(project.engagement.folder)
    by_history: dict[str, dict[str, None]] = {}
    for tag in tags:
        if tag.records and (history := classify(tag.tag, rules).history):
            by_history.setdefault(history, {})[tag.tag] = None
    return tuple(_gap(project, people, label, list(by_history.get(kind, {}))) for kind, label in history_labels().items())


@cache
def history_labels() -> dict[str, str]:
    """Return the kinds of history that exports of marketing tools leave out, with their names for a client."""
    text = (Path(__file__).parent / "history.csv").read_text("utf-8")
    return {row["history"]: row["label"] for row in csv.DictReader(io.StringIO(text))}


def _finding(tag: str, records: int, rules: Sequence[TagRule], column: str) -> TagFinding:
    meaning = classify(tag, rules)
    return TagFinding(tag, records, meaning.kind, meaning.event, meaning.subject, meaning.matched, meaning.confidence, column)


def _gap(project: Project, people: pl.DataFrame, label: str, tags: list[str]) -> HistoryGap:
    if not tags:
        return HistoryGap(label, LOST, 0, 0)
    held = [name for name in tag_columns(project.spec.derive.contacts) if name in people.columns]
    carries = pl.any_horizontal(pl.col(name).list.eval(pl.element().is_in(tags)).list.any().fill_null(value=False) for name in held)
    records = int(people.select(carries.sum()).item())
    which = "1 tag" if len(tags) == 1 else f"{len(tags)} tags"
    who = "1 contact" if records == 1 else f"{records:,} contacts"
    say = "says" if len(tags) == 1 else "say"
    return HistoryGap(label, f"Only tags recorded it: {which} on {who} {say} that it happened, not when.", len(tags), records)


def _carried(people: pl.DataFrame, name: str) -> list[tuple[str, int]]:
    if name not in people.columns or not isinstance(people.schema[name], pl.List):
        return []
    return people[name].list.unique().explode(empty_as_null=False).drop_nulls().value_counts().rows()


def _inventory(project: Project, column: str) -> list[str]:
    """Return the names of the account's own list of the tags of a column."""
    lister, _, listed = (project.spec.derive.contacts.spellings[column].inventory or "").partition(".")
    return frames.column_values(project, lister, listed).drop_nulls().to_list() if lister in project.objects else []

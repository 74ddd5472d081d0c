"""Case twins inside list columns: `VIP` and `vip` are one label, in one spelling for everybody.

Belongs here: counting and choosing spellings. Not here: splitting a cell (sources), uniting the lists of merged
people (twins).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import polars as pl


def spelling_key(label: str) -> str:
    """Return what two spellings of one label have in common."""
    return " ".join(label.split()).casefold()


def distinct_labels(frame: pl.DataFrame, name: str) -> set[str]:
    """Return the labels of a list column as they are spelled."""
    if name not in frame.columns or not isinstance(frame.schema[name], pl.List):
        return set()
    return set(frame[name].explode(empty_as_null=False).drop_nulls().unique().to_list())


def doubtful_labels(labels: Iterable[str], inventory: Iterable[str]) -> set[str]:
    """Return the labels that have more than one spelling, or another one than the inventory's."""
    groups: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        groups[spelling_key(label)].add(label)
    known = {spelling_key(label): label for label in inventory}
    return {
        label
        for key, spellings in groups.items()
        for label in spellings
        if len(spellings) > 1 or known.get(key, label) != label or " ".join(label.split()) != label
    }


def chosen_spellings(doubtful: set[str], inventory: Iterable[str], counts: Mapping[str, int]) -> dict[str, str]:
    """Return label -> spelling: the inventory's, else the most frequent one, ties by smallest code point."""
    known = {spelling_key(label): label for label in sorted(inventory, reverse=True)}
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for label in doubtful:
        groups[spelling_key(label)][" ".join(label.split())] += counts.get(label, 0)
    best = {key: min(found, key=lambda label: (-found[label], label)) for key, found in groups.items()}
    return {label: known.get(spelling_key(label), best[spelling_key(label)]) for label in doubtful}


def label_counts(parts: Iterator[pl.DataFrame], names: Iterable[str]) -> dict[str, Counter[str]]:
    """Count, per list column, the rows that hold each spelling."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for part in parts:
        for name, count in counts.items():
            if name in part.columns and isinstance(part.schema[name], pl.List):
                held = part[name].list.unique().explode(empty_as_null=False).drop_nulls().value_counts()
                count.update(dict(held.iter_rows()))
    return counts


def respelled(frame: pl.DataFrame, spellings: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """Return the frame with one spelling per label, in order of first appearance, empty lists as null."""
    changed = []
    for name, table in spellings.items():
        if name not in frame.columns or not isinstance(frame.schema[name], pl.List):
            continue
        labels = pl.col(name)
        if table:
            labels = labels.list.eval(pl.element().replace(list(table), list(table.values())))
        unique = labels.list.unique(maintain_order=True)
        changed.append(pl.when(unique.list.len() > 0).then(unique).alias(name))
    return frame.with_columns(changed)

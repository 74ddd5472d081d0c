"""Deals of the source: one record each, linked to the contact by key, else by address.

Belongs here: fold and link. Not here: purchases, which the money tells of (purchases), stages and status (mapping spec).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.children import child_records, child_rows, linked_children, without_left_out
from crm_pipelines.phases.resolve.columns import key_order, text
from crm_pipelines.phases.resolve.fates import keyless_lines, older_lines, record_lines
from crm_pipelines.phases.resolve.fold import Folded, fold_rows, stacked
from crm_pipelines.phases.resolve.links import Links
from crm_pipelines.phases.resolve.values import StagedObject
from crm_pipelines.spec.derive import Deals


@dataclass(frozen=True)
class FoldedDeals:
    """Deals by key, with the contact's key and match key and the owner's address."""

    spec: Deals
    folded: Folded
    rows: pl.DataFrame


def fold_deals(spec: Deals, staged: StagedObject) -> FoldedDeals:
    """Fold the deals' files."""
    folded = fold_rows(stacked(staged, spec.key))
    return FoldedDeals(spec, folded, child_rows(folded, text(folded.frame, spec.contact), spec.email, spec.owner))


def resolve_deals(deals: FoldedDeals, links: Links) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the deals in the order of their keys (the order in which they were made), and the fates of all their rows."""
    linked, behind = without_left_out(linked_children(deals.rows, links).sort(key_order("_key")), links)
    lines = pl.concat([record_lines(linked, deals.spec.phase), behind])
    fates = pl.concat([lines, older_lines(deals.folded, lines), keyless_lines(deals.folded)])
    return child_records(linked, links).sort(key_order("key")), fates

"""Booked appointments: one record each, linked to the contact by the attendee's address.

Belongs here: fold, link, the cancelled ones. Not here: subject, type and times of an activity (spec rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.children import child_records, child_rows, linked_children, without_left_out
from crm_pipelines.phases.resolve.columns import comparable, text
from crm_pipelines.phases.resolve.companies import NOTHING
from crm_pipelines.phases.resolve.fates import keyless_lines, older_lines, record_lines
from crm_pipelines.phases.resolve.fold import Folded, fold_rows, stacked
from crm_pipelines.phases.resolve.links import Links
from crm_pipelines.phases.resolve.values import EXCLUDED, StagedObject, fate_lines
from crm_pipelines.spec.derive import Bookings
from crm_pipelines.spec.derive_nodes import applies


@dataclass(frozen=True)
class FoldedBookings:
    """Bookings by key, with the attendee's match key and the host's address."""

    spec: Bookings
    folded: Folded
    rows: pl.DataFrame


def fold_bookings(spec: Bookings, staged: StagedObject) -> FoldedBookings:
    """Fold the bookings' files."""
    folded = fold_rows(stacked(staged, spec.key))
    rows = child_rows(folded, NOTHING, spec.email, spec.owner)
    status = comparable(text(rows, spec.status))
    rows = rows.with_columns(
        status.is_in([word.casefold() for word in spec.done]).fill_null(value=False).alias("is_done"),
        status.is_in([word.casefold() for word in spec.cancelled]).fill_null(value=False).alias("is_cancelled"),
    )
    return FoldedBookings(spec, folded, rows)


def resolve_bookings(bookings: FoldedBookings, links: Links, decisions: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bookings that are wanted, and the fates of all their rows."""
    spec = bookings.spec
    out = spec.exclude_cancelled is not None and applies(spec.exclude_cancelled, decisions)
    gone = bookings.rows.filter(pl.col("is_cancelled") & pl.lit(out))
    linked, behind = without_left_out(linked_children(bookings.rows.filter(~(pl.col("is_cancelled") & pl.lit(out))), links), links)
    lines = pl.concat([record_lines(linked, spec.phase), behind, fate_lines(gone, fate=EXCLUDED, reason=spec.excluded_reason)])
    fates = pl.concat([lines, older_lines(bookings.folded, lines), keyless_lines(bookings.folded)])
    return child_records(linked, links), fates

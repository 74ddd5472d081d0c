"""Booked appointments: one record each, linked to the contact by the attendee's address.

Belongs here: fold, link, the cancelled ones. Not here: subject, type and times of an activity (spec rules).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, text
from crm_pipelines.phases.resolve.companies import NO_LIST, NOTHING
from crm_pipelines.phases.resolve.fates import keyless_lines, older_lines, record_lines
from crm_pipelines.phases.resolve.fold import Folded, fold_rows, stacked
from crm_pipelines.phases.resolve.links import Links, with_link_columns
from crm_pipelines.phases.resolve.values import EXCLUDED, StagedObject, fate_lines
from crm_pipelines.spec.derive import Bookings, applies


@dataclass(frozen=True)
class FoldedBookings:
    """Bookings by key, with the attendee's match key and the host's address."""

    spec: Bookings
    folded: Folded
    rows: pl.DataFrame


def fold_bookings(spec: Bookings, staged: StagedObject) -> FoldedBookings:
    """Fold the bookings' files."""
    folded = fold_rows(stacked(staged, spec.key))
    rows = with_link_columns(folded.frame, NOTHING, text(folded.frame, spec.email))
    status = comparable(text(rows, spec.status))
    rows = rows.with_columns(
        text(rows, spec.owner).str.to_lowercase().alias("owner_key"),
        status.is_in([word.casefold() for word in spec.done]).fill_null(value=False).alias("is_done"),
        status.is_in([word.casefold() for word in spec.cancelled]).fill_null(value=False).alias("is_cancelled"),
        NO_LIST.alias("aliases"),
        pl.col("_chunks").alias("contributors"),
    )
    return FoldedBookings(spec, folded, rows)


def resolve_bookings(bookings: FoldedBookings, links: Links, decisions: Mapping[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bookings that are wanted, and the fates of all their rows."""
    spec = bookings.spec
    out = spec.exclude_cancelled is not None and applies(spec.exclude_cancelled, decisions)
    gone = bookings.rows.filter(pl.col("is_cancelled") & pl.lit(out))
    linked = links.linked(bookings.rows.filter(~(pl.col("is_cancelled") & pl.lit(out))))
    alone = pl.col("contact_key").is_null()
    judged = linked.with_columns(
        pl.when(alone).then(pl.lit("review")).alias("queue"), pl.when(alone).then(pl.lit("no_contact")).alias("reason")
    )
    lines = pl.concat([record_lines(judged, spec.phase), fate_lines(gone, fate=EXCLUDED, reason=spec.excluded_reason)])
    fates = pl.concat([lines, older_lines(bookings.folded, lines), keyless_lines(bookings.folded)])
    hosted = judged.rename({"owner_key": "host", "_key": "key"})
    named = links.with_contact(hosted).drop("owner_key").rename({"host": "owner_key"})
    return named.drop("lead", "by_email"), fates

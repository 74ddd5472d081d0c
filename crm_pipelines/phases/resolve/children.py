"""What objects that hang on one contact each have in common: fold, the contact's company, the row's own owner.

Belongs here: the steps that bookings and deals share. Not here: the look-up of a contact (links), what is special to one
object (bookings, deals), rows that become several things (purchases, partners).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.columns import text
from crm_pipelines.phases.resolve.companies import NO_LIST
from crm_pipelines.phases.resolve.fates import left_out_lines
from crm_pipelines.phases.resolve.fold import Folded
from crm_pipelines.phases.resolve.links import Links, with_link_columns


def child_rows(folded: Folded, contact: pl.Expr, email: str, owner: str) -> pl.DataFrame:
    """Return folded rows with the two ways in which they name their contact, and their own owner's address as `owner_key`."""
    rows = with_link_columns(folded.frame, contact, text(folded.frame, email))
    return rows.with_columns(
        text(rows, owner).str.to_lowercase().alias("owner_key"), NO_LIST.alias("aliases"), pl.col("_chunks").alias("contributors")
    )


def linked_children(rows: pl.DataFrame, links: Links) -> pl.DataFrame:
    """Return the rows with their contact's key, or that of a contact left out; those without a contact wait for a review."""
    linked = links.linked(rows)
    alone = pl.col("contact_key").is_null()
    return linked.with_columns(
        pl.when(alone).then(pl.lit("review")).alias("queue"), pl.when(alone).then(pl.lit("no_contact")).alias("reason")
    )


def without_left_out(linked: pl.DataFrame, links: Links) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the linked rows that move, and the fate lines of those whose contact was left out."""
    gone = links.is_left_out()
    return linked.filter(~gone), left_out_lines(linked.filter(gone))


def child_records(linked: pl.DataFrame, links: Links) -> pl.DataFrame:
    """Return the records of linked rows: their contact's company, their own owner, whoever the contact's is."""
    owned = linked.rename({"owner_key": "_own", "_key": "key"})
    named = links.with_contact(owned).drop("owner_key").rename({"_own": "owner_key"})
    return named.drop("lead", "by_email")

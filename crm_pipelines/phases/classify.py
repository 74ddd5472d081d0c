"""Desired records against the ledger: what each one needs, before anything is sent.

Belongs here: the decision per record, from what is desired, what the ledger knows and what became of its parents. Not here: what that
costs (phases.plan), what it will come to with the live destination (phases.predict), sending (phases.load).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from crm_pipelines.phases.session import Session


def classify(
    desired: pl.DataFrame, records: pl.DataFrame, parents: Mapping[str, pl.DataFrame], refused: Collection[str] = ()
) -> pl.DataFrame:
    """Decide what each desired record needs.

    `parents` maps a link column (`link_org_id`) to a frame [key, parent_id, parent_queue, parent_reason] of the parent phase.
    `refused` are keys that the vendor refused in this session: sent once more by the next one, when the cause may be gone.
    Shape: the rows of `desired`, plus `decision`, `queue`, `reason`, `destination_id`, `applied_hash` and `id_<field>` per link.
    """
    known = records.select("key", "destination_id", "applied_hash", "held_state", "held_reason", "held_hash")
    frame = desired.join(known, on="key", how="left", maintain_order="left")
    waits_queue, waits_reason = pl.col("queue"), pl.col("reason")
    for column, parent in parents.items():
        name = column.removeprefix("link_")
        renamed = parent.rename({"key": column, "parent_id": f"id_{name}", "parent_queue": f"q_{name}", "parent_reason": f"r_{name}"})
        frame = frame.join(renamed, on=column, how="left", maintain_order="left")
        orphan = pl.col(column).is_not_null() & pl.col(f"id_{name}").is_null()
        waits_queue = pl.when(waits_queue.is_null() & orphan).then(pl.col(f"q_{name}").fill_null("parent")).otherwise(waits_queue)
        waits_reason = (
            pl.when(waits_reason.is_null() & orphan).then(pl.col(f"r_{name}").fill_null(f"parent_{name}")).otherwise(waits_reason)
        )
    frame = frame.with_columns(queue=waits_queue, reason=waits_reason)
    return frame.with_columns(decision=_decision(refused)).drop([c for c in frame.columns if c.startswith(("q_", "r_"))])


def _decision(refused: Collection[str]) -> pl.Expr:
    same = pl.col("applied_hash") == pl.col("hash")
    refused_before = (pl.col("held_state") == "refused") & (pl.col("held_hash") == pl.col("hash")) & pl.col("key").is_in(list(refused))
    return (
        pl.when(same.fill_null(value=False))
        .then(pl.lit("unchanged"))
        .when(pl.col("queue").is_not_null())
        .then(pl.lit("waiting"))
        .when(refused_before.fill_null(value=False))
        .then(pl.lit("refused"))
        .when(pl.col("destination_id").is_not_null())
        .then(pl.lit("update"))
        .otherwise(pl.lit("create"))
    )


def parent_frames(session: Session, phase: str, desired: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return, per link column of a phase, the parents' destination ids as the ledger has them."""
    compiled = session.project.compiled
    out: dict[str, pl.DataFrame] = {}
    for name, parent_phase in compiled.phases[phase].links.items():
        column = f"link_{name}"
        keys = desired.get_column(column).drop_nulls().unique().to_list()
        records = session.ledger.records(session.account, session.engagement, parent_phase, keys)
        out[column] = parent_view(records, parent_phase, is_match_only=compiled.phases[parent_phase].create == "never")
    return out


def parent_view(records: pl.DataFrame, phase: str, *, is_match_only: bool) -> pl.DataFrame:
    """Return a parent phase's records as links see them.

    A missing owner is the row's own trouble (its queue shows through); any other missing parent puts the row behind it.
    """
    queue = pl.col("held_queue") if is_match_only else pl.lit("parent")
    reason = pl.col("held_reason") if is_match_only else pl.lit(f"parent_{phase}")
    return records.select("key", parent_id=pl.col("destination_id"), parent_queue=queue, parent_reason=reason)

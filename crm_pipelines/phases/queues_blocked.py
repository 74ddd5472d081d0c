"""What waits for what: every waiting record with the one thing that a person has to settle for it.

Belongs here: following waiting records to the record or owner that holds them up, with the money behind. Not here: rows and their
reasons (phases.queues), counting states (phases.accounts).
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.project import Project

PARENT = "parent"
SCHEMA: dict[str, pl.DataType] = {
    "phase": pl.String(),
    "key": pl.String(),
    "root_phase": pl.String(),
    "root_key": pl.String(),
    "root_queue": pl.String(),
    "root_reason": pl.String(),
    "amount": pl.Float64(),
    "currency": pl.String(),
}


def waiting_records(project: Project, ledger: Ledger) -> pl.DataFrame:
    """Return every waiting record with what it waits for in the end: itself, a parent, or an owner without a user.

    Shape: SCHEMA, one row per waiting record; records that are only matched (owners) have no money and stand for themselves.
    """
    found = [pl.DataFrame(schema=SCHEMA)]
    for phase in project.phases:
        if not project.compiled.phases[phase].pairs:
            found.append(_of_phase(project, ledger, phase, pl.concat(found)))
    return pl.concat(found)


def money_text(records: pl.DataFrame) -> str:
    """Return the sums of records by currency, as people read them; empty when there is none."""
    sums = records.filter(pl.col("amount").is_not_null()).group_by("currency").agg(pl.col("amount").sum()).sort("currency")
    return "; ".join(f"{Decimal(str(round(total, 2))):,.2f} {currency or ''}".strip() for currency, total in sums.iter_rows())


def _of_phase(project: Project, ledger: Ledger, phase: str, before: pl.DataFrame) -> pl.DataFrame:
    compiled = project.compiled.phases
    links = compiled[phase].links
    states = accounts.record_states(project, ledger, phase).filter(pl.col("state") == "waiting").select("key", "queue", "reason")
    columns = [f"link_{name}" for name in links]
    frame = states.join(project.mapped(phase, "key", "amount", "currency", *columns), on="key", how="left")
    for name, parent in links.items():
        roots = before.filter(pl.col("phase") == parent).select(
            pl.col("key").alias(f"link_{name}"), pl.struct("^root_.*$").alias(f"r_{name}")
        )
        frame = frame.join(roots, on=f"link_{name}", how="left")
    owners = [f"r_{name}" for name, parent in links.items() if compiled[parent].create == "never"]
    parents = [f"r_{name}" for name in links]
    own = pl.struct(
        pl.lit(phase).alias("root_phase"),
        pl.col("key").alias("root_key"),
        pl.col("queue").alias("root_queue"),
        pl.col("reason").alias("root_reason"),
    )
    root = pl.when(pl.col("queue") == "owner").then(_first(owners)).when(pl.col("queue") == PARENT).then(_first(parents))
    settled = frame.with_columns(root=pl.coalesce(root, own)).unnest("root")
    return settled.select(pl.lit(phase).alias("phase"), *(pl.col(name) for name in SCHEMA if name != "phase")).cast(SCHEMA)  # type: ignore[arg-type]


def _first(columns: list[str]) -> pl.Expr:
    return pl.coalesce([pl.col(name) for name in columns]) if columns else pl.lit(None)

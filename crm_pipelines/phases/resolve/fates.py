"""Where each staged row ended: the lines of the fate table.

Belongs here: building lines from rows. Not here: the decision about a row (contacts, purchases, ...), blank and
unreadable rows (sources), the states of records (ledger).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.phases.resolve.fold import Folded
from crm_pipelines.phases.resolve.values import EXCLUDED, FOLDED, LEFT_OUT_WITH_CONTACT, MERGED, QUARANTINED, RECORD, WAITING, fate_lines


def record_lines(rows: pl.DataFrame, phase: str | pl.Expr, into: str = "_key") -> pl.DataFrame:
    """Return lines of rows that are a record of `phase`; with a `queue` they wait there."""
    waits = pl.col("queue").is_not_null()
    return fate_lines(
        rows,
        fate=pl.when(waits).then(pl.lit(WAITING)).otherwise(pl.lit(RECORD)),
        into_phase=phase,
        into_key=pl.col(into),
        reason=pl.col("reason"),
        queue=pl.col("queue"),
    )


def merged_lines(rows: pl.DataFrame, phase: str, survivor: str = "_survivor") -> pl.DataFrame:
    """Return lines of rows that another row replaced; `survivor` names the record it became or belongs to."""
    return fate_lines(rows, fate=MERGED, into_phase=phase, into_key=pl.col(survivor))


def folded_lines(rows: pl.DataFrame, phase: str | pl.Expr, into: str) -> pl.DataFrame:
    """Return lines of rows that became part of another record."""
    return fate_lines(rows, fate=FOLDED, into_phase=phase, into_key=pl.col(into))


def left_out_lines(rows: pl.DataFrame) -> pl.DataFrame:
    """Return lines of rows that stay behind with their contact."""
    return fate_lines(rows, fate=EXCLUDED, reason=LEFT_OUT_WITH_CONTACT)


def keyless_lines(folded: Folded) -> pl.DataFrame:
    """Return lines of rows whose key is missing."""
    return fate_lines(folded.keyless, fate=QUARANTINED, reason="missing_key")


def older_lines(folded: Folded, ended: pl.DataFrame) -> pl.DataFrame:
    """Return lines of rows that a newer file replaced, with the record in which their survivor (in `ended`) went."""
    survivors = ended.filter(pl.col("fate") != MERGED).select("key", "into_phase", "into_key").unique("key")
    rows = folded.older.join(survivors, left_on="_key", right_on="key", how="left")
    return fate_lines(rows, fate=MERGED, into_phase=pl.col("into_phase"), into_key=pl.col("into_key"))

"""The reconciliation asset's value: a small typed frame beside the report files.

Belongs here: the frame's Dagster type. Not here: what is in the report (account, reports).

dagster-pandas types this one frame: its constraints fail the asset when a figure is missing or negative, and the UI shows
its schema. Everything larger is polars.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd
from dagster_pandas import PandasColumn, create_dagster_pandas_dataframe_type

from crm_pipelines.defs.account import close_pass, show_sample, write_account
from crm_pipelines.defs.metadata import account_markdown, budget_metadata
from crm_pipelines.defs.partitions import chosen_features
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import home

STATES = ("created", "updated", "unchanged", "waiting", "refused", "pending", "unknown")


def _frame_type() -> dg.DagsterType:
    """Return the frame's type: a missing or negative figure, or a phase told twice, fails the asset."""
    column: Any = PandasColumn  # dagster-pandas has no annotations
    counts = [column.integer_column(name, non_nullable=True, min_value=0) for name in ("wanted", *STATES)]
    create: Any = create_dagster_pandas_dataframe_type
    made: dg.DagsterType = create(
        name="ReconciliationFrame",
        description="One row per phase: wanted records by state, and the gate.",
        columns=[
            column.string_column("phase", non_nullable=True, unique=True),
            *counts,
            column.categorical_column("gate", {"passed", "accepted", "shut", "not run"}, non_nullable=True),
        ],
    )
    return made


with chosen_features():
    ReconciliationFrame = _frame_type()


def reconcile_and_report(project: Project) -> dg.Output[pd.DataFrame]:
    """Write the report files and return the summary frame with what the UI shows."""
    with Ledger.open(home().ledger_url) as ledger:
        told, paths = write_account(project, ledger)
        close_pass(told, ledger)
    sample = show_sample(project) if told["confirmed"] == "sample" else {}
    metadata = {
        "report": dg.MetadataValue.path(str(paths["html"])),
        "for machines": dg.MetadataValue.path(str(paths["json"])),
        "reconciliation": dg.MetadataValue.md(account_markdown(told)),
        **{f"sample, {kind}": dg.MetadataValue.path(str(path)) for kind, path in sample.items()},
        **budget_metadata(told["budget"]),
        "rows that wait": sum(queue["rows"] for queue in told["queues"]),
    }
    return dg.Output(summary_frame(told), metadata=metadata)


def summary_frame(told: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per phase."""
    rows = [
        {"phase": one["phase"], "wanted": one["wanted"], **{state: one["records"].get(state, 0) for state in STATES}, "gate": one["gate"]}
        for one in told["phases"]
    ]
    return pd.DataFrame(rows, columns=["phase", "wanted", *STATES, "gate"])

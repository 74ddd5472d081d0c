"""Asset checks: each staged chunk against its contract, each phase's gate.

Belongs here: how a summary becomes a check result. Not here: what is checked (sources, phases.reconcile).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from crm_pipelines.defs.metadata import column_schema, failure_table, gate_metadata
from crm_pipelines.defs.partitions import ACCOUNTED, SCHEMA
from crm_pipelines.phases.reconcile import Gate
from crm_pipelines.phases.stage import StageSummary


def schema_spec(key: dg.AssetKey, partitions: dg.PartitionsDefinition[str]) -> dg.AssetCheckSpec:
    """Every chunk holds to the contract of its object."""
    return dg.AssetCheckSpec(
        SCHEMA, asset=key, partitions_def=partitions, description="Headings, types and values hold to the source's contract."
    )


def schema_evaluation(key: dg.AssetKey, chunk: str, summary: StageSummary) -> dg.AssetCheckEvaluation:
    """Return the check of one chunk. In a range run only an evaluation carries its partition; a result would not."""
    return dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=SCHEMA,
        passed=summary.passed,
        severity=dg.AssetCheckSeverity.WARN,
        partition=chunk,
        metadata={"failures": failure_table(summary.schema_failures.to_dicts()), "quarantined": summary.quarantined},
    )


def schema_result(passed: bool, chunks: int) -> dg.AssetCheckResult:
    """Return the one result that the step owes for all its chunks. Doubt stops the row, not the migration: it warns."""
    return dg.AssetCheckResult(check_name=SCHEMA, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata={"chunks": chunks})


def stage_metadata(summary: StageSummary) -> dict[str, Any]:
    """Return the figures of a staged chunk."""
    return {
        "dagster/partition_row_count": summary.rows,
        "physical rows": summary.physical_rows,
        "blank rows": summary.blank,
        "quarantined": summary.quarantined,
        "dagster/column_schema": column_schema(summary.columns),
    }


def gate_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """Both accounts add up; nothing downstream starts before."""
    return dg.AssetCheckSpec(
        ACCOUNTED,
        asset=key,
        blocking=True,
        description="Buckets sum to physical rows, states to wanted records, the destination's list and money agree, limits hold.",
    )


def gate_result(gate: Gate) -> dg.AssetCheckResult:
    """Return a gate as its blocking check."""
    return dg.AssetCheckResult(
        check_name=ACCOUNTED,
        passed=gate.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(gate.reasons) or "rows, records, destination and money add up",
        metadata=gate_metadata(gate),
    )

"""Asset checks: each staged chunk against its contract, each phase's gate.

Belongs here: how a summary becomes a check result. Not here: what is checked (sources, phases.reconcile).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from crm_pipelines.defs.metadata import column_schema, failure_table, gate_metadata
from crm_pipelines.defs.partitions import ACCOUNTED, SCHEMA
from crm_pipelines.phases.desired import StageSummary
from crm_pipelines.phases.reconcile import Gate


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
        passed=_holds(summary),
        severity=_severity([summary]),
        partition=chunk,
        metadata={"failures": failure_table(summary.cell_errors, summary.quarantined), "quarantined": summary.quarantined},
    )


def schema_result(summaries: Sequence[StageSummary]) -> dg.AssetCheckResult:
    """Return the one result that the step owes for all its chunks."""
    return dg.AssetCheckResult(
        check_name=SCHEMA,
        passed=all(_holds(summary) for summary in summaries),
        severity=_severity(summaries),
        metadata={"chunks": len(summaries), "quarantined": sum(summary.quarantined for summary in summaries)},
    )


def stage_metadata(summary: StageSummary) -> dict[str, Any]:
    """Return the figures of a staged chunk."""
    return {
        "dagster/partition_row_count": summary.rows,
        "physical rows": summary.physical_rows,
        "blank rows": summary.blank,
        "quarantined": summary.quarantined,
        "dagster/column_schema": column_schema(summary.columns),
        **({"warnings": dg.MetadataValue.md("\n".join(f"- {text}" for text in summary.warnings))} if summary.warnings else {}),
    }


def _holds(summary: StageSummary) -> bool:
    return summary.passed and not summary.quarantined and not summary.cell_errors


def _severity(summaries: Sequence[StageSummary]) -> dg.AssetCheckSeverity:
    """Doubt stops the row, not the migration: set-aside rows warn; rows that went missing are an error."""
    return dg.AssetCheckSeverity.WARN if all(summary.passed for summary in summaries) else dg.AssetCheckSeverity.ERROR


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

"""What an asset shows of itself: schemas, lineage, counts and the reconciliation as a Markdown table.

Belongs here: the product's summaries as Dagster metadata. Not here: the summaries (phases), the HTML report (reports).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from crm_pipelines.phases.reconcile import Gate

MAX_FAILURE_ROWS = 50


def column_schema(columns: Mapping[str, str]) -> dg.TableSchema:
    """Return names and types as Dagster's table schema."""
    return dg.TableSchema(columns=[dg.TableColumn(name=name, type=kind) for name, kind in columns.items()])


def column_lineage(sources: Mapping[str, Sequence[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    """Return which columns of upstream assets each destination field is made from."""
    deps = {
        field: [dg.TableColumnDep(asset_key=key, column_name=column) for key, column in columns]
        for field, columns in sources.items()
        if columns
    }
    return dg.TableColumnLineage(deps_by_column=deps)


def code_references(spec: Path) -> dict[str, Any]:
    """Return a link to the mapping spec that made an asset."""
    reference = dg.LocalFileCodeReference(file_path=str(spec), label="mapping spec")
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def failure_table(cells: Mapping[str, int], quarantined: int) -> dg.TableMetadataValue:
    """Return what did not hold to the contract, by column; never a field value."""
    rows = [("(whole line)", "set aside in quarantine", quarantined)] if quarantined else []
    rows += [(column, "cells kept as text, not typed", count) for column, count in sorted(cells.items())]
    names = ("column", "what", "rows")
    schema = dg.TableSchema(columns=[dg.TableColumn("column"), dg.TableColumn("what"), dg.TableColumn("rows", "int")])
    records = [dg.TableRecord(dict(zip(names, row, strict=True))) for row in rows[:MAX_FAILURE_ROWS]]
    return dg.MetadataValue.table(records=records, schema=schema)


def gate_metadata(gate: Gate) -> dict[str, Any]:
    """Return a gate's figures: numbers that plot, and the reconciliation as a table."""
    listed = {} if gate.destination_count is None else {"destination count": gate.destination_count}
    return {
        "wanted": gate.wanted,
        **listed,
        "missing": gate.missing,
        "unexpected": gate.unexpected,
        "duplicates": gate.duplicates,
        **{f"records {state}": count for state, count in gate.records.items()},
        "reconciliation": dg.MetadataValue.md(gate_markdown(gate)),
    }


def gate_markdown(gate: Gate) -> str:
    """Return a gate as Markdown: why it is shut, rows by bucket, records by state."""
    parts = [f"**{gate.phase}: {'open' if gate.passed else 'shut'}**", *(f"- {reason}" for reason in gate.reasons)]
    if gate.rows:
        parts += ["", *_rows_table(gate.rows)]
    parts += ["", "| records | |", "|---|---:|"]
    parts += [f"| {state} | {count:,} |" for state, count in gate.records.items() if count]
    parts.append(f"| wanted | {gate.wanted:,} |")
    if gate.destination_count is not None:
        parts.append(f"| in the destination | {gate.destination_count:,} |")
    return "\n".join(parts)


def account_markdown(told: Mapping[str, Any]) -> str:
    """Return the account of an engagement as Markdown."""
    parts = [told["verdict"], "", *_rows_table(told["files"]), "", "| phase | wanted | in the destination | gate |", "|---|---:|---:|---|"]
    for one in told["phases"]:
        count = "" if one["destination_count"] is None else f"{one['destination_count']:,}"
        parts.append(f"| {one['phase']} | {one['wanted']:,} | {count} | {one['gate']} |")
    return "\n".join(parts)


def budget_metadata(budget: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was spent and forecast, in what the vendor limits; nothing before a first run."""
    unit = budget["unit"]
    if unit is None:
        return {}
    minutes = {} if budget["duration_s"] is None else {"minutes forecast": round(budget["duration_s"] / 60, 1)}
    figures = {f"{unit} spent": budget["spent"], f"{unit} forecast": budget["forecast"], f"{unit}, cheapest possible": budget["cheapest"]}
    return {**figures, **minutes}


def _rows_table(rows: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    buckets = sorted({name for row in rows for name, count in row["buckets"].items() if count})
    yield "| file | rows | " + " | ".join(buckets) + " |"
    yield "|---|---:|" + "---:|" * len(buckets)
    for row in rows:
        counts = " | ".join(f"{row['buckets'].get(name, 0):,}" for name in buckets)
        yield f"| {row['file']} | {row['physical_rows']:,} | {counts} |"

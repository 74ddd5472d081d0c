"""The summary of deals, v1: how many, and how much, by currency.

Belongs here: one read. Not here: deals themselves (deals).
Source: S1 getDealsSummary: "a summary of all not archived deals". Amounts are not converted here: the sandbox knows no rates.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from crm_pipelines.sandbox.pipedrive.answers import Answer, bad_request_v1, ok
from crm_pipelines.sandbox.pipedrive.operations import Call, Operation
from crm_pipelines.sandbox.pipedrive.store import Record

STATUSES = ("open", "won", "lost")
_EQUAL = {"user_id": "owner_id", "pipeline_id": "pipeline_id", "stage_id": "stage_id", "status": "status"}


def summary(call: Call) -> Answer:
    """GET /deals/summary."""
    if call.query.get("status", "open") not in STATUSES:
        raise bad_request_v1()
    wanted = [(field, call.query[name]) for name, field in _EQUAL.items() if name in call.query]
    rows = [
        row
        for row in call.account.store.table("deals").live()
        if not row["is_archived"] and all(str(row[field]) == value for field, value in wanted)
    ]
    return ok({"total_count": len(rows), **_money(rows, call.account.config.currency)})


def _money(rows: list[Record], currency: str) -> dict[str, Any]:
    by_currency: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by_currency[row["currency"]].append(row["value"] or 0)
    total = sum(sum(values) for values in by_currency.values())
    values = {code: _of(code, amounts) for code, amounts in by_currency.items()}
    return {
        "total_currency_converted_value": total, "total_weighted_currency_converted_value": total,
        "total_currency_converted_value_formatted": f"{currency}{total}",
        "total_weighted_currency_converted_value_formatted": f"{currency}{total}",
        "values_total": {code: {**of, "value_converted": of["value"], "value_converted_formatted": of["value_formatted"]}
                         for code, of in values.items()},
        "weighted_values_total": values,
    }  # fmt: skip


def _of(code: str, amounts: list[float]) -> dict[str, Any]:
    return {"count": len(amounts), "value": sum(amounts), "value_formatted": f"{code}{sum(amounts)}"}


OPERATIONS = [Operation("getDealsSummary", "v1", "GET", "/deals/summary", 40, summary)]

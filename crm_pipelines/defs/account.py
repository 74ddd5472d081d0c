"""An engagement's whole account as plain values, for the reconciliation asset and the command line alike. Knows no Dagster.

Belongs here: putting counts, queues and budget together, the verdict and its exit code. Not here: the counting (phases), how
it looks (reports).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.defs.explained import explained, with_values
from crm_pipelines.errors import EXIT_DESTINATION, EXIT_DIFFERENCES, EXIT_RECONCILED, EXIT_ROWS_WAIT
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import files
from crm_pipelines.phases.accounts import newest_seal
from crm_pipelines.phases.beside import pages
from crm_pipelines.phases.confirm import check_confirmed
from crm_pipelines.phases.merged import merged_differences
from crm_pipelines.phases.plan import forecast
from crm_pipelines.phases.predicted import compare
from crm_pipelines.phases.predicted import remember as remember_prediction
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues import CONFLICT, left_over
from crm_pipelines.phases.reconcile import queue_rows, summary
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.reports.reconciliation import write_reconciliation
from crm_pipelines.reports.side_by_side import write_side_by_side

FORECAST_PARTS = {"forecast": "total", "cheapest": "cheapest", "prepare": "prepare", "verify": "verify"}
LOOKS, PREPARE = ("list", "count", "read"), "prepare"
"""How the ledger names operations: what they do comes first, or the phase does."""
OPEN_BUCKETS = ("waiting", "refused", "quarantined")
VERDICTS = {
    EXIT_RECONCILED: "Reconciled: every row and record adds up, nothing waits.",
    EXIT_ROWS_WAIT: "Every row and record adds up; not finished yet: some rows wait for a person.",
    EXIT_DIFFERENCES: "Not reconciled: a gate is shut.",
    EXIT_DESTINATION: "Not finished: the load goes on when it is run again.",
}


def account_of(project: Project, ledger: Ledger) -> dict[str, Any]:
    """Return rows by bucket, records by state, queues, budget and the verdict. Plain values, no field values."""
    told = summary(project, ledger)
    seal = newest_seal(ledger, project.engagement.name)
    told["confirmed"] = seal.kind if seal else "not confirmed"
    told["queues"] = queues_of(project, ledger)
    told["budget"] = budget_of(project, ledger)
    found = compare(project, ledger)
    told["grown"] = _grown(project)
    told["prediction"] = asdict(found) if found is not None else None
    told["columns"] = with_values(project, told["columns"])
    told |= explained(project, ledger, told)
    told["exit_code"] = exit_code(told)
    told["verdict"] = _verdict(told)
    return told


def exit_code(told: Mapping[str, Any]) -> int:
    """Return 0, 10, 11 or 3: reconciled, rows wait, a gate is shut, not finished."""
    gates = {phase["gate"] for phase in told["phases"]}
    if "shut" in gates:
        return EXIT_DIFFERENCES
    if "not run" in gates:
        return EXIT_DESTINATION
    if unforeseen(told):
        return EXIT_DIFFERENCES
    if told["confirmed"] == "sample":
        return EXIT_RECONCILED
    waits = any(row["buckets"].get(name) for row in told["files"] for name in OPEN_BUCKETS)
    waits = waits or any(phase["records"].get(name) for phase in told["phases"] for name in ("waiting", "refused"))
    return EXIT_ROWS_WAIT if waits else EXIT_RECONCILED


def unforeseen(told: Mapping[str, Any]) -> list[str]:
    """Return what came otherwise than foreseen and nothing that the run recorded explains."""
    return list((told.get("prediction") or {}).get("differences", ()))


def _verdict(told: Mapping[str, Any]) -> str:
    text = _sample_verdict(told) if told["confirmed"] == "sample" else VERDICTS[told["exit_code"]]
    if not (found := unforeseen(told)):
        return text
    opened = {phase["gate"] for phase in told["phases"]} <= {"passed", "accepted"}
    start = "Every row and record adds up, but not as foreseen" if opened else f"{text} Not as foreseen"
    return f"{start}; report this as a defect: {'. '.join(found)}."


def _sample_verdict(told: Mapping[str, Any]) -> str:
    if told["exit_code"] != EXIT_RECONCILED:
        return VERDICTS[told["exit_code"]]
    name = told["engagement"]
    return f"The sample is loaded and adds up; look at it in the destination, then: crm confirm {name} --by NAME; crm run {name}"


def close_pass(told: Mapping[str, Any], ledger: Ledger) -> None:
    """Close the pass of a full load whose gates are all open; what comes next is a new pass."""
    done = all(phase["gate"] in ("passed", "accepted") for phase in told["phases"])
    if done and told["confirmed"] == "full" and told["pass"]:
        ledger.close_pass(told["engagement"], told["pass"])


def queues_of(project: Project, ledger: Ledger) -> list[dict[str, Any]]:
    """Count rows that wait by queue, reason and object, and records of ours that no row wants any more."""
    counts = Counter((row["queue"], row["reason"], row["object"]) for row in queue_rows(project, ledger).iter_rows(named=True))
    counts += Counter((CONFLICT, each.reason, each.phase) for each in left_over(project))
    return [{"queue": queue, "reason": reason, "object": name, "rows": n} for (queue, reason, name), n in sorted(counts.items())]


def write_account(project: Project, ledger: Ledger) -> tuple[dict[str, Any], dict[str, Path]]:
    """Write reconciliation and queue files; return the account and where the files lie."""
    # here, so that a look at the account loads no workbook writer
    from crm_pipelines.defs.queues import write_queue_files
    from crm_pipelines.reports.merged import write_merged

    told = account_of(project, ledger)
    paths = write_reconciliation(told, project.engagement.handoff)
    write_queue_files(project, ledger)
    merged = write_merged(merged_differences(project), project.engagement.handoff)
    return told, paths | ({"merged contacts": merged} if merged else {})


def show_sample(project: Project) -> dict[str, Path]:
    """Write the loaded sample beside its source, read back from the destination; return where the files lie."""
    with open_session(project, "show the sample", opens_pass=False) as session:
        seal = newest_seal(session.ledger, session.engagement)
        if seal is None or seal.kind != "sample":
            return {}
        shown = pages(session, seal.content["sample"])
    return write_side_by_side(shown, project.engagement.name, seal.seal_no, project.engagement.handoff)


def remember_forecast(session: Session) -> None:
    """Keep what is foreseen of a pass as it was before its first record: what comes and is spent later is held against it."""
    check_confirmed(session)
    files.write_bytes(_grown_path(session.project), orjson.dumps(session.grown))
    path = _forecast_path(session.project, session.pass_no)
    spent = session.ledger.spend_total(session.account, session.engagement)
    foreseen = remember_prediction(session)
    if path.exists():
        return
    seal = newest_seal(session.ledger, session.engagement)
    is_sample = seal is not None and seal.kind == "sample"
    before = {"spent_before": spent.spent_ours, "spent_before_by": dict(spent.by_operation)}
    told = {**forecast(session, foreseen).as_dict(), **before, "is_sample": is_sample}
    files.write_bytes(path, orjson.dumps(told, option=orjson.OPT_INDENT_2, default=str))


def budget_of(project: Project, ledger: Ledger) -> dict[str, Any]:
    """Return forecast, spent and cheapest of the current pass in what the vendor limits; `unit` is None before its first run."""
    name, account = project.engagement.name, account_name(project)
    now = ledger.current_pass(name) or ledger.last_closed(name)
    path = _forecast_path(project, now.pass_no if now else 0)
    told = orjson.loads(path.read_bytes()) if path.exists() else {}
    spent = ledger.spend_total(account, name)
    unit = told.get("unit", "tokens") if told else None
    return {
        "unit": unit,
        **{name: told.get(f"{stored}_{unit}", 0) for name, stored in FORECAST_PARTS.items()},
        "sample": (told.get(f"sample_{unit}") or 0) if told.get("is_sample") else 0,
        "duration_s": told.get("duration_s"),
        "notes": told.get("notes", []),
        "spent": spent.spent_ours - told.get("spent_before", spent.spent_ours if not told else 0),
        "spent_by_operation": dict(spent.by_operation),
        "spent_on": _spent_on(dict(spent.by_operation), told) if "spent_before_by" in told else {},
        "tokens_per_day": told.get("tokens_per_day"),
        "reserve": told.get("reserve"),
        "calendar": told.get("calendar", []),
        "resumes_at": _text(ledger.resumes_at(account)),
    }


def _spent_on(spent: Mapping[str, int], told: Mapping[str, Any]) -> dict[str, int]:
    """Return what this pass spent on records, on preparing the destination, and on looking (lists, counts, reads)."""
    before, kinds = told["spent_before_by"], {"records": 0, "prepare": 0, "looks": 0}
    for operation, count in spent.items():
        kinds[_kind_of(operation)] += count - before.get(operation, 0)
    return kinds


def _kind_of(operation: str) -> str:
    first, _, last = operation.partition(".")
    return "prepare" if PREPARE in {first, last} else "looks" if first in LOOKS else "records"


def account_name(project: Project) -> str:
    """Return the name under which the ledger keeps the account; needs no secret."""
    return f"{project.engagement.destination}:{project.engagement.node.account.name}"


def _grown(project: Project) -> list[str]:
    """Return what the last run found to have come since the map was confirmed, needing no confirmation."""
    path = _grown_path(project)
    return list(orjson.loads(path.read_bytes())) if path.exists() else []


def _grown_path(project: Project) -> Path:
    return project.engagement.work / "grown.json"


def _forecast_path(project: Project, pass_no: int) -> Path:
    return project.engagement.work / "forecast" / f"{pass_no:04}.json"


def _text(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None

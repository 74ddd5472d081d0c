"""What `crm plan`, `crm confirm` and `crm audit` do: walk to the map, foresee, seal, read the trail. Returns plain values.

Belongs here: putting plan, confirmation and trail together. Not here: foreseeing and sealing (phases), arguments (cli_map), how they
look (reports), commands that load (commands).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from crm_pipelines.defs.commands import walk_to_map
from crm_pipelines.defs.intake import withdraw_files
from crm_pipelines.discovery.undecided import undecided
from crm_pipelines.errors import NotConfirmedError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.columns import map_notes
from crm_pipelines.phases.confirm import check_confirmed
from crm_pipelines.phases.confirm import confirm as seal
from crm_pipelines.phases.expectations import ShutGate, foreseen_shut
from crm_pipelines.phases.plan import Forecast, forecast
from crm_pipelines.phases.predict import PhasePrediction, predict, predicted_chunks, predicted_rows
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.reports.audit import write_audit
from crm_pipelines.settings import home


def make_plan(project: Project, *, is_offline: bool = False) -> dict[str, Any]:
    """Read the exports, map them, and foresee what a load would come to and cost; writes nothing anywhere but the work folder."""
    withdrawn = withdraw_files(project)
    walk_to_map(project)
    with open_session(project, "plan", opens_pass=False) as session:
        prediction = predict(session, is_offline=is_offline)
        told = forecast(session, prediction)
        cost = session.destination.budget().cost
        phases = [_phase(session, one, told, cost) for one in prediction.phases.values()]
        rows = predicted_rows(session, prediction)
        gates = foreseen_shut(project, session.ledger, prediction, rows)
        confirmation = _confirmation(session)
    return {
        "engagement": project.engagement.name,
        "forecast": told.as_dict(),
        "prediction": {"is_offline": is_offline, "notes": list(prediction.notes), "phases": _with_days(phases, told, gates), "files": rows}
        | {"gates": [asdict(each) for each in gates]},
        "withdrawn": withdrawn,
        "undecided": undecided(project).as_dict(),
        "confirmation": confirmation,
    }


def make_confirmation(
    project: Project, by: str, sample: int | None, without_sample: str | None, paused_by: str | None = None
) -> dict[str, Any]:
    """Seal the map as the exports, the spec and the destination are now."""
    withdrawn = withdraw_files(project)
    walk_to_map(project)
    done = seal(project, by, sample, without_sample, paused_by=paused_by)
    told: dict[str, Any] = {"seal_no": done.seal_no, "kind": done.kind, "diff": done.diff, "scope": done.scope, "cites": done.cites}
    told["withdrawn"] = withdrawn
    told["undecided"] = undecided(project).as_dict()
    told["notes"] = [*done.notes, *map_notes(project)]
    if done.coverage is not None:
        told["coverage"] = {**asdict(done.coverage), "told": done.coverage.told()}
    return told


def read_audit(project: Project) -> dict[str, Any]:
    """Return everything that people confirmed, accepted, decided and resolved, and write it into the hand-over folder."""
    name = project.engagement.name
    with Ledger.open(home().ledger_url) as ledger:
        entries = [
            {"no": each.audit_no, "at": each.done_utc.isoformat(), "by": each.by, "what": each.what, "detail": dict(each.detail)}
            for each in ledger.audit(name)
        ]
    told = {"engagement": name, "entries": entries}
    return told | {"files": {kind: str(path) for kind, path in write_audit(told, project.engagement.handoff).items()}}


def _confirmation(session: Session) -> str:
    try:
        check_confirmed(session)
    except NotConfirmedError as error:
        return str(error)
    grown = "".join(f"\n  since then, and needing no confirmation: {line}" for line in session.grown)
    return f"{session.engagement}: the map is confirmed as it is.{grown}"


def _phase(session: Session, one: PhasePrediction, told: Forecast, cost: Mapping[str, int]) -> dict[str, Any]:
    """Return one phase: its records by bucket, why some wait, and the same per file with what the file's partition sends."""
    planned = told.phases[one.phase]
    waits = one.states.drop_nulls("reason").group_by("queue", "reason").len().sort("queue", "reason")
    chunks = predicted_chunks(session, one.phase, one)
    is_sending = planned.requests > 0
    return {
        "phase": one.phase,
        "records": one.counts(),
        "waits": [{"queue": queue, "reason": reason, "records": count} for queue, reason, count in waits.iter_rows()],
        "requests": planned.requests,
        "tokens": planned.tokens,
        "chunks": [_chunk(session, one.phase, key, chunks[key], cost, told.unit, is_sending=is_sending) for key in chunks],
    }


def _chunk(  # noqa: PLR0917 - one line of a table
    session: Session, phase: str, key: str, counts: Mapping[str, Mapping[str, int]], cost: Mapping[str, int], unit: str, *, is_sending: bool
) -> dict[str, Any]:
    chunk, sends = session.project.chunk(key), counts["sends"] if is_sending else {}
    rows = session.destination.capabilities.batch_rows
    return {
        "chunk": key,
        "file": chunk.file_name,
        "object": chunk.object,
        "records": dict(counts["records"]),
        "requests": sum(-(-count // rows) for count in sends.values()),
        "tokens": sum(count * cost.get(f"{phase}.{name}", 0) for name, count in sends.items()) if unit == "tokens" else None,
    }


def _with_days(phases: list[dict[str, Any]], told: Forecast, gates: Sequence[ShutGate]) -> list[dict[str, Any]]:
    """Add the day on which each phase is through, where the vendor's quota makes days; listings are spread evenly.

    None from the first gate on that will shut: when somebody opens it, nobody knows.
    """
    shut = {each.phase for each in gates}
    days, total = list(told.calendar), told.total_tokens or 0
    spent = float(told.prepare_tokens or 0)
    ends = [sum(day["tokens"] for day in days[: number + 1]) for number in range(len(days))]
    for one in phases:
        spent += (one["tokens"] or 0) + (told.verify_tokens or 0) / max(1, len(phases))
        on = next((day["day"] for day, end in zip(days, ends, strict=True) if min(spent, total) <= end), None)
        is_held = any(phase["phase"] in shut for phase in phases[: phases.index(one) + 1])
        one["done_on"] = None if is_held else on
    return phases

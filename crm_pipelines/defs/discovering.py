"""What `crm discover`, `propose` and `decide` do: walk to the map, ask the destination, put the documents together. Plain values.

Belongs here: the order of those steps, and what is remembered of them. Not here: finding things out (discovery), how documents look
(reports), what a decision does (spec.overlay).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from crm_pipelines.defs.commands import walk_to_map
from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.intake import withdraw_files
from crm_pipelines.defs.partitions import asset_key
from crm_pipelines.destinations.base import Inspection
from crm_pipelines.discovery.assemble import assemble
from crm_pipelines.discovery.duplicates import likely_duplicates
from crm_pipelines.discovery.grades import Count
from crm_pipelines.discovery.proposal import Proposal
from crm_pipelines.discovery.proposing import propose as proposed_by
from crm_pipelines.discovery.room import FieldRoom, remember_room, ticked_within, too_many
from crm_pipelines.discovery.undecided import undecided
from crm_pipelines.discovery.values import Discovery
from crm_pipelines.errors import CrmError, SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import files
from crm_pipelines.phases.automations import remember_inspection, sign_paused, signature
from crm_pipelines.phases.client import plain_map, read_client, require_unedited, write_client
from crm_pipelines.phases.expectations import foreseen_shut
from crm_pipelines.phases.plan import forecast, wanted_schema
from crm_pipelines.phases.predict import Prediction, predict, predicted_rows
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.reports.scope import write_scope
from crm_pipelines.reports.workbook import read_workbook, remember_workbook, write_workbook
from crm_pipelines.settings import home, load_engagement
from crm_pipelines.spec.client import Client

WORKBOOK = "map.xlsx"


def discover(project: Project, *, paused_by: str | None = None, is_offline: bool = False) -> dict[str, Any]:
    """Read the exports and the destination, and write the scope document; sends nothing but reads.

    `is_offline` leaves the destination alone; `paused_by` is who signs that automations which an import would set off are paused.
    """
    if paused_by is not None:
        with Ledger.open(home().ledger_url) as ledger:
            sign_paused(project, ledger, paused_by)
    withdrawn = withdraw_files(project)
    has_records = _has_required(project)
    if has_records:
        walk_to_map(project)
    told = {**find_out(project, is_offline=is_offline, has_records=has_records), "withdrawn": withdrawn}
    with Ledger.open(home().ledger_url) as ledger:
        told["is_confirmed"] = bool(ledger.seals(project.engagement.name))
    with open_instance() as instance:
        key = asset_key(project.engagement.name, "discovery")
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=discovery_metadata(told)))
    return told


def find_out(project: Project, *, is_offline: bool = False, has_records: bool = True) -> dict[str, Any]:
    """Write the scope document of what is mapped already, and return what it says in short."""
    found = found_out(project, is_offline=is_offline, has_records=has_records)
    paths = write_scope(found, project.engagement.handoff)
    return {
        "engagement": project.engagement.name,
        "documents": {name: str(path) for name, path in paths.items()},
        "overall": found.overall,
        "grades": [vars(one) for one in found.grades],
        "objects": [{"object": one.object, "raw": one.raw_rows, "different": one.distinct_keys, "clean": one.clean} for one in found.clean],
        "missing": [{"object": one.object, "is_required": one.is_required} for one in found.checklist if not one.is_there],
        "waiting_columns": [f"{one.object}: {one.heading}" for one in found.columns if one.state == "waiting"],
        "owners_without_user": sum(one.user is None for one in found.owners) if found.inspection else None,
        "open_questions": [str(one["name"]) for one in found.decisions if one["is_open"]],
        "findings": [dict(one) for one in found.inspection.get("findings", ()) if one["level"] in ("warning", "blocker")],
        "automations_signed": found.automations_signed,
        "notes": list(found.notes),
    }


def found_out(project: Project, *, is_offline: bool, has_records: bool) -> Discovery:
    """Return everything that the scope document says."""
    with Ledger.open(home().ledger_url) as ledger:
        signed = signature(project, ledger)
    now = datetime.now(UTC)
    if is_offline:
        return assemble(project, None, {}, signed, made_at=now)
    with open_session(project, "discover", opens_pass=False) as session:
        wanted = wanted_schema(session) if has_records else None
        inspection = session.destination.inspect(session.journal("describe"), wanted)
        remember_inspection(project, inspection)
        session.schema = inspection.schema
        prediction = predict(session) if has_records else None
        told, notes = _foretold(session, prediction)
        return assemble(project, inspection, told, signed, made_at=now, prediction=prediction, notes=notes)


def discovery_metadata(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the Dagster UI shows of a discovery: the document itself, and figures that plot."""
    documents = {name: Path(path) for name, path in told["documents"].items()}
    clean = {f"{one['object']} if every kind that may stay behind does": one["clean"] for one in told["objects"]}
    return {
        **{f"scope document ({name})": dg.MetadataValue.path(str(path)) for name, path in documents.items()},
        **({"scope": dg.MetadataValue.md(documents["md"].read_text(encoding="utf-8"))} if "md" in documents else {}),
        "grade": told["overall"],
        **clean,
        "columns that no rule knows": len(told["waiting_columns"]),
        "questions open": len(told["open_questions"]),
        "findings": len(told["findings"]),
    }


def propose(project: Project, *, out: Path | None = None, is_offline: bool = False) -> dict[str, Any]:
    """Propose a map for what the spec leaves open, and write the workbook that a client fills in."""
    withdrawn = withdraw_files(project)
    walk_to_map(project)
    inspection = None if is_offline else _asked(project)
    proposed = proposed_by(project, None if inspection is None else inspection.schema)
    room = None if inspection is None else FieldRoom.of(project, inspection.schema)
    if inspection is not None:
        remember_room(project, room)
    proposed, warning = ticked_within(proposed, project, room)
    proposed = replace(proposed, duplicates=tuple(one.as_dict() for one in likely_duplicates(project)))
    found = assemble(project, inspection, {}, None, made_at=datetime.now(UTC))
    path = write_workbook(out or project.engagement.handoff / WORKBOOK, proposed, found, project, warning=warning)
    return {
        "engagement": project.engagement.name,
        "workbook": str(path),
        "columns": [_shown(one) for one in proposed.columns],
        "pre_ticked": sum(one.state == "pre-ticked" for one in proposed.columns),
        "words": sum(one.role not in ("tag", "owner") for one in proposed.words),
        "empty_fields": len(proposed.empty_fields),
        "duplicates": len(proposed.duplicates),
        "questions": list(project.unanswered),
        "threshold": proposed.threshold,
        "room": warning,
        "withdrawn": withdrawn,
    }


def decide(project: Project, workbook: Path, by: str) -> dict[str, Any]:
    """Take what a client filled into the workbook over into decisions.yaml.

    Raises: an error that names sheet and cell, or line, of everything that is wrong; then nothing is changed.
    """
    name, before = project.engagement.name, read_client(project.engagement)
    answers, client_map = read_workbook(workbook, project, before)
    changed = changes(before, answers, plain_map(client_map))
    if changed:
        old = project.engagement.decisions_path.read_bytes() if project.engagement.decisions_path.is_file() else None
        require_unedited(project.engagement, before)
        write_client(project.engagement, answers, client_map, by)
        _hold_or_restore(name, project.engagement.decisions_path, old)
        with Ledger.open(home().ledger_url) as ledger:
            ledger.add_audit(name, by, "decided by workbook", {"changed": changed})
    remember_workbook(workbook, project)
    opened = Project.open(load_engagement(name))
    told = {"engagement": name, "changed": changed, "by": by, "questions": list(opened.unanswered)}
    return told | {"undecided": undecided(opened).as_dict(), "room": too_many(opened)}


def _foretold(session: Session, prediction: Prediction | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the forecast, and notes: why there is none where the plan's caps cannot hold the map, and which gates will shut."""
    if prediction is None:
        return {}, ()
    shut = foreseen_shut(session.project, session.ledger, prediction, predicted_rows(session, prediction))
    notes = tuple(each.told for each in shut)
    try:
        return forecast(session, prediction).as_dict(), notes
    except SettingsError as error:
        return {}, (str(error), *notes)


def _asked(project: Project) -> Inspection:
    with open_session(project, "propose", opens_pass=False) as session:
        return session.destination.inspect(session.journal("describe"), wanted_schema(session))


def _has_required(project: Project) -> bool:
    """Whether the exports without which nothing starts are there: else discovery is the checklist alone."""
    folder = project.engagement.exports
    names = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    declared = {name: node.object for name, node in project.engagement.node.source.files.items()}
    present = {declared.get(name) or project.source.object_of(name) for name in names} | {chunk.object for chunk in project.chunks()}
    return set(project.spec.required_objects) <= present


def _shown(one: Proposal) -> dict[str, Any]:
    best = one.best
    target = f"{best.target.phase}.{best.target.label or best.target.name}" if best.target.phase else best.target.name
    return {
        "object": one.object,
        "heading": one.heading,
        "filled": one.filled,
        "state": one.state,
        "target": target,
        "confidence": round(best.confidence, 3),
        "evidence": list(best.evidence),
    }


def changes(before: Client, answers: Mapping[str, str], client_map: Mapping[str, Any]) -> list[str]:
    """Return what a workbook changes, by name: questions, and parts of the map with what they are about."""
    questions = [f"question {name}" for name in sorted({*before.answers, *answers}) if before.answers.get(name) != answers.get(name)]
    old = plain_map(before.map)
    parts = []
    for part in sorted({*old, *client_map}):
        then, now = old.get(part, {}), client_map.get(part, {})
        names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
        told = [f"who takes over from {Count(len(names)):team member}"] if names else []
        parts += told if part == "owners" else [f"{part} {name}" for name in names]  # addresses are people's, and the trail is handed over
    return [*questions, *parts]


def _hold_or_restore(engagement: str, path: Path, old: bytes | None) -> None:
    """Open the engagement with what was decided; put the file back as it was when it does not hold."""
    try:
        Project.open(load_engagement(engagement))
    except CrmError:
        if old is None:
            path.unlink()
        else:
            files.write_bytes(path, old)
        raise

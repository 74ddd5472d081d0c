"""What stands beside the counts of an account so that a client can read them: decisions, reasons to wait, opt-outs, money, what is missing.

Belongs here: putting it together as plain values. Not here: the counts (defs.account), any of the parts (phases, discovery),
sentences (reports.reconciliation_facts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from crm_pipelines.discovery.checklist import checklist
from crm_pipelines.discovery.questions import NAMES, decisions
from crm_pipelines.discovery.reckoning import private_persons, waiting_records
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.bridge import money_bridge
from crm_pipelines.phases.merged import merged_differences
from crm_pipelines.phases.optouts import opt_outs
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.stage import read_sidecar

DECIDED = "decided by workbook"
"""What the audit trail calls an answer that came by the workbook; others were written into decisions.yaml by hand."""


def explained(project: Project, ledger: Ledger, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what explains the counts in `told`.

    Shape: source, destination, confirmed_by (by, at, kind; None), decisions (name, question, answer, told, is_default, by, at),
    waits (phase, reason, records), private (organizations that are private persons), opt_outs (phases.optouts), money_bridge
    (phases.bridge), made (phase, records, kind, decision: records that a decision makes), decides (reason -> decision behind it),
    not_received (object, without_it, how), gaps (what, why, instead), merged (values that merged contacts said
    otherwise, records they became), phase_whys (phase -> why it is so), files_sent (chunk -> sha256).
    """
    merged = merged_differences(project)
    states = {phase: accounts.phase_states(project, ledger, phase) for phase in project.phases}
    route = project.spec.route
    is_full = told["confirmed"] == "full"
    return {
        "source": route.source,
        "destination": route.destination,
        "confirmed_by": _confirmed_by(project, ledger),
        "decisions": _decisions(project, ledger),
        "waits": list(waiting_records(states, project.phases)),
        "private": private_persons(project),
        "made": list(_made(project)),
        "decides": _deciding(project),
        "phase_whys": {phase: project.spec.phases[phase].why for phase in project.phases if phase in project.spec.phases},
        "opt_outs": opt_outs(project, ledger),
        "money_bridge": money_bridge(project, ledger, told["phases"]) if is_full else [],
        "not_received": [
            {"object": one.object, "without_it": one.without_it, "how": one.how} for one in checklist(project) if not one.is_there
        ],
        "gaps": [
            {"what": NAMES.get(name) or name.replace("_", " "), "why": gap.why, "instead": gap.instead}
            for name, gap in project.spec.not_migrated.items()
        ],
        "merged": {"values": merged.height, "records": merged.get_column("into_key").n_unique()},
        "files_sent": {chunk.key: chunk.sha256 for chunk in project.chunks()},
    }


def _made(project: Project) -> Iterator[dict[str, Any]]:
    """Yield what a decision makes: organizations for private persons, and payments as records of their own."""
    derive, private = project.spec.derive, private_persons(project)
    if private and derive.companies.single_person:
        decision = next(iter(derive.companies.single_person.when), "")
        yield {"phase": derive.companies.phase, "records": private, "kind": "private", "decision": decision}
    if derive.purchases is None:
        return
    kinds = read_resolved(project.resolved_folder, "purchases").group_by("kind", "home_phase").len()
    policies = {"rebill": derive.purchases.policies.rebills, "failed": derive.purchases.policies.failed}
    for kind, phase, records in kinds.sort("kind", "home_phase").iter_rows():
        if kind in policies:
            yield {"phase": phase, "records": records, "kind": kind, "decision": policies[kind].decision}


def _deciding(project: Project) -> dict[str, str]:
    """Return the decision behind a reason to leave rows out."""
    derive, found = project.spec.derive, {}
    if derive.purchases is not None:
        found["failed_payment"] = derive.purchases.policies.failed.decision
    if derive.bookings is not None and derive.bookings.exclude_cancelled:
        found[derive.bookings.excluded_reason] = next(iter(derive.bookings.exclude_cancelled))
    return found


def with_values(project: Project, columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the account of columns with `values`: cells that hold something, words that only stand for nothing (N/A) left out."""
    counts: Counter[tuple[str, str]] = Counter()
    for name in project.objects:
        nothing = _words_for_nothing(project, name)
        for key in project.object_chunks(name):
            counts.update(_counted(project, name, key, nothing))
    return [{**one, "values": counts[one["object"], one["heading"]]} for one in columns]


def _counted(project: Project, name: str, key: str, nothing: list[str]) -> dict[tuple[str, str], int]:
    from crm_pipelines.phases.columns import shown_headings

    frame = pl.scan_parquet(project.staged_path(name, key))
    schema = frame.collect_schema()
    shown = shown_headings(project, name)
    columns = [heading["column"] for heading in _headings(project, name, key) if heading["column"] in schema]
    places = {column: (name, shown[column]) for column in columns}
    told = frame.select(_filled(column, schema, nothing).sum().alias(column) for column in places).collect() if places else pl.DataFrame()
    return {places[column]: int(count or 0) for column, count in (told.row(0, named=True) if places else {}).items()}


def _headings(project: Project, name: str, key: str) -> list[dict[str, Any]]:
    headings: list[dict[str, Any]] = read_sidecar(project.staged_folder, name, key)["headings"]
    return headings


def _filled(column: str, schema: pl.Schema, nothing: list[str]) -> pl.Expr:
    """Tell which cells hold something: text that is no word for nothing, a list with an entry, a typed value, or one that was not typed."""
    own = pl.col(column)
    if schema[column] == pl.String:
        return own.is_not_null() & ~own.str.strip_chars().str.to_lowercase().is_in(["", *nothing])
    if isinstance(schema[column], pl.List):
        return (own.list.len() > 0).fill_null(value=False)
    raw = f"raw_{column}"
    return own.is_not_null() | _filled(raw, schema, nothing) if raw in schema else own.is_not_null()


def _words_for_nothing(project: Project, name: str) -> list[str]:
    """Return the words that every column of the source's contract takes for empty."""
    nulls = [{word.casefold() for word in column.nulls} for column in project.source.objects[name].columns]
    return sorted(set.intersection(*nulls)) if nulls else []


def _decisions(project: Project, ledger: Ledger) -> list[dict[str, Any]]:
    """Return the questions that applied, each with its answer, and who gave it."""
    entries = [one for one in ledger.audit(project.engagement.name) if one.what == DECIDED]
    found = []
    for one in decisions(project):
        answer, is_default = project.decisions.get(one["name"], ""), one["answer"] is None
        asked = f"question {one['name']}"
        last = next((each for each in reversed(entries) if asked in each.detail.get("changed", ())), None)
        who = last if not is_default else None
        found.append(
            {
                "name": one["name"],
                "question": one["question"],
                "answer": answer,
                "told": one["options"].get(answer) or answer,
                "is_default": is_default,
                "by": who.by if who else None,
                "at": who.done_utc.isoformat() if who else None,
            }
        )
    return found


def _confirmed_by(project: Project, ledger: Ledger) -> dict[str, Any] | None:
    seal = accounts.newest_seal(ledger, project.engagement.name)
    return {"by": seal.by, "at": seal.sealed_utc.isoformat(), "kind": seal.kind} if seal else None

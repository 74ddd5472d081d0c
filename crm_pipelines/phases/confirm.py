"""The seal: what a person confirmed, and whether it still holds.

Belongs here: what a seal covers, sealing and checking. Not here: how two seals differ (phases.changes), which records make a sample
(phases.sample), what a sealed map does (phases.map).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines import __version__
from crm_pipelines.errors import NotConfirmedError, SettingsError, SpecError
from crm_pipelines.ledger import Seal
from crm_pipelines.observe import event, logger
from crm_pipelines.phases import files
from crm_pipelines.phases.accounts import newest_seal
from crm_pipelines.phases.automations import PAUSED, require_paused, sign_paused, signature, unsigned
from crm_pipelines.phases.changes import HAS_NONE, HAS_USER, differences, growth
from crm_pipelines.phases.made_from import mark_path, require_made_from_this
from crm_pipelines.phases.plan import wanted_schema
from crm_pipelines.phases.prepared import held, times_ready
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_pairs import apart_problems
from crm_pipelines.phases.sample import Coverage, choose_sample
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.phases.stale import told_stale
from crm_pipelines.settings import home
from crm_pipelines.spec.client import open_questions

GROWTH = {
    "labels": "a new tag becomes a new label",
    "stages": "a stage that records name is made, where the pipeline is open",
    "currencies": "a new currency is switched on",
    "chunks": "a new export file of a known object is loaded",
}
"""What may come later without a new confirmation."""
SHOWN_LINES = 40

log = logger(__name__)


@dataclass(frozen=True)
class Confirmation:
    """What `crm confirm` did."""

    seal_no: int
    kind: str
    diff: list[str]
    """Changes against the previous seal; empty for the first."""
    scope: dict[str, int]
    """Phase -> records that this seal lets through."""
    coverage: Coverage | None = None
    """What the records of a sample show; None for a full seal."""
    cites: int | None = None
    """The verified sample that a full seal stands on."""
    notes: tuple[str, ...] = ()


def confirm(
    project: Project, by: str, sample: int | None = None, without_sample: str | None = None, *, paused_by: str | None = None
) -> Confirmation:
    """Seal the map: N records with their parents, or everything.

    `paused_by` is who signs that the destination's automations are paused, where nobody has yet.
    Raises: SettingsError when a full seal cites no verified sample and gives no reason, or nobody signed for the automations;
    NotConfirmedError while a question is open; SpecError
    when the client's map tells two people apart who have one e-mail address.
    """
    require_answers(project)
    if problems := apart_problems(project):
        raise SpecError(problems)
    with open_session(project, "confirm", opens_pass=False) as session:
        content = seal_content(session)
        previous = newest_seal(session.ledger, session.engagement)
        diff = [str(change) for change in differences(previous.content, content)] if previous else []
        cites = None if sample is not None or without_sample is not None else _verified_sample(session, content)
        if paused_by is not None:
            sign_paused(project, session.ledger, paused_by)
        if sample is not None:
            return _seal_sample(session, content, by, sample, diff)
        require_paused(project, session.ledger)
        signed = signature(project, session.ledger)
        scope = {phase: project.mapped(phase, "key").height for phase in project.phases}
        told = {"changes": diff, "records": scope, PAUSED: signed.told() if signed else None}
        number = session.ledger.add_seal(
            session.engagement, "full", seal_digest(content), content, by, cites=cites, without_sample_reason=without_sample, told=told
        )
        return Confirmation(number, "full", diff, scope, cites=cites, notes=session.notes)


def _seal_sample(session: Session, content: Mapping[str, Any], by: str, count: int, diff: list[str]) -> Confirmation:
    users = session.described().users
    matched = [name for name, phase in session.project.compiled.phases.items() if phase.create == "never" and phase.unmatched != "replace"]
    owners = {name: session.project.mapped(name, "key").get_column("key") for name in matched}
    absent = {name: [key for key in keys if key.casefold() not in users] for name, keys in owners.items()}
    chosen = choose_sample(session.project, count, absent)
    sealed = {**content, "sample": chosen.keys}
    scope = {phase: len(keys) for phase, keys in chosen.keys.items()}
    told = {"changes": diff, "records": scope, "shows": chosen.coverage.told()}
    number = session.ledger.add_seal(session.engagement, "sample", seal_digest(sealed), sealed, by, told=told)
    warned = unsigned(session.project, session.ledger)
    notes = (*session.notes, *([f"{warned}. Without that, everything else cannot be confirmed."] if warned else []))
    return Confirmation(number, "sample", diff, scope, coverage=chosen.coverage, notes=notes)


def check_confirmed(session: Session) -> None:
    """Raise NotConfirmedError unless a seal covers what would be loaded now; its message names every change."""
    name = session.engagement
    require_answers(session.project)
    seal = newest_seal(session.ledger, name)
    stamp = (seal.seal_no if seal else 0, *_stamp(session.project))
    if session.confirmed == stamp:
        return
    if seal is None:
        raise NotConfirmedError(
            f"{name}: the map is not confirmed. Look at `crm plan {name}`, then: crm confirm {name} --by NAME --sample 50"
        )
    content = seal_content(session)
    changes = list(differences(seal.content, content))
    if changes:
        shown = "\n".join(f"  {line}" for line in changes[:SHOWN_LINES])
        more = f"\n  ... and {len(changes) - SHOWN_LINES} more" if len(changes) > SHOWN_LINES else ""
        raise NotConfirmedError(
            f"{name}: what was confirmed as seal {seal.seal_no} changed since:\n{shown}{more}\n"
            f"Nothing was sent. Undo the change, or confirm it: {how_to_confirm(name, seal.kind)}"
        )
    require_made_from_this(session.project)
    session.grown = [str(each) for each in growth(seal.content, content)]
    if session.grown:
        event(log, "grown_since_confirmed", seal=seal.seal_no, changes=len(session.grown))
    session.confirmed = stamp


def how_to_confirm(engagement: str, kind: str) -> str:
    """Return the command that confirms a change: what was confirmed in full needs no new sample for it, though one may be looked at."""
    command = f"crm confirm {engagement} --by NAME"
    sample = f"{command} --sample 50"
    return sample if kind == "sample" else f"{command} --without-sample REASON (or look at a sample first: {sample})"


def require_as_checked(session: Session) -> None:
    """Raise NotConfirmedError when desired records were made anew since the seal was held against them: a part of two maps is neither."""
    if session.confirmed[1:] != _stamp(session.project):
        name = session.engagement
        raise NotConfirmedError(
            f"{name}: another command made the desired records anew while they were loaded. Nothing of the new ones was sent; what was "
            f"sent before is recorded. Look at `crm plan {name}`, confirm the map if it changed, then: crm run {name}"
        )


def require_answers(project: Project) -> None:
    """Raise NotConfirmedError while a question is open: what it was assumed to be is nobody's decision."""
    problems = open_questions(project.route_spec, project.client)
    if problems:
        told = "\n".join(f"  {problem}" for problem in problems)
        raise NotConfirmedError(f"{project.engagement.name}: questions are open, so nothing can be confirmed or sent:\n{told}")


def _stamp(project: Project) -> tuple[object, ...]:
    """Return what tells without reading it that spec, decisions and desired records are those that were checked."""
    parts = [part for phase in project.phases for part in files.parts(project.mapped_folder(phase))]
    paths = (project.engagement.spec_path, mark_path(project), *parts)
    return (project.engagement.decisions_text, *(_moment(path) for path in paths))


def _moment(path: Path) -> tuple[int, int]:
    """Return when a file was written and how long it is; zeros of one that is gone: another command may be at work."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def seal_content(session: Session) -> dict[str, Any]:
    """Return everything that would change the result: spec, decisions, how exports are read, headings, destination, growth, engine."""
    project = session.project
    return {
        "spec": orjson.loads(project.spec.model_dump_json(by_alias=True, exclude_none=True)),
        "decisions": dict(sorted(project.decisions.items())),
        "map": orjson.loads(project.client_map.model_dump_json(exclude_defaults=True)),
        "source": _source(project),
        **told_stale(project),
        "headings": _headings(project),
        "destination": _projection(session),
        "ready": times_ready(project),
        "growth": GROWTH,
        "engine": {"version": __version__, "lock": _lock_digest()},
    }


def _verified_sample(session: Session, content: Mapping[str, Any]) -> int:
    name = session.engagement
    seal = session.ledger.latest_seal(name, "sample")
    if seal is None or any(differences(seal.content, content)):
        state = "no sample was confirmed" if seal is None else f"the map changed since sample seal {seal.seal_no}"
        raise SettingsError(
            f"{name}: {state}. Confirm and load one first (crm confirm {name} --by NAME --sample 50; crm run {name}), "
            "or say why none is needed: --without-sample REASON"
        )
    open_phases = [phase for phase in session.project.phases if not _sample_passed(session, phase, seal)]
    if open_phases:
        raise SettingsError(
            f"{name}: the sample of seal {seal.seal_no} is not verified: no open gate for {', '.join(open_phases)}. Run: crm run {name}"
        )
    return seal.seal_no


def _sample_passed(session: Session, phase: str, sample: Seal) -> bool:
    """Say whether a phase is through its gate since the sample was sealed: a gate of before tells of other records, or another map."""
    gate = session.ledger.gate(session.engagement, session.pass_no, phase)
    return gate is not None and gate.is_open and gate.judged_utc is not None and gate.judged_utc >= sample.sealed_utc


def _source(project: Project) -> dict[str, Any]:
    """Return how the exports are read: their time zone, and of each file that is registered what the engagement declares."""
    declared = project.engagement.node.source
    names = {chunk.file_name for chunk in project.chunks() if chunk.kind == "export"}
    nodes = {name: declared.files.get(name) for name in sorted(names)}
    files_of = {name: orjson.loads(node.model_dump_json(exclude_none=True)) if node else {} for name, node in nodes.items()}
    return {"timezone": declared.timezone, "files": files_of}


def _headings(project: Project) -> dict[str, list[str]]:
    from crm_pipelines.phases.stage import read_sidecar

    found: dict[str, set[str]] = {}
    for name in project.objects:
        for key in project.object_chunks(name):
            sidecar = read_sidecar(project.staged_folder, name, key)
            decided = project.spec.derive.more.get(name, ())
            mapped = (h["column"] for h in sidecar["headings"] if h.get("canonical") or h.get("custom") or h["column"] in decided)
            found.setdefault(name, set()).update(h for h in mapped if h)
    return {name: sorted(headings) for name, headings in sorted(found.items())}


def _projection(session: Session) -> dict[str, Any]:
    wanted, found = wanted_schema(session), session.described()
    match_phases = [name for name, phase in session.project.compiled.phases.items() if phase.create == "never"]
    owners = [key for name in match_phases for key in session.project.mapped(name, "key").get_column("key")]
    return {
        "account": found.account,
        **held(session, wanted, found),
        "currencies": dict.fromkeys(sorted(wanted.currencies), "in use"),
        "users": {key: HAS_USER if key.casefold() in found.users else HAS_NONE for key in sorted(owners)},
    }


def seal_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of a seal's content."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _lock_digest() -> str:
    lock = home().root / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:16] if lock.exists() else "no lock file"

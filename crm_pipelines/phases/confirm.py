"""The seal: what a person confirmed, and whether it still holds.

Belongs here: what a seal covers, how two differ, sealing and checking. Not here: proposing a map, what a sealed map does (phases.map).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from crm_pipelines import __version__
from crm_pipelines.errors import NotConfirmedError, SettingsError
from crm_pipelines.phases import files
from crm_pipelines.phases.accounts import newest_seal
from crm_pipelines.phases.plan import wanted_schema
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.settings import home
from crm_pipelines.spec.client import open_questions

GROWING = frozenset({"destination.users", "destination.currencies", "headings"})
"""Parts where new entries are growth, not change: they are reported by the run, never blocking."""
GROWTH = {
    "labels": "a new tag becomes a new label",
    "stages": "a stage that records name is made, where the pipeline is open",
    "currencies": "a new currency is switched on",
    "chunks": "a new export file of a known object is loaded",
}
"""What may come later without a new confirmation."""
SHOWN_LINES = 40


@dataclass(frozen=True)
class Confirmation:
    """What `crm confirm` did."""

    seal_no: int
    kind: str
    diff: list[str]
    """Changes against the previous seal; empty for the first."""
    scope: dict[str, int]
    """Phase -> records that this seal lets through."""


def confirm(project: Project, by: str, sample: int | None = None, without_sample: str | None = None) -> Confirmation:
    """Seal the map: N records with their parents, or everything.

    Raises: SettingsError when a full seal cites no verified sample and gives no reason; NotConfirmedError while a question is open.
    """
    require_answers(project)
    with open_session(project, "confirm", opens_pass=False) as session:
        content = seal_content(session)
        previous = newest_seal(session.ledger, session.engagement)
        diff = list(differences(previous.content, content)) if previous else []
        if sample is not None:
            keys = choose_sample(project, sample)
            content = {**content, "sample": keys}
            number = session.ledger.add_seal(session.engagement, "sample", seal_digest(content), content, by)
            return Confirmation(number, "sample", diff, {phase: len(k) for phase, k in keys.items()})
        cites = None if without_sample is not None else _verified_sample(session, content)
        number = session.ledger.add_seal(
            session.engagement, "full", seal_digest(content), content, by, cites=cites, without_sample_reason=without_sample
        )
        scope = {phase: project.mapped(phase, "key").height for phase in project.phases}
        return Confirmation(number, "full", diff, scope)


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
    changes = list(differences(seal.content, seal_content(session)))
    if changes:
        shown = "\n".join(f"  {line}" for line in changes[:SHOWN_LINES])
        more = f"\n  ... and {len(changes) - SHOWN_LINES} more" if len(changes) > SHOWN_LINES else ""
        raise NotConfirmedError(
            f"{name}: what was confirmed as seal {seal.seal_no} changed since:\n{shown}{more}\n"
            f"Nothing was sent. Undo the change, or confirm it: crm confirm {name} --by NAME --sample 50"
        )
    session.confirmed = stamp


def require_answers(project: Project) -> None:
    """Raise NotConfirmedError while a question is open: what it was assumed to be is nobody's decision."""
    problems = open_questions(project.route_spec, project.client)
    if problems:
        told = "\n".join(f"  {problem}" for problem in problems)
        raise NotConfirmedError(f"{project.engagement.name}: questions are open, so nothing can be confirmed or sent:\n{told}")


def _stamp(project: Project) -> tuple[object, ...]:
    """Return what tells without reading it that spec, decisions and desired records are those that were checked."""
    parts = [part for phase in project.phases for part in files.parts(project.mapped_folder(phase))]
    paths = (project.engagement.spec_path, *parts)
    return (project.engagement.decisions_text, *((path.stat().st_mtime_ns, path.stat().st_size) for path in paths))


def seal_content(session: Session) -> dict[str, Any]:
    """Return everything that would change the result: spec, decisions, headings, destination projection, growth, engine."""
    project = session.project
    return {
        "spec": orjson.loads(project.spec.model_dump_json(by_alias=True, exclude_none=True)),
        "decisions": dict(sorted(project.decisions.items())),
        "map": orjson.loads(project.client_map.model_dump_json(exclude_defaults=True)),
        "headings": _headings(project),
        "destination": _projection(session),
        "growth": GROWTH,
        "engine": {"version": __version__, "lock": _lock_digest()},
    }


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield one readable line per difference between two seals' contents; growth is no difference."""
    for part in ("spec", "decisions", "map", "headings", "destination", "growth", "engine"):
        yield from _differ(part, old.get(part) or {}, new.get(part) or {})


def choose_sample(project: Project, count: int) -> dict[str, list[str]]:
    """Return per phase the keys of `count` records of the widest phase, with their parents and the records that hang on them.

    The sample prefers records with many filled fields and spreads over the whole export; it holds no waiting record.
    """
    frames = {phase: project.mapped(phase) for phase in project.phases}
    linked = _linked_to(project)
    centre = max((p for p in frames if linked.get(p)), key=lambda p: (linked[p], frames[p].height), default=project.phases[0])
    ready = frames[centre].filter(pl.col("queue").is_null())
    width = ready.with_columns(width=pl.col("payload").str.len_bytes()).sort("width", descending=True)
    half = width.head(count - count // 2)
    spread = width.tail(max(0, width.height - half.height)).sort("key").gather_every(max(1, width.height // max(1, count // 2)))
    keys: dict[str, set[str]] = {phase: set() for phase in frames}
    keys[centre] = set(pl.concat([half, spread]).head(count).get_column("key"))
    _add_children(project, frames, keys)
    _add_parents(project, frames, keys)
    for phase, frame in frames.items():
        if project.compiled.phases[phase].pairs:
            keys[phase] = {k for k, of, record in frame.select("key", "of", "record").iter_rows() if record in keys.get(of, ())}
    return {phase: sorted(found) for phase, found in keys.items()}


def _linked_to(project: Project) -> dict[str, int]:
    counts: dict[str, int] = {}
    for compiled in project.compiled.phases.values():
        for parent in compiled.links.values():
            counts[parent] = counts.get(parent, 0) + (0 if project.compiled.phases[parent].create == "never" else 1)
    return counts


def _add_children(project: Project, frames: Mapping[str, pl.DataFrame], keys: dict[str, set[str]]) -> None:
    for phase in project.phases:
        if keys[phase]:
            continue
        for name, parent in project.compiled.phases[phase].links.items():
            frame = frames[phase]
            if keys[parent] and f"link_{name}" in frame.columns:
                hang = frame.filter(pl.col("queue").is_null() & pl.col(f"link_{name}").is_in(list(keys[parent])))
                keys[phase] |= set(hang.get_column("key"))


def _add_parents(project: Project, frames: Mapping[str, pl.DataFrame], keys: dict[str, set[str]]) -> None:
    for phase in reversed(project.phases):
        chosen = frames[phase].filter(pl.col("key").is_in(list(keys[phase])))
        for name, parent in project.compiled.phases[phase].links.items():
            if f"link_{name}" in chosen.columns:
                keys[parent] |= set(chosen.get_column(f"link_{name}").drop_nulls())


def _verified_sample(session: Session, content: Mapping[str, Any]) -> int:
    name = session.engagement
    seal = session.ledger.latest_seal(name, "sample")
    if seal is None or list(differences(seal.content, content)):
        state = "no sample was confirmed" if seal is None else f"the map changed since sample seal {seal.seal_no}"
        raise SettingsError(
            f"{name}: {state}. Confirm and load one first (crm confirm {name} --by NAME --sample 50; crm run {name}), "
            "or say why none is needed: --without-sample REASON"
        )
    open_phases = [phase for phase in session.project.phases if not _sample_passed(session, phase)]
    if open_phases:
        raise SettingsError(
            f"{name}: the sample of seal {seal.seal_no} is not verified: no open gate for {', '.join(open_phases)}. Run: crm run {name}"
        )
    return seal.seal_no


def _sample_passed(session: Session, phase: str) -> bool:
    gate = session.ledger.gate(session.engagement, session.pass_no, phase)
    return gate is not None and gate.is_open


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
    there = {(f.phase, f.name): f for f in found.fields}
    fields = {}
    for field in wanted.fields:
        known = there.get((field.phase, field.name))
        options = {*field.options, *(known.options if known else ())}
        fields[f"{field.phase}.{field.name}"] = {"type": field.type, "options": sorted(options)}
    pipelines = [pipeline for phase in session.project.compiled.phases.values() for pipeline in phase.pipelines]
    match_phases = [name for name, phase in session.project.compiled.phases.items() if phase.create == "never"]
    owners = [key for name in match_phases for key in session.project.mapped(name, "key").get_column("key")]
    return {
        "account": found.account,
        "fields": fields,
        "stages": {each.name: list(each.stages) for each in sorted(pipelines, key=lambda each: each.name)},
        "types": {phase: sorted(names) for phase, names in sorted(wanted.types.items())},
        "currencies": dict.fromkeys(sorted(wanted.currencies), "in use"),
        "users": {key: "has a user" if key.casefold() in found.users else "has no user" for key in sorted(owners)},
    }


def seal_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of a seal's content."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _lock_digest() -> str:
    lock = home().root / "requirements.lock"
    return hashlib.sha256(lock.read_bytes()).hexdigest()[:16] if lock.exists() else "no lock file"


def _differ(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            here = f"{path}.{key}"
            if key not in old:
                if path not in GROWING:
                    yield f"{here}: new, {_short(new[key])}"
            elif key not in new:
                yield f"{here}: gone, was {_short(old[key])}"
            else:
                yield from _differ(here, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        gone = [x for x in old if x not in new]
        added = [x for x in new if x not in old]
        if gone or added:
            yield f"{path}: " + "; ".join([*(f"gone {_short(x)}" for x in gone), *(f"new {_short(x)}" for x in added)])
        else:
            yield f"{path}: order changed"
    else:
        yield f"{path}: was {_short(old)}, is {_short(new)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return repr(text if len(text) <= 80 else text[:77] + "...")

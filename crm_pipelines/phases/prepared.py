"""What the map uses of the destination: as it will be once it is ready, as it is now, and as it was when it was ready.

Belongs here: custom fields with their options, pipelines with their stages and record types, by name. Not here: what else a seal covers
(phases.confirm), what of it is a difference (phases.changes), making them (phases.prepare).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.destinations.base import Schema, WantedSchema
from crm_pipelines.phases import files
from crm_pipelines.phases.contracts import destination_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session

FIELDS, STAGES, TYPES, TIMES = "fields", "stages", "types", "times"


def held(session: Session, wanted: WantedSchema, found: Schema) -> dict[str, dict[str, Any]]:
    """Return fields, stages and record types of the map for a seal; never ids, and nothing that the map does not use.

    Shape: part -> name -> what was confirmed (`type` and `options`, `stages`, `names`), then facts: what there is now (`exists`, `there`)
    and what there was when the destination was ready (`made`, `had`). Of options, stages and types `wanted` are those that a load makes.
    """
    there, prepared = _found(session, wanted, found), _prepared(session.project)
    kinds = {(field.phase, field.name): field for field in found.fields}
    out: dict[str, dict[str, Any]] = {FIELDS: {}, STAGES: {}, TYPES: {}}
    for field in wanted.fields:
        name, known = f"{field.phase}.{field.name}", kinds.get((field.phase, field.name))
        options = sorted({*field.options, *(known.options if known else ())})
        out[FIELDS][name] = {"type": field.type, "options": options, **_facts(FIELDS, name, there, prepared)}
    for name, stages in _listed_stages(session.project).items():
        out[STAGES][name] = {"stages": stages, "wanted": sorted(wanted.stages.get(name, ())), **_facts(STAGES, name, there, prepared)}
    for phase, names in wanted.types.items():
        out[TYPES][phase] = {"names": sorted(names), "wanted": sorted(names), **_facts(TYPES, phase, there, prepared)}
    return {part: dict(sorted(each.items())) for part, each in out.items()}


def remember_prepared(session: Session, wanted: WantedSchema) -> None:
    """Keep which of the map's fields, options, stages and types the destination holds once it is ready: what goes missing later is told."""
    found = {**_found(session, wanted, session.described()), TIMES: times_ready(session.project) + 1}
    files.write_bytes(_path(session.project), orjson.dumps(found, option=orjson.OPT_SORT_KEYS))


def times_ready(project: Project) -> int:
    """Return how often the destination was made ready: what was there then was there after any seal of before."""
    return int(_prepared(project).get(TIMES, 0))


def _facts(part: str, name: str, there: Mapping[str, Any], prepared: Mapping[str, Any]) -> dict[str, Any]:
    now, before = there[part].get(name), prepared.get(part, {}).get(name)
    return {"there": now or [], "exists": now is not None, "made": before is not None, "had": before or []}


def _found(session: Session, wanted: WantedSchema, found: Schema) -> dict[str, dict[str, list[str]]]:
    """Return part -> name -> options, stages or types of it that the destination has; of stages and types those that the map uses."""
    fields = {(field.phase, field.name): field for field in found.fields}
    used = (each for each in wanted.fields if (each.phase, each.name) in fields)
    return {
        FIELDS: {f"{each.phase}.{each.name}": sorted(fields[each.phase, each.name].options) for each in used},
        STAGES: dict(_found_stages(session.project, wanted, found)),
        TYPES: {phase: _among(names, found.types.get(phase, ())) for phase, names in wanted.types.items()},
    }


def _found_stages(project: Project, wanted: WantedSchema, found: Schema) -> Iterator[tuple[str, list[str]]]:
    """Yield the pipelines that are there; where records of a destination name none it has one, and the map may call it as it likes."""
    contract = destination_contract(project.engagement.destination)
    for phase, compiled in project.compiled.phases.items():
        is_named = phase in contract.phases and contract.phases[phase].pipeline is not None
        for pipeline in compiled.pipelines:
            stages: Iterable[str] | None = found.stages.get(pipeline.name)
            if not is_named and found.stages:
                stages = [stage for each in found.stages.values() for stage in each]
            if stages is not None:
                yield pipeline.name, sorted({*stages} & {*wanted.stages.get(pipeline.name, ())})


def _among(names: Iterable[str], there: Iterable[str]) -> list[str]:
    """Return the names that are there; case twins are one."""
    known = {each.casefold() for each in there}
    return sorted(name for name in names if name.casefold() in known)


def _listed_stages(project: Project) -> dict[str, list[str]]:
    pipelines = [pipeline for phase in project.compiled.phases.values() for pipeline in phase.pipelines]
    return {pipeline.name: list(pipeline.stages) for pipeline in pipelines}


def _prepared(project: Project) -> dict[str, Any]:
    path = _path(project)
    kept: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return kept if FIELDS in kept or not kept else {FIELDS: kept}  # written before stages were remembered


def _path(project: Project) -> Path:
    return project.engagement.work / "prepared.json"

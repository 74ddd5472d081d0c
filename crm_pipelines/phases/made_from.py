"""What desired records were made from: a load sends them only where that is what is confirmed.

Belongs here: the mark that folding and mapping leave beside what they made. Not here: making them (phases.desired), whether making them
again would change anything (defs.fresh), the seal (phases.confirm).

A seal holds decisions, not records. Records that were made from other decisions, by another command or before a decision was taken back,
are what nobody confirmed, however the decisions read now.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from crm_pipelines.errors import NotConfirmedError
from crm_pipelines.phases import files
from crm_pipelines.phases.project import Project


def begin_fold(project: Project) -> None:
    """Forget what desired records were made from: they are half made until they are mapped."""
    mark_path(project).unlink(missing_ok=True)


def end_fold(project: Project) -> None:
    """Note what the fold was made from."""
    files.write_bytes(mark_path(project), orjson.dumps({"fold": _digest(project)}))


def begin_map(project: Project) -> None:
    """Forget what was mapped; what the fold was made from stays known."""
    files.write_bytes(mark_path(project), orjson.dumps({"fold": _marked(project).get("fold")}))


def end_map(project: Project) -> None:
    """Note what the map was made from."""
    files.write_bytes(mark_path(project), orjson.dumps({**_marked(project), "map": _digest(project)}))


def require_made_from_this(project: Project) -> None:
    """Raise NotConfirmedError unless the desired records are whole, and were made from spec and decisions as they are now."""
    marked, name = _marked(project), project.engagement.name
    if {marked.get("fold"), marked.get("map")} == {_digest(project)}:
        return
    told = "were made from other decisions than there are now" if "map" in marked else "are half made, or are being made by another command"
    raise NotConfirmedError(f"{name}: the desired records {told}. Nothing of them was sent. Make them anew: crm run {name}")


def mark_path(project: Project) -> Path:
    """Return where the mark lies."""
    return project.engagement.work / "made_from.json"


def _marked(project: Project) -> dict[str, str]:
    path = mark_path(project)
    found: dict[str, str] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return found


def _digest(project: Project) -> str:
    spec, decided = project.spec.model_dump_json(by_alias=True), project.client_map.model_dump_json()
    source = project.engagement.node.source.model_dump_json()
    told = [spec, dict(project.decisions), decided, source]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()

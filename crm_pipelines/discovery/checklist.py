"""The export checklist of a route: which files the client has to fetch, which are there, and what is lost without the others.

Belongs here: comparing the route's objects with the files. Not here: where a file is exported (the source's contract says it),
what is in the files (profile).
"""

from __future__ import annotations

from collections import defaultdict

from crm_pipelines.discovery.values import ChecklistItem
from crm_pipelines.phases.project import Project


def checklist(project: Project) -> tuple[ChecklistItem, ...]:
    """Return one item per object of the route, required ones first; works before anything was exported."""
    there = _files(project)
    required = set(project.spec.required_objects)
    items = [_item(project, name, is_required=name in required, files=there.get(name, ())) for name in project.objects]
    return tuple(sorted(items, key=lambda item: not item.is_required))


def _item(project: Project, name: str, *, is_required: bool, files: tuple[str, ...]) -> ChecklistItem:
    contract = project.source.objects[name]
    return ChecklistItem(
        object=name,
        is_required=is_required,
        is_there=bool(files),
        files=files,
        expected_names=tuple(f"{pattern}.csv" for pattern in contract.file_patterns),
        how=contract.how,
        without_it="" if is_required else contract.without_it,
    )


def _files(project: Project) -> dict[str, tuple[str, ...]]:
    """Return object -> files: the registered ones, then those that lie in the folder and are not registered yet."""
    found: dict[str, list[str]] = defaultdict(list)
    for chunk in project.chunks():
        found[chunk.object].append(chunk.file_name)
    declared = project.file_settings()
    folder = project.engagement.exports
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = declared.get(path.name, {}).get("object") or project.source.object_of(path.name)
        if name and path.is_file() and path.name not in found[name]:
            found[name].append(path.name)
    return {name: tuple(files) for name, files in found.items()}

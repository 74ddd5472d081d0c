"""The account of columns: every heading of every file is mapped, ignored with a reason, or waits for a decision.

Belongs here: holding the headings that were found against the spec. Not here: reading headings (sources.headings), rows and records
(phases.accounts).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.stage import read_sidecar
from crm_pipelines.spec.headings import column_name

WAITS = "not known to the map: map it, or ignore it with a reason, and confirm again"


def column_account(project: Project) -> list[dict[str, Any]]:
    """Return one line per heading of an object.

    Shape: object, heading, state (mapped, custom field, ignored, waiting), why, files, filled (cells with a value, all files).
    """
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for name in project.objects:
        for key in project.object_chunks(name):
            for heading in read_sidecar(project.staged_folder, name, key)["headings"]:
                state, why = _state(project, name, heading)
                known = _shown(heading)
                line = lines.setdefault(
                    (name, known), {"object": name, "heading": known, "state": state, "why": why, "files": 0, "filled": 0}
                )
                line["files"] += 1
                line["filled"] += heading["filled"]
    return sorted(lines.values(), key=lambda line: (line["object"], line["heading"]))


def columns_in_no_file(project: Project) -> list[tuple[str, str]]:
    """Return (object, heading) of every column that the client decided about and no registered file has; a later one may bring it."""
    contract, decided = source_contract(project.source), project.client_map
    asked = [(name, heading) for name, columns in decided.columns.items() for heading in columns]
    for place in (*decided.values, *decided.tags):
        name, _, heading = place.partition(".")
        asked.append((name, heading))
    there = {name: _columns_of(project, name) for name in dict.fromkeys(name for name, _ in asked)}
    return [(name, heading) for name, heading in dict.fromkeys(asked) if contract.staged_column(name, heading) not in there[name]]


def keys_in_no_file(project: Project) -> list[tuple[str, int, int]]:
    """Return object, group and place (from 0) of every key under `same` or `different` that no staged row has.

    Keys stand for people, so that the place is told and not the key. Those of `different` count on after those of `same`.
    """
    found = []
    for name in dict.fromkeys((*project.client_map.same, *project.client_map.different)):
        column = project.source.objects[name].key
        frames = [
            pl.scan_parquet(project.staged_path(name, key)).select(pl.col(column).cast(pl.String)) for key in project.object_chunks(name)
        ]
        there = set(pl.concat(frames).collect()[column]) if frames else set()
        groups = (*project.client_map.same.get(name, ()), *project.client_map.different.get(name, ()))
        places = [(number, place, key.strip()) for number, group in enumerate(groups) for place, key in enumerate(group)]
        found += [(name, number, place) for number, place, key in places if key not in there]
    return found


def in_no_file(project: Project) -> tuple[str, ...]:
    """Return a sentence for each part of the client's map that names columns or keys which no file has: probably a slip of the pen."""
    found = [
        f"map: no file of {name} has a column `{heading}`; what is decided about it does nothing"
        for name, heading in columns_in_no_file(project)
    ]
    for name, number, place in keys_in_no_file(project):
        same = len(project.client_map.same.get(name, ()))
        part, group = ("same", number) if number < same else ("different", number - same)
        found.append(
            f"map.{part}.{name}: key {place + 1} of group {group + 1} is in no file; check it, for the group is not what was meant"
        )
    return tuple(found)


def _columns_of(project: Project, name: str) -> set[str]:
    sidecars = [read_sidecar(project.staged_folder, name, key) for key in project.object_chunks(name)]
    return {each["column"] for sidecar in sidecars for each in sidecar["headings"]}


def _state(project: Project, name: str, heading: dict[str, Any]) -> tuple[str, str]:
    column = heading["canonical"] or heading["column"]
    if why := project.spec.ignore.get(name, {}).get(column):
        return "ignored", why
    if heading["canonical"] is not None or column in project.spec.derive.more.get(name, ()):
        return "mapped", ""
    return ("custom field", "") if heading.get("custom") else ("waiting", WAITS)


def _shown(heading: dict[str, Any]) -> str:
    """Return what a heading is called: a second one of the same text by the name its column was given."""
    is_first = heading["column"] is None or heading["column"] == column_name(heading["raw"])
    return str(heading["canonical"] or (heading["raw"] if is_first else heading["column"]))

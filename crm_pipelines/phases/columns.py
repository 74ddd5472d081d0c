"""The account of columns: every heading of every file is mapped, ignored with a reason, or waits for a decision.

Belongs here: holding the headings that were found against the spec. Not here: reading headings (sources.headings), rows and records
(phases.accounts).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reword import BETWEEN
from crm_pipelines.phases.stage import read_sidecar
from crm_pipelines.sources.base import RAW_PREFIX
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
                known = shown_heading(heading)
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
    found += [f"map.{part}: entry {place + 1} is {what}; check its spelling, it does nothing" for part, place, what in _idle_words(project)]
    return tuple(found)


def words_in_no_row(project: Project) -> list[tuple[str, str, int]]:
    """Return part (values, tags, owners), column and place (from 0) of every word the client decided about and no staged row holds.

    Words may be people's data: the place is told and not the word. Columns that no file has are left to columns_in_no_file.
    """
    decided, found = project.client_map, []
    for part, places in (("values", decided.values), ("tags", decided.tags)):
        for place, words in places.items():
            there = _words_of(project, place)
            found += [(part, place, number) for number, word in enumerate(words) if there is not None and _folded(word) not in there]
    if decided.owners:
        owners = set().union(*(_words_of(project, place) or () for place in project.spec.derive.owners.from_))
        found += [("owners", "", number) for number, owner in enumerate(decided.owners) if _folded(owner) not in owners]
    return found


def _idle_words(project: Project) -> list[tuple[str, int, str]]:
    return [
        (f"{part}.{place}" if place else part, number, "a word that no row holds" if place else "an owner whom no row names")
        for part, place, number in words_in_no_row(project)
    ]


def _words_of(project: Project, place: str) -> set[str] | None:
    """Return the words of a column as they are compared, whole cells and parts of them; None where no file has it."""
    name, _, heading = place.partition(".")
    column = source_contract(project.source).staged_column(name, heading)
    found: set[str] | None = None
    for key in project.object_chunks(name):
        frame = pl.scan_parquet(project.staged_path(name, key))
        schema = frame.collect_schema()
        if column not in schema:
            continue
        is_text = schema[column] in (pl.String, pl.List(pl.String))
        read = column if is_text else f"{RAW_PREFIX}{column}"
        cells = frame.select(read).unique().collect().get_column(read) if read in schema else pl.Series([], dtype=pl.String)
        texts = (cells.explode() if cells.dtype == pl.List(pl.String) else cells).drop_nulls().unique().to_list()
        found = (found or set()) | {_folded(each) for text in texts for each in (text, *BETWEEN.split(text))}
    return found


def _folded(word: str) -> str:
    return word.strip().lower()


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


def shown_heading(heading: dict[str, Any]) -> str:
    """Return what a heading is called: a second one of the same text by the name its column was given."""
    is_first = heading["column"] is None or heading["column"] == column_name(heading["raw"])
    return str(heading["canonical"] or (heading["raw"] if is_first else heading["column"]))

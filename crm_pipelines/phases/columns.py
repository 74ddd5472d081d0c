"""The account of columns: every heading of every file is mapped, ignored with a reason, or waits for a decision.

Belongs here: holding the headings that were found against the spec. Not here: reading headings (sources.headings), rows and records
(phases.accounts).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reword import BETWEEN
from crm_pipelines.phases.stage import read_sidecar
from crm_pipelines.sources.base import RAW_PREFIX
from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.headings import column_name, normalise_heading
from crm_pipelines.spec.rules import load_rules

WAITS = "not known to the map: map it, or ignore it with a reason, and confirm again"


def column_account(project: Project) -> list[dict[str, Any]]:
    """Return one line per column of an object, however its files spell the heading.

    Shape: object, heading (`shown_headings`), state (mapped, custom field, ignored, waiting), why, files, filled (cells with a value,
    all files).
    """
    lines = [_line(project, name, headings) for name in project.objects for headings in _headings_of(project, name).values()]
    return sorted(lines, key=lambda line: (line["object"], line["heading"]))


def shown_headings(project: Project, name: str) -> dict[str, str]:
    """Return staged column -> what its heading is called: as the client's map spells it, else as the newest file does.

    A column of the contract goes by its own name, a second one of the same heading by the name its column was given.
    """
    return {column: _shown(project, name, headings) for column, headings in _headings_of(project, name).items()}


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


def map_notes(project: Project) -> tuple[str, ...]:
    """Return a sentence for everything in the client's map that does nothing, or less than one may expect of it."""
    return (*in_no_file(project), *_untold_orders(project))


def _untold_orders(project: Project) -> Iterator[str]:
    """Yield columns that are read as dates, and whose files are declared to be written in different orders."""
    for name, orders in project.disagreeing_files().items():
        told = " and ".join(f"{', '.join(names)} with {order}" for order, names in sorted(orders.items()))
        for heading, choice in project.client_map.columns.get(name, {}).items():
            phase = project.spec.phases.get(choice.phase or "")
            nodes = {**phase.fields, **phase.custom_fields} if phase else {}
            node = nodes.get((choice.custom_field or choice.field or "").strip())
            if node and node.rule and "order" in load_rules()[node.rule].settings and "order" not in node.with_:
                yield (
                    f"map: column `{heading}` of {name} is read as a date, and engagement.yaml declares {told}; what reads two ways waits. "
                    "Where one order is right for all of them, write it as date_order beside the column in decisions.yaml"
                )


def words_in_no_row(project: Project) -> list[tuple[str, str, int]]:
    """Return part (values, tags, owners), column and place (from 0) of every word the client decided about and no staged row holds.

    Words may be people's data: the place is told and not the word. Columns that no file has are left to columns_in_no_file.
    """
    decided, found = project.client_map, []
    for part, places in (("values", decided.values), ("tags", decided.tags)):
        for place, words in places.items():
            there = _words_of(project, place)
            found += [(part, place, number) for number, word in enumerate(words) if there is not None and folded_word(word) not in there]
    if decided.owners:
        owners = set().union(*(_words_of(project, place) or () for place in project.spec.derive.owners.from_))
        found += [("owners", "", number) for number, owner in enumerate(decided.owners) if folded_word(owner) not in owners]
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
        found = (found or set()) | {folded_word(each) for text in texts for each in (text, *BETWEEN.split(text))}
    return found


def _columns_of(project: Project, name: str) -> set[str]:
    sidecars = [read_sidecar(project.staged_folder, name, key) for key in project.object_chunks(name)]
    return {each["column"] for sidecar in sidecars for each in sidecar["headings"]}


def _headings_of(project: Project, name: str) -> dict[str, list[dict[str, Any]]]:
    """Return staged column -> its headings in the order of the files that were read; those that are kept nowhere go by their own text."""
    found: dict[str, list[dict[str, Any]]] = {}
    for key in (each for each in project.object_chunks(name) if project.staged_path(name, each).exists()):
        for heading in read_sidecar(project.staged_folder, name, key)["headings"]:
            column = heading["canonical"] or heading["column"] or normalise_heading(heading["raw"])
            found.setdefault(column, []).append(heading)
    return found


def _line(project: Project, name: str, headings: list[dict[str, Any]]) -> dict[str, Any]:
    state, why = _state(project, name, headings)
    filled = sum(heading["filled"] for heading in headings)
    return {
        "object": name,
        "heading": _shown(project, name, headings),
        "state": state,
        "why": why,
        "files": len(headings),
        "filled": filled,
    }


def _state(project: Project, name: str, headings: list[dict[str, Any]]) -> tuple[str, str]:
    column = headings[0]["canonical"] or headings[0]["column"]
    if why := project.spec.ignore.get(name, {}).get(column):
        return "ignored", why
    if headings[0]["canonical"] is not None or column in project.spec.derive.more.get(name, ()):
        return "mapped", ""
    return ("custom field", "") if any(heading.get("custom") for heading in headings) else ("waiting", WAITS)


def _shown(project: Project, name: str, headings: list[dict[str, Any]]) -> str:
    newest = headings[-1]
    is_first = newest["column"] is None or newest["column"] == column_name(newest["raw"])
    if newest["canonical"] or not is_first:
        return str(newest["canonical"] or newest["column"])
    spelled = [str(heading["raw"]) for heading in headings]
    return next((each for each in project.client_map.columns.get(name, {}) if each in spelled), spelled[-1])

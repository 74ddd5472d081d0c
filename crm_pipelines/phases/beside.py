"""The records of a loaded sample beside their source: the cells as exported, what the map makes of them, what the destination holds.

Belongs here: gathering and comparing them. Not here: which records are shown (phases.sample), how that looks (reports.side_by_side).
Holds people's data: it goes into private files only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import polars as pl

from crm_pipelines.phases import accounts
from crm_pipelines.phases.columns import column_account, shown_headings
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_source import source_rows
from crm_pipelines.phases.reconcile import sheet_row
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.sample import centre_of
from crm_pipelines.phases.session import Session
from crm_pipelines.phases.stage import read_sidecar

CUSTOM = "custom"
MARKS = re.compile(r"(\s*</?[a-z][^<>]*>\s*)*", re.IGNORECASE)
TITLES = ("name", "title", "subject")
State = Literal["same", "more", "markup", "zero", "differs", "not shown", "not there"]
"""More: what was sent is there, among other values. Markup: the text is there, whole, in marks of the destination's own. Zero: a number
nought, which the destination gives back as empty. Not shown: the destination does not give the field back. Not there: the whole record
is not in the destination, because it waits, was refused or was not sent yet."""


@dataclass(frozen=True)
class Line:
    """One field of one record, three times."""

    field: str
    source: tuple[tuple[str, str], ...]
    """(heading, cell) as exported; empty where the value is derived."""
    made: str
    there: str
    state: State


@dataclass(frozen=True)
class Shown:
    """One record of the sample."""

    phase: str
    key: str
    destination_id: str
    title: str
    rows: tuple[str, ...]
    """Where it stands in the exports: `leads.csv row 12`, as a spreadsheet shows it."""
    lines: tuple[Line, ...]
    unused: tuple[tuple[str, str, str], ...]
    """(heading, cell, why) of filled cells of its rows that go nowhere."""
    standing: str = ""
    """Of a record that is not in the destination: its state in the account of records (waiting, refused, pending, unknown); else empty."""
    reason: str | None = None
    """Why it waits or was refused: a reason code."""

    @property
    def differing(self) -> int:
        """Fields whose value in the destination is another one."""
        return sum(line.state == "differs" for line in self.lines)


@dataclass(frozen=True)
class Page:
    """One record of the phase that the sample was chosen from, and what hangs on it."""

    main: Shown
    related: tuple[Shown, ...]

    @property
    def differing(self) -> int:
        """Fields that differ on the whole page."""
        return self.main.differing + sum(one.differing for one in self.related)


def pages(session: Session, sample: Mapping[str, Sequence[str]]) -> list[Page]:
    """Return every sampled record with its source and what the destination holds now, read back.

    Shape: one page per record of the widest phase; parents and dependants stand on the page of the record they belong to, parents that
    several share on each of them.
    """
    project = session.project
    phases = [
        name for name in project.phases if project.compiled.phases[name].create != "never" and not project.compiled.phases[name].pairs
    ]
    reader = _Reader(session, sample)
    centre = centre_of(project, {phase: project.mapped(phase, "key").height for phase in project.phases})
    shown = {phase: reader.shown(phase) for phase in phases if sample.get(phase)}
    related = _related(project, shown, centre, reader)
    return [Page(one, tuple(related.get(key, ()))) for key, one in shown.get(centre, {}).items()]


def _related(project: Project, shown: Mapping[str, Mapping[str, Shown]], centre: str, reader: _Reader) -> dict[str, list[Shown]]:
    out: dict[str, list[Shown]] = {}
    for phase, records in shown.items():
        if phase == centre:
            continue
        links = project.compiled.phases[phase].links
        up = [f"link_{name}" for name, parent in project.compiled.phases[centre].links.items() if parent == phase]
        for column in up:
            for key, parent in reader.mapped(centre).select("key", column).iter_rows():
                if parent in records:
                    out.setdefault(key, []).append(records[parent])
        for column in [f"link_{name}" for name, parent in links.items() if parent == centre]:
            for key, child_of in reader.mapped(phase).select("key", column).iter_rows():
                if child_of is not None:
                    out.setdefault(child_of, []).append(records[key])
    return out


class _Reader:
    """Reads what is shown, phase by phase, each thing once."""

    def __init__(self, session: Session, sample: Mapping[str, Sequence[str]]) -> None:
        self._session, self._sample = session, sample
        self._project = session.project
        self._mapped: dict[str, pl.DataFrame] = {}
        self._titles: dict[tuple[str, str], str] = {}
        self._rows = _rows_of(self._project, sample)
        why = {(one["object"], one["heading"]): one["why"] for one in column_account(self._project) if one["state"] != "mapped"}
        shown = {name: shown_headings(self._project, name) for name in self._project.objects}
        self._why = {f"{name}.{column}": why.get((name, heading), "") for name in shown for column, heading in shown[name].items()}

    def mapped(self, phase: str) -> pl.DataFrame:
        """Return the desired records of the sample in one phase."""
        if phase not in self._mapped:
            frame = self._project.mapped(phase).filter(pl.col("key").is_in(list(self._sample.get(phase, ()))))
            self._mapped[phase] = frame.sort("key")
        return self._mapped[phase]

    def shown(self, phase: str) -> dict[str, Shown]:
        """Return the records of a phase, by key."""
        session, frame = self._session, self.mapped(phase)
        keys = frame.get_column("key").to_list()
        ids = session.ledger.ids(session.account, session.engagement, phase, keys)
        read = session.destination.read(phase, list(ids.values()), session.journal(phase))
        there = {number: orjson.loads(text) for number, text in read.select("destination_id", "payload").iter_rows()}
        states = accounts.phase_states(self._project, session.ledger, phase).select("key", "state", "reason")
        stands = {key: (state, why) for key, state, why in states.iter_rows() if key not in ids}
        out = {}
        for key, text in frame.select("key", "payload").iter_rows():
            made = orjson.loads(text)
            self._titles[phase, key] = _title(made, key)
            out[key] = self._one(phase, key, ids.get(key, ""), made, there.get(ids.get(key, ""), {}), stands.get(key, ("", None)))
        return out

    def _one(  # noqa: PLR0917 - a record three times, and where it stands
        self, phase: str, key: str, number: str, made: dict[str, Any], there: dict[str, Any], stands: tuple[str, str | None]
    ) -> Shown:
        cells = self._cells(phase, key)
        lineage, links = self._project.lineage(phase), self._project.compiled.phases[phase].links
        used = {column for columns in lineage.values() for column in columns}
        lines = []
        for name, value in _flat(made).items():
            source = tuple(dict.fromkeys(cell for column in lineage.get(name, ()) for cell in cells.get(column, ())))
            if stands[0]:
                shown = self._titles.get((links[name], str(value)), str(value)) if name in links else _text(value)
                lines.append(Line(name, source, shown, "", "not there"))
            elif name in links:
                lines.append(self._link(name, links[name], str(value), there.get(name), source))
            else:
                now = _flat(there).get(name)
                lines.append(Line(name, source, _text(value), _text(now), compare(value, now)))
        rows = self._rows.get((phase, key), ())
        unused = [
            (heading, text, self._why.get(column, ""))
            for column, found in cells.items()
            if column not in used and phase in self._homes
            for heading, text in found
        ]
        title = self._titles[phase, key]
        return Shown(
            phase, key, number, title, tuple(f"{one.file} row {sheet_row(one.row)}" for one in rows), tuple(lines), tuple(unused), *stands
        )

    @property
    def _homes(self) -> set[str]:
        return {phase for phase, _ in self._rows}

    def _link(self, name: str, parent: str, key: str, now: Any, source: tuple[tuple[str, str], ...]) -> Line:
        expected = self._session.ledger.ids(self._session.account, self._session.engagement, parent, [key]).get(key)
        title = self._titles.get((parent, key), key)
        if now is None:
            return Line(name, source, title, "", "differs" if expected else "not shown")
        is_same = str(now) == expected
        return Line(name, source, title, title if is_same else f"another record ({now})", "same" if is_same else "differs")

    def _cells(self, phase: str, key: str) -> dict[str, list[tuple[str, str]]]:
        """Return `object.column` -> (heading, cell) of a record's rows, filled ones only; of its neighbours' where it has no rows."""
        out: dict[str, list[tuple[str, str]]] = {}
        rows = self._rows.get((phase, key)) or [row for near in self._near(phase, key) for row in self._rows.get(near, ())]
        for row in rows:
            for column, heading, text in row.cells:
                if text and (heading, text) not in out.setdefault(f"{row.object}.{column}", []):
                    out[f"{row.object}.{column}"].append((heading, text))
        return {column: found for column, found in out.items() if found}

    def _near(self, phase: str, key: str) -> list[tuple[str, str]]:
        """Return the records that one without rows of its own was made from: those it points to, and those that point to it."""
        compiled, near = self._project.compiled.phases, []
        own = self.mapped(phase).filter(pl.col("key") == key)
        for name, parent in compiled[phase].links.items():
            near += [(parent, each) for each in own.get_column(f"link_{name}").drop_nulls()]
        for child, one in compiled.items():
            for name in [name for name, parent in one.links.items() if parent == phase]:
                found = self.mapped(child).filter(pl.col(f"link_{name}") == key)
                near += [(child, each) for each in found.get_column("key")]
        return near


@dataclass(frozen=True)
class _Row:
    """One row of an export: its cells as exported."""

    object: str
    file: str
    row: int
    cells: tuple[tuple[str, str, str], ...]
    """(column, heading, text)."""


def _rows_of(project: Project, sample: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], list[_Row]]:
    """Return (phase, key) -> the source rows that ended in this record."""
    out: dict[tuple[str, str], list[_Row]] = {}
    for phase, keys in sample.items():
        for name in project.compiled.phases[phase].home_of:
            fates = read_resolved(project.resolved_folder, f"fates/{name}")
            mine = fates.filter((pl.col("into_phase") == phase) & pl.col("into_key").is_in(list(keys)) & pl.col("row").is_not_null())
            for (chunk,), part in mine.sort("chunk", "row").group_by("chunk", maintain_order=True):
                _add_rows(project, name, str(chunk), part, out)
    return out


def _add_rows(project: Project, name: str, chunk: str, part: pl.DataFrame, out: dict[tuple[str, str], list[_Row]]) -> None:
    found = source_rows(project, chunk, part.get_column("row").to_list())
    columns = [heading["column"] or "" for heading in read_sidecar(project.staged_folder, name, chunk)["headings"]]
    file = project.chunk(chunk).file_name
    for phase, key, row in part.select("into_phase", "into_key", "row").iter_rows():
        cells = tuple(zip(columns, found.headings, found.cells.get(row, ()), strict=False))
        out.setdefault((phase, key), []).append(_Row(name, file, row, cells))


def _flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in payload.items() if name != CUSTOM}, **(payload.get(CUSTOM) or {})}


def _title(payload: Mapping[str, Any], key: str) -> str:
    return next((str(payload[name]) for name in TITLES if payload.get(name)), key)


def compare(made: Any, now: Any) -> State:
    """Return how a value that came back stands to the one that was made."""
    if made == now or _text(made) == _text(now):
        return "same"
    if isinstance(made, list) and isinstance(now, list):
        held, sent = {_text(item).casefold() for item in now}, {_text(item).casefold() for item in made}
        return "same" if held == sent else "more" if sent <= held else "differs"
    if now is None:
        is_number = isinstance(made, int | float) and not isinstance(made, bool)
        return "zero" if is_number and made == 0 else "not shown"
    return "markup" if _is_wrapped(made, now) else "differs"


def _is_wrapped(made: Any, now: Any) -> bool:
    """Whether a text came back whole with nothing but marks (`<span>`) around it."""
    if not isinstance(made, str) or not isinstance(now, str) or not made.strip():
        return False
    before, found, after = now.partition(made.strip())
    return bool(found) and MARKS.fullmatch(before) is not None and MARKS.fullmatch(after) is not None


def _text(value: Any) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, Mapping):
        return _text(value["value"]) if value.get("value") else ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return str(value)

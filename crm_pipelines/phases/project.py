"""One engagement opened for work: its spec, its source, its chunks and the files of its work folder.

Belongs here: what is read from disk and declared. Not here: the ledger and the destination (phases.session), what happens
to rows (the verbs beside this file).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import orjson
import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases import files
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.phases.extract import ExportFile, partition_key, register_exports
from crm_pipelines.phases.reword import Words, rewording
from crm_pipelines.phases.stage import stage_file
from crm_pipelines.settings import Engagement
from crm_pipelines.sources.base import ReadSettings, Source
from crm_pipelines.spec.client import Client, load_client
from crm_pipelines.spec.client_map import ClientMap, DateOrder, DecimalLocale
from crm_pipelines.spec.compile import Compiled, compile_spec
from crm_pipelines.spec.field_lists import joined
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.overlay import lay_over
from crm_pipelines.spec.parse import load_spec


@dataclass(frozen=True)
class Chunk:
    """One registered export file: a Dagster partition."""

    key: str
    object: str
    file_name: str
    sha256: str
    intake: int
    seq: int
    exported_at: datetime
    physical_rows: int
    blank_rows: int
    kind: Literal["export", "correction"] = "export"
    root: str = ""
    """Of a correction: the key of the export whose rows it corrects; it is read as if its rows stood there."""
    corrects: tuple[tuple[str, int, str], ...] = ()
    """Of a correction, row by row: chunk and row that it stands for, and the source key of what the row belongs to (or nothing)."""


@dataclass(frozen=True)
class Registration:
    """What one look at the exports folder found."""

    new: tuple[Chunk, ...]
    known: tuple[Chunk, ...]
    intake: int | None
    """Number of the intake that was opened for the new chunks."""
    ignored: tuple[str, ...] = ()
    """Files that belong to no object or to one that the route does not move, or repeat the bytes of another; each with its reason."""


@dataclass
class Project:
    """An engagement with its spec and decisions checked; reads files only."""

    engagement: Engagement
    route_spec: MappingSpec
    """The route's spec as its file has it."""
    spec: MappingSpec
    """The same with the client's columns laid over it: what everything works with."""
    client: Client
    source: Source
    _chunks: list[Chunk] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, engagement: Engagement) -> Project:
        """Read spec and decisions. Open questions are no hindrance here (`unanswered`); nothing can be confirmed before they are answered.

        Raises: SpecError with every problem; SettingsError for an unknown source.
        """
        route_spec, source = load_spec(engagement.spec_path), load_source(engagement.source)
        client = load_client(route_spec, engagement.decisions_text, str(engagement.decisions_path))
        project = cls(engagement=engagement, route_spec=route_spec, spec=route_spec, client=client, source=source)
        project._lay_over()
        return project

    def _lay_over(self) -> None:
        """Lay the client's map over the route's spec; again when files are registered, for the map reads them as they are declared."""
        contracts = (source_contract(self.source), destination_contract(self.engagement.destination))
        orders, locales = self.date_orders(), self.decimal_locales()
        document = self.client.document
        self.spec = lay_over(self.route_spec, self.client.map, *contracts, document, date_orders=orders, decimal_locales=locales)
        self.refresh()

    @property
    def decisions(self) -> Mapping[str, str]:
        """Every decision of the spec: answered, by default, or assumed while its question is open."""
        return self.client.decisions

    @property
    def answered(self) -> Mapping[str, str]:
        """What the client really answered."""
        return self.client.answers

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Decisions that need an answer and have none."""
        return self.client.unanswered

    @property
    def client_map(self) -> ClientMap:
        """What the client decided beside the questions."""
        return self.client.map

    @cached_property
    def compiled(self) -> Compiled:
        """The spec compiled with the decisions and the source's own field list, if that is registered already."""
        zone = self.engagement.node.source.timezone
        text_max = destination_contract(self.spec.route.destination).custom_text_max
        return compile_spec(self.spec, self.decisions, self.field_list(), zone, source_contract(self.source), text_max=text_max)

    @cached_property
    def words(self) -> dict[str, dict[str, Words]]:
        """Object -> staged column -> word -> what the client says it is."""
        return rewording(self.client_map, self.spec.derive, source_contract(self.source))

    @property
    def phases(self) -> list[str]:
        """Phases in load order."""
        return list(self.compiled.order)

    @property
    def objects(self) -> list[str]:
        """Source objects of the route, in the spec's order."""
        return list(self.spec.objects)

    @property
    def derived(self) -> list[str]:
        """Names of the resolved frames."""
        return list(self.compiled.derived)

    def field_list(self) -> list[dict[str, Any]]:
        """Return the rows of the source's own list of custom fields, one per field, read from its exports; empty when there is none."""
        nodes = {
            phase.custom_fields_from.export: phase.custom_fields_from for phase in self.spec.phases.values() if phase.custom_fields_from
        }
        rows: list[dict[str, Any]] = []
        for name, node in nodes.items():
            chunks = sorted((chunk for chunk in self.chunks() if chunk.object == name), key=lambda chunk: (chunk.exported_at, chunk.seq))
            rows += joined([self._listed_fields(chunk) for chunk in chunks], node)
        return rows

    def _listed_fields(self, chunk: Chunk) -> list[dict[str, Any]]:
        read = self.read_settings(chunk.object, chunk.file_name)
        return stage_file(self.source, chunk.object, self.export_path(chunk), read).frame.to_dicts()

    def refresh(self) -> None:
        """Forget what was compiled: the list of custom fields may have been registered since."""
        self.__dict__.pop("compiled", None)

    # -- chunks ---------------------------------------------------------------------------------------------------

    def chunks(self) -> list[Chunk]:
        """Return all registered chunks in partition order."""
        if self._chunks is None:
            path = self._intakes_path
            stored = orjson.loads(path.read_bytes()) if path.exists() else []
            self._chunks = [_restored(row) for row in stored]
        return self._chunks

    def chunk(self, key: str) -> Chunk:
        """Return one chunk. Raises: SettingsError when it is not registered."""
        for chunk in self.chunks():
            if chunk.key == key:
                return chunk
        raise SettingsError(f"{self.engagement.name}: chunk {key} is not registered; materialize `exports` or run `crm run` first")

    def object_chunks(self, name: str) -> list[str]:
        """Return the partition keys of one source object."""
        return [chunk.key for chunk in self.chunks() if chunk.object == name]

    def phase_chunks(self, phase: str) -> list[str]:
        """Return the partition keys that can contribute to a phase's records."""
        inputs = set(self.phase_inputs(phase))
        return [chunk.key for chunk in self.chunks() if chunk.object in inputs]

    def phase_inputs(self, phase: str) -> list[str]:
        """Return the source objects that feed a phase."""
        return list(self.compiled.phases[phase].objects)

    def lineage(self, phase: str) -> dict[str, list[str]]:
        """Return, per destination field, the source columns it comes from, as `object.column`."""
        found = self.compiled.phases[phase].lineage
        return {name: [f"{owner}.{column}" for owner, column in pairs] for name, pairs in found.items()}

    def columns(self, phase: str) -> dict[str, str]:
        """Return the destination fields of a phase with their types."""
        return {each.name: each.type for each in self.compiled.phases[phase].fields}

    def register(self) -> Registration:
        """Register new files of the exports folder as the next intake.

        Every new file is read once before any is registered, and its bytes are kept in the work folder: what becomes of the
        client's file later (replaced, corrected, taken away) cannot change what was registered.
        Raises: SourceError when the folder misses an object the route needs, or a file cannot be read; then nothing is registered.
        """
        known = self.chunks()
        required = set(self.spec.required_objects) - {chunk.object for chunk in known}
        found = register_exports(self.source, self.engagement.exports, self.file_settings(), required=sorted(required))
        seen = {chunk.sha256 for chunk in known}
        ignored = (*found.ignored, *(self._stays_behind(file) for file in found.files if file.object not in self.objects))
        fresh = [file for file in found.files if file.object in self.objects and file.sha256 not in seen]
        if not fresh:
            return Registration((), tuple(known), None, ignored)
        intake, start = self.next_numbers()
        new = []
        for seq, file in enumerate(fresh, start):
            read = stage_file(self.source, file.object, file.path, self.read_settings(file.object, file.path.name))
            new.append(_chunk(file, intake, seq, read.physical_rows, read.blank_rows))
        self.add_chunks(new, [file.path.read_bytes() for file in fresh])
        return Registration(tuple(new), tuple(known), intake, ignored)

    def next_numbers(self) -> tuple[int, int]:
        """Return the number of the next intake, and the place of its first chunk."""
        known = self.chunks()
        return 1 + max((chunk.intake for chunk in known), default=0), 1 + max((chunk.seq for chunk in known), default=0)

    def add_chunks(self, new: Sequence[Chunk], contents: Sequence[bytes]) -> None:
        """Keep the bytes of new chunks, then list them: one that is listed is whole."""
        for chunk, content in zip(new, contents, strict=True):
            files.write_bytes(self.export_path(chunk), content)
        self._list([*self.chunks(), *new])

    def remove_chunks(self, keys: Sequence[str]) -> None:
        """Forget what was read of all files, for lists of tags and fields say how others are read; then list these no more."""
        gone = [chunk for chunk in self.chunks() if chunk.key in keys]
        for chunk in self.chunks() if gone else ():
            self.staged_path(chunk.object, chunk.key).unlink(missing_ok=True)
        self._list([chunk for chunk in self.chunks() if chunk not in gone])
        for chunk in gone:
            files.remove_folder(self.export_path(chunk).parent)
            for path in self.staged_path(chunk.object, chunk.key).parent.glob(f"{chunk.key}.*"):
                path.unlink(missing_ok=True)

    def _list(self, chunks: list[Chunk]) -> None:
        self._chunks = chunks
        files.write_bytes(self._intakes_path, orjson.dumps([_stored(chunk) for chunk in self._chunks], option=orjson.OPT_INDENT_2))
        self._lay_over()

    def _stays_behind(self, file: ExportFile) -> str:
        """Say why the file of an export that has no home in the spec is not read."""
        gap = self.spec.not_migrated.get(file.object)
        return f"{file.file_name}: {file.object} do not move on this route" + (f" ({gap.why.rstrip('.')})" if gap else "")

    # -- reading settings and places --------------------------------------------------------------------------------

    def file_settings(self) -> dict[str, dict[str, Any]]:
        """Return what the engagement declares per file name."""
        return {name: node.model_dump(exclude_none=True) for name, node in self.engagement.node.source.files.items()}

    def read_settings(self, object_name: str, file_name: str) -> ReadSettings:
        """Return how one file is to be read."""
        declared = self.file_settings().get(file_name, {})
        allowed = {"encoding", "delimiter", "date_order", "decimal_locale"}
        kept = {name: value for name, value in declared.items() if name in allowed}
        return ReadSettings(source_timezone=self.engagement.node.source.timezone, **kept)

    def date_orders(self) -> dict[str, DateOrder]:
        """Return object -> order of day and month in its files: a file of which nothing is declared is written as the others are.

        Objects whose files are declared to differ are absent (`disagreeing_files`).
        """
        return {name: next(iter(orders)) for name, orders in self._declared("date_order").items() if len(orders) == 1}

    def decimal_locales(self) -> dict[str, DecimalLocale]:
        """Return object -> how its files write numbers, told as the order of day and month is."""
        return {name: next(iter(locales)) for name, locales in self._declared("decimal_locale").items() if len(locales) == 1}

    def disagreeing_files(self) -> dict[str, Mapping[str, Sequence[str]]]:
        """Return object -> order of day and month -> registered files declared with it, where that are two orders."""
        return {name: orders for name, orders in self._declared("date_order").items() if len(orders) > 1}

    def _declared(self, setting: str) -> dict[str, dict[Any, list[str]]]:
        """Return object -> what is declared under a setting -> its registered export files that it is declared of."""
        declared, found = self.file_settings(), dict[str, dict[Any, list[str]]]()
        if not any(setting in file for file in declared.values()):
            return found
        for chunk in self.chunks():
            told = declared.get(chunk.file_name, {}).get(setting) if chunk.kind == "export" else None
            if told is not None:
                found.setdefault(chunk.object, {}).setdefault(told, []).append(chunk.file_name)
        return found

    def export_path(self, chunk: Chunk) -> Path:
        """Return where the bytes of a registered chunk lie: a copy that nobody edits."""
        return self.engagement.work / "exports" / chunk.key / chunk.file_name

    @property
    def staged_folder(self) -> Path:
        """Folder of the staged chunks."""
        return self.engagement.work / "staged"

    def staged_path(self, object_name: str, key: str) -> Path:
        """Return the parquet file of a staged chunk."""
        return self.staged_folder / object_name / f"{key}.parquet"

    @property
    def resolved_folder(self) -> Path:
        """Folder of the folded frames and row fates, as they are whole."""
        return files.current(self.resolved_home)

    @property
    def resolved_home(self) -> Path:
        """Where generations of folded frames lie."""
        return self.engagement.work / "resolved"

    @property
    def mapped_home(self) -> Path:
        """Where generations of desired records lie."""
        return self.engagement.work / "mapped"

    def mapped_folder(self, phase: str) -> Path:
        """Return the folder of a phase's desired records, in parts, as they are whole."""
        return files.current(self.mapped_home) / phase

    def scan_mapped(self, phase: str) -> pl.LazyFrame:
        """Scan a phase's desired records. Raises: SettingsError when they were not mapped yet."""
        parts = files.parts(self.mapped_folder(phase))
        if not parts:
            raise SettingsError(self._told_unmapped(phase))
        return pl.concat([pl.scan_parquet(part) for part in parts], how="diagonal_relaxed")

    def require_mapped(self) -> None:
        """Raise SettingsError, which says what to do, unless every phase's desired records are there."""
        for phase in self.phases:
            self.scan_mapped(phase)

    def _told_unmapped(self, phase: str) -> str:
        name = self.engagement.name
        if self.chunks():
            return f"{name}: {phase} is not mapped yet; run: crm run {name}"
        return (
            f"{name}: no exports are registered yet. `crm discover {name}` writes the checklist of what to export; put the files into "
            f"{self.engagement.exports}, confirm the map, then: crm run {name}"
        )

    def mapped(self, phase: str, *columns: str) -> pl.DataFrame:
        """Read a phase's desired records, all columns or some."""
        scanned = self.scan_mapped(phase)
        return (scanned.select(columns) if columns else scanned).collect()

    @property
    def _intakes_path(self) -> Path:
        return self.engagement.work / "intakes.json"


def _chunk(file: ExportFile, intake: int, seq: int, rows: int, blank: int) -> Chunk:
    return Chunk(
        key=partition_key(intake, seq, file.path.name, file.sha256),
        object=file.object,
        file_name=file.path.name,
        sha256=file.sha256,
        intake=intake,
        seq=seq,
        exported_at=file.exported_at,
        physical_rows=rows,
        blank_rows=blank,
    )


def _stored(chunk: Chunk) -> dict[str, Any]:
    return {**asdict(chunk), "exported_at": chunk.exported_at.isoformat()}


def _restored(row: Mapping[str, Any]) -> Chunk:
    corrects = tuple((chunk, number, parent) for chunk, number, parent in row.get("corrects", ()))
    return Chunk(**{**row, "exported_at": datetime.fromisoformat(row["exported_at"]), "corrects": corrects})

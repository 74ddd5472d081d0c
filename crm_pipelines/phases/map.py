"""Resolved rows to desired records: one canonical JSON payload per record, its hash, and what it points to.

Belongs here: running a compiled phase over a frame, and what the destination must hold for the result. Not here: what
the expressions are (spec.build), who is one record (phases.resolve), what has to be sent (phases.plan).

Give it frames of 10,000 rows and more: the fixed cost is some milliseconds per frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from crm_pipelines.destinations.base import WantedField, WantedSchema
from crm_pipelines.keys import payload_hash
from crm_pipelines.phases.resolve.columns import unread
from crm_pipelines.spec.build import Builder, columns_read, default_rule
from crm_pipelines.spec.compile import TAGS, Compiled, CompiledField, CompiledPhase
from crm_pipelines.spec.conditions import condition
from crm_pipelines.spec.encode import json_documents
from crm_pipelines.spec.model import OWN_KEY, Pipeline
from crm_pipelines.spec.rules_text import unless_empty

MAPPED_SCHEMA: Mapping[str, Any] = {
    "key": pl.String,
    "hash": pl.String,
    "payload": pl.String,
    "contributors": pl.List(pl.String),
    "queue": pl.String,
    "reason": pl.String,
    "amount": pl.Float64,
    "currency": pl.String,
    "status": pl.String,
    "labels": pl.List(pl.String),
}
"""Columns of every mapped frame; `link_<field>` follow, one per link of the phase."""

UNREAD = {
    "number": "unreadable_number",
    "date": "unreadable_date",
    "utc": "unreadable_date",
    "yes_no": "unreadable_yes_no",
}
"""What a column holds, as the rule that lets it through is called -> why a row waits whose cell could not be read as that."""


def map_phase(compiled: CompiledPhase, frame: pl.DataFrame | Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the desired records of a phase; `frame` is the resolved frame it reads, or all of them by name.

    Shape: one row per key that makes a record here; columns of MAPPED_SCHEMA, then `link_<field>` (the parent's key). `payload` is
    canonical JSON of the logical fields: links by source key, labels and options by name, custom fields under `custom` by display
    name, nothing empty. `queue` and `reason` say why a row waits; null when nothing stands against it.
    """
    given = frame if isinstance(frame, pl.DataFrame) else frame[compiled.derived]
    frame = _with_columns(given, compiled)
    for name, step in compiled.steps.items():
        frame = frame.with_columns(_builder(frame, compiled).value(step).alias(name))
    builder = _builder(frame, compiled)
    frame = frame.filter(condition(compiled.where, builder.schema)) if compiled.where else frame
    if compiled.key != OWN_KEY:
        frame = frame.filter(pl.col(compiled.key).is_not_null()).unique(compiled.key, keep="first", maintain_order=True)
    values = frame.with_columns(_as_field(builder, each) for each in compiled.fields).with_columns(_standing(compiled, builder))
    return _finish(compiled, values)


def mapped_slices(compiled: CompiledPhase, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Map a phase slice by slice. Where rows may share a key, the first one of all slices makes the record."""
    seen: set[str] = set()
    for frame in frames:
        mapped = map_phase(compiled, frame)
        if compiled.key != OWN_KEY:
            mapped = mapped.filter(pl.Series([key not in seen for key in mapped["key"]], dtype=pl.Boolean))
            seen.update(mapped["key"])
        yield mapped


def wanted_schema(compiled: Compiled, mapped: Mapping[str, pl.DataFrame]) -> WantedSchema:
    """Return what the destination must hold before these records are sent.

    Shape: every field of the map, used or not; labels and open options as the records hold them, in order of text; stages as the
    spec lists them, after those that records of an open pipeline name; currencies and counts of records that nothing stands against.
    """
    sending = {name: mapped[name].filter(pl.col("queue").is_null()) for name in compiled.order if name in mapped and name != TAGS}
    phases = {name: compiled.phases[name] for name in sending}
    fields = [_wanted_field(phase, each, sending[name]) for name, phase in phases.items() for each in phase.fields if each.is_custom]
    return WantedSchema(
        fields=tuple(fields),
        labels={name: _distinct(sending[name]["labels"]) for name, phase in phases.items() if phase.labels},
        stages={each.name: _stages(each, sending[name]) for name, phase in phases.items() for each in phase.pipelines},
        types={name: _record_types(phase) for name, phase in phases.items() if phase.record_type},
        currencies=_distinct(pl.concat([pl.Series(dtype=pl.String), *(frame["currency"] for frame in sending.values())])),
        counts={name: sending[name].height for name, phase in phases.items() if phase.create != "never"},
    )


def mapped_schema(compiled: CompiledPhase) -> Any:
    """Return the pandera schema of a mapped frame: keys unique, hashes of their form, queue and reason together."""
    import pandera.polars as pa

    names = dict.fromkeys([*MAPPED_SCHEMA, *(f"link_{name}" for name in compiled.links)])
    nullable = {name: pa.Column(MAPPED_SCHEMA.get(name, pl.String), nullable=True) for name in names}
    return pa.DataFrameSchema(
        {
            **nullable,
            "key": pa.Column(pl.String, pa.Check.str_length(min_value=1), unique=True),
            "hash": pa.Column(pl.String, pa.Check.str_matches("^[0-9a-f]{32}$")),
            "payload": pa.Column(pl.String, pa.Check.str_matches(r"^\{.*\}$")),
        },
        strict=True,
    )


def _builder(frame: pl.DataFrame, compiled: CompiledPhase) -> Builder:
    return Builder(frame.schema, compiled.zone, compiled.words)


def _with_columns(frame: pl.DataFrame, compiled: CompiledPhase) -> pl.DataFrame:
    """Add columns that these files do not have as empty ones: an absent column says nothing."""
    wanted = {**compiled.columns, "contributors": pl.List(pl.String), "queue": pl.String(), "reason": pl.String()}
    absent = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in wanted.items() if frame.schema.get(name, pl.Null) == pl.Null]
    return frame.with_columns(absent) if absent else frame


def _standing(compiled: CompiledPhase, builder: Builder) -> list[pl.Expr]:
    """Return `queue` and `reason`: what the fold found first, then the spec's holds, then unknown words and texts that are too long."""
    found: list[tuple[pl.Expr, str, str]] = [(condition(hold.when, builder.schema), hold.queue, hold.reason) for hold in compiled.hold]
    made = [(node, name) for name, node in compiled.steps.items()] + [(each.node, each.column) for each in compiled.fields]
    doubts = [builder.doubt(node, name) for node, name in made]
    found += [doubt for doubt in doubts if doubt is not None]
    found += [(each, "remediation", reason) for each, reason in _unread(compiled, builder)]
    found += [(each, "remediation", "too_long") for each in _too_long(compiled)]
    columns = []
    for name, place in (("queue", 1), ("reason", 2)):
        first = pl.col(name).cast(pl.String) if not compiled.is_side else pl.lit(None, dtype=pl.String)
        columns.append(pl.coalesce(first, *(pl.when(entry[0]).then(pl.lit(entry[place])) for entry in found)).alias(name))
    return columns


def _unread(compiled: CompiledPhase, builder: Builder) -> list[tuple[pl.Expr, str]]:
    """Return where a cell that is mapped held a text that could not be read as what its column holds, with the reason."""
    schema = builder.schema
    nodes = (*compiled.steps.values(), *(each.node for each in compiled.fields))
    read = [(node, name) for node in nodes for name in columns_read(node) if f"raw_{name}" in schema]
    return [
        (condition(node.only_when, schema) & unread(schema, name), f"{UNREAD[default_rule(schema[name])]}: {name}")
        for node, name in read
        if default_rule(schema[name]) in UNREAD
    ]


def _too_long(compiled: CompiledPhase) -> list[pl.Expr]:
    """Return where a text is longer than its custom field can be, or than an option that would be made of it."""
    short = [each for each in compiled.fields if each.is_custom and (each.type == "text" or each.is_open)]
    most = compiled.text_max
    return [_length(each) > most for each in short] if most is not None else []


def _length(each: CompiledField) -> pl.Expr:
    if each.type == "set":
        return pl.col(each.column).list.eval(pl.element().str.len_chars()).list.max()
    return pl.col(each.column).cast(pl.String).str.len_chars()


def _as_field(builder: Builder, each: CompiledField) -> pl.Expr:
    return builder.value(each.node).alias(each.column)


def _finish(compiled: CompiledPhase, values: pl.DataFrame) -> pl.DataFrame:
    schema = values.schema
    standard = {each.name: each for each in compiled.fields if not each.is_custom}
    money = compiled.money
    mapped = values.select(
        pl.col(compiled.key).cast(pl.String).alias("key"),
        _payloads(compiled, values),
        "contributors",
        "queue",
        "reason",
        _column(standard, money.amount if money else None, schema).cast(pl.Float64).alias("amount"),
        _column(standard, money.currency if money else None, schema).cast(pl.String).alias("currency"),
        _column(standard, money.status if money else None, schema).cast(pl.String).alias("status"),
        unless_empty(_column(standard, compiled.labels, schema).cast(pl.List(pl.String))).alias("labels"),
        *(pl.col(standard[name].column).alias(f"link_{name}") for name in compiled.links),
    )
    hashes = pl.Series("hash", [payload_hash(payload.encode()) for payload in mapped["payload"].to_list()], dtype=pl.String)
    return mapped.insert_column(1, hashes)


def _column(standard: Mapping[str, CompiledField], name: str | None, schema: Mapping[str, Any]) -> pl.Expr:
    return pl.col(standard[name].column) if name is not None and name in standard else pl.lit(None, dtype=pl.Null)


def _payloads(compiled: CompiledPhase, values: pl.DataFrame) -> pl.Series:
    members = {each.name: each.column for each in compiled.fields if not each.is_custom}
    custom = {each.name: each.column for each in compiled.fields if each.is_custom}
    return json_documents(values, members, {"custom": custom})


def _wanted_field(phase: CompiledPhase, each: CompiledField, mapped: pl.DataFrame) -> WantedField:
    options = _open_options(each, mapped) if each.is_open else each.options
    same = (other.name for other in phase.fields if not other.is_custom and each.node.from_ and other.node.from_ == each.node.from_)
    keeps = "" if each.node.rule else next(same, "")
    return WantedField(phase.name, each.name, each.type, options, is_external_id=each.node.external_id, keeps=keeps)  # type: ignore[arg-type]


def _open_options(each: CompiledField, mapped: pl.DataFrame) -> tuple[str, ...]:
    """Return the options that records hold in a field without a vocabulary."""
    kind = pl.List(pl.String) if each.type == "set" else pl.String()
    shape = pl.Struct({"custom": pl.Struct({each.name: kind})})
    column = mapped["payload"].str.json_decode(shape).struct.field("custom").struct.field(each.name)
    return _distinct(column)


def _stages(pipeline: Pipeline, mapped: pl.DataFrame) -> tuple[str, ...]:
    """Return the stages of a pipeline: of an open one those that records name, in order of first appearance, then those listed."""
    if not pipeline.open:
        return pipeline.stages
    shape = pl.Struct({pipeline.stage: pl.String()})
    named = mapped["payload"].str.json_decode(shape).struct.field(pipeline.stage).drop_nulls().unique(maintain_order=True)
    return (*(stage for stage in named if stage not in pipeline.stages), *pipeline.stages)


def _distinct(column: pl.Series) -> tuple[str, ...]:
    words = column.explode(empty_as_null=False) if isinstance(column.dtype, pl.List) else column
    return tuple(words.drop_nulls().unique().sort().to_list())


def _record_types(phase: CompiledPhase) -> tuple[str, ...]:
    """Return the record types that the field's cases can give."""
    node = next(each.node for each in phase.fields if each.name == phase.record_type)
    words = [case.then for case in node.cases] + [word for word in (node.otherwise, node.value) if word is not None]
    return tuple(dict.fromkeys(str(word) for word in words))

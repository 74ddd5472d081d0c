"""Words of the export that the map does not know, with how many rows hold them and what they may mean.

Belongs here: finding the word behind a row in queue `decision`. Not here: recognising words (spec.rules_choice), the answer
(phases.queues_answers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.resolve.columns import text
from crm_pipelines.phases.stage import read_staged
from crm_pipelines.sources.base import ROW
from crm_pipelines.spec.build import Builder
from crm_pipelines.spec.compile import CompiledPhase
from crm_pipelines.spec.model import FieldMap
from crm_pipelines.spec.rules_choice import UNKNOWN_OPTION

DECISION = "decision"
UNKNOWN_TYPE = "unknown_type"


@dataclass(frozen=True)
class Word:
    """A word that nobody explained yet."""

    column: str
    """`object.column` of the export."""
    word: str
    rows: int
    choices: tuple[str, ...]
    """The words that are known there."""


def unknown_words(project: Project, waiting: pl.DataFrame) -> tuple[Word, ...]:
    """Return the unknown words behind the rows in queue `decision`, those on most rows first."""
    asked = waiting.filter(pl.col("queue") == DECISION)
    found: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for column, word, choices, rows in (*_types(project, asked), *_options(project, asked)):
        found[column, word, choices] += rows
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Word(column, word, rows, choices) for (column, word, choices), rows in ordered)


def _types(project: Project, asked: pl.DataFrame) -> Iterator[tuple[str, str, tuple[str, ...], int]]:
    """Yield the unknown kinds of transactions."""
    spec = project.spec.derive.purchases
    places = asked.filter(pl.col("reason") == UNKNOWN_TYPE).select(pl.col("chunk").alias("_chunk"), pl.col("row").alias(ROW))
    if spec is None or places.is_empty():
        return
    rows = read_staged(project.staged_folder, spec.payments, project.object_chunks(spec.payments))
    held = rows.join(places, on=["_chunk", ROW], how="semi")
    counted = held.select(text(held, spec.columns.kind).alias("word")).drop_nulls().group_by("word").len()
    for word, count in counted.iter_rows():
        yield f"{spec.payments}.{spec.columns.kind}", word, tuple(spec.kinds), count


def _options(project: Project, asked: pl.DataFrame) -> Iterator[tuple[str, str, tuple[str, ...], int]]:
    """Yield the words that are no option of their field, by the export's own column."""
    held = asked.filter((pl.col("reason") == UNKNOWN_OPTION) & pl.col("into_phase").is_not_null())
    for (phase,), rows in held.partition_by("into_phase", as_dict=True).items():
        compiled = project.compiled.phases[str(phase)]
        is_held = pl.col(compiled.key).is_in(rows.get_column("into_key").to_list())
        frame = _made(compiled, read_resolved(project.resolved_folder, compiled.derived).filter(is_held))
        for field, node, made in _read(compiled):
            origin = next(((owner, column) for owner, column in compiled.lineage.get(field, ()) if owner in project.objects), None)
            if origin is not None:
                for word, count in _unread(compiled, frame, node, made):
                    yield ".".join(origin), word, tuple(_known(compiled, node)), count


def _read(compiled: CompiledPhase) -> Iterator[tuple[str, FieldMap, str]]:
    """Yield field, node and column of everything that reads a word, steps under the field that they are for."""
    for each in compiled.fields:
        yield each.name, each.node, each.column
        yield from ((each.name, compiled.steps[name], name) for name in each.node.from_ if name in compiled.steps)


def _made(compiled: CompiledPhase, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with the columns that files may lack, the steps, and the fields."""
    absent = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in compiled.columns.items() if name not in frame.columns]
    frame = frame.with_columns(absent)
    for name, step in compiled.steps.items():
        frame = frame.with_columns(Builder(frame.schema, compiled.zone, compiled.words).value(step).alias(name))
    builder = Builder(frame.schema, compiled.zone, compiled.words)
    return frame.with_columns(builder.value(each.node).alias(each.column) for each in compiled.fields)


def _unread(compiled: CompiledPhase, frame: pl.DataFrame, node: FieldMap, made: str) -> list[tuple[str, int]]:
    """Return the words of which a field map made nothing, and how many records hold them."""
    doubt = Builder(frame.schema, compiled.zone, compiled.words).doubt(node, made)
    if doubt is None or doubt[-1] != UNKNOWN_OPTION:
        return []
    held = frame.filter(doubt[0]).select(pl.col(node.from_[0]).alias("word"))
    words = held.explode("word") if isinstance(held.schema["word"], pl.List) else held
    counted = words.select(pl.col("word").cast(pl.String)).drop_nulls().group_by("word", maintain_order=True).len()
    known = {word.casefold() for word in _known(compiled, node)}
    return [(word, count) for word, count in counted.iter_rows() if word.strip().casefold() not in known]


def _known(compiled: CompiledPhase, node: FieldMap) -> list[str]:
    vocabulary = compiled.words.get(str(node.with_.get("words")), {})
    return list(vocabulary)

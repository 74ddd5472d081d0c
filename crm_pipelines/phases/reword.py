"""A client's words laid over staged rows: replaced values, owners and tags, before anything is made of a cell.

Belongs here: which columns get which words, and the columns with them. Not here: whether the words can be (spec.check_client), reading
files (phases.stage), the fold (phases.resolve).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from crm_pipelines.sources.base import RAW_PREFIX
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.compile import CompiledPhase
from crm_pipelines.spec.contract import SourceContract
from crm_pipelines.spec.derive import DeriveSpec
from crm_pipelines.spec.derived import carried_name, frame_of
from crm_pipelines.spec.folding import folded_word, folded_words
from crm_pipelines.spec.rules_read import read_number, read_yes_no
from crm_pipelines.spec.rules_text import unless_empty

Words = Mapping[str, str | None]
SEVERAL = frozenset({"split", "split_options"})
"""Rules that read several words out of one cell."""
BETWEEN = re.compile(r"([,;|\n])")


def rewording(client_map: ClientMap, derive: DeriveSpec, source: SourceContract) -> dict[str, dict[str, Words]]:
    """Return object -> staged column -> word -> what it becomes (None: left out of its list)."""
    found: dict[str, dict[str, Words]] = {}
    owners = dict.fromkeys(derive.owners.from_, client_map.owners) if client_map.owners else {}
    for part in (client_map.values, client_map.tags, owners):
        for place, words in part.items():
            name, _, heading = place.partition(".")
            columns = found.setdefault(name, {})
            column = source.staged_column(name, heading)
            columns[column] = {**columns.get(column, {}), **words}
    return found


def several_words(phases: Iterable[CompiledPhase], derive: DeriveSpec, name: str, columns: Iterable[str]) -> frozenset[str]:
    """Return which of these columns of an object hold several words in a cell, because a field reads them so."""
    frame = frame_of(derive, name)
    nodes = [node for phase in phases if phase.derived == frame for node in (*phase.steps.values(), *(each.node for each in phase.fields))]
    read = {column for node in nodes if node.rule in SEVERAL for column in node.from_}
    return frozenset(column for column in columns if carried_name(derive, name, column) in read)


def reworded(frame: pl.LazyFrame, words: Mapping[str, Words], several: Collection[str] = ()) -> pl.LazyFrame:
    """Return staged rows with their words replaced, compared as words are (spec.folding).

    Shape: the same rows and columns. Texts and lists are replaced; a boolean or number is given where its cell could not be read; of the
    columns in `several` each word of a cell is replaced, unless the whole cell is a word.
    """
    schema = frame.collect_schema()
    changed = [_column(schema, name, table, name in several).alias(name) for name, table in words.items() if name in schema and table]
    return frame.with_columns(changed) if changed else frame


def _column(schema: Mapping[str, pl.DataType], name: str, table: Words, is_several: bool) -> pl.Expr:
    dtype, cell = schema[name], pl.col(name)
    if dtype == pl.String:
        others = _each_word(cell, table) if is_several else cell
        return pl.when(_is_known(cell, table)).then(_looked_up(cell, table)).otherwise(others)
    if isinstance(dtype, pl.List):
        each = pl.element()
        members = cell.list.eval(pl.when(_is_known(each, table)).then(_looked_up(each, table)).otherwise(each).drop_nulls())
        return unless_empty(members.list.unique(maintain_order=True))
    raw = f"{RAW_PREFIX}{name}"
    if raw not in schema:
        return cell
    meant = _looked_up(pl.col(raw), table)
    read = read_yes_no(meant) if dtype == pl.Boolean else read_number(meant, locale="us")  # check_client holds it to 1234.50
    return cell.fill_null(read.cast(dtype, strict=False))


def _each_word(cell: pl.Expr, words: Words) -> pl.Expr:
    """Return a cell with each of its words replaced; what stands between them stays."""
    table = dict(zip(*_table(words), strict=True))

    def replaced(text: str) -> str:
        pieces = BETWEEN.split(text)
        return "".join(table.get(folded_word(piece)) or piece for piece in pieces)

    def cells(given: pl.Series) -> pl.Series:
        distinct = given.drop_nulls().unique().to_list()
        return given.replace_strict(distinct, [replaced(text) for text in distinct], default=None, return_dtype=pl.String)

    return cell.map_batches(cells, return_dtype=pl.String, is_elementwise=True)


def _table(words: Words) -> tuple[list[str], list[str | None]]:
    table = {folded_word(word): meaning for word, meaning in words.items()}
    return list(table), [None if meaning is None else meaning.strip() for meaning in table.values()]


def _is_known(cell: pl.Expr, words: Words) -> pl.Expr:
    return folded_words(cell).is_in(_table(words)[0])


def _looked_up(cell: pl.Expr, words: Words) -> pl.Expr:
    known, meant = _table(words)
    return folded_words(cell).replace_strict(known, meant, default=None, return_dtype=pl.String)

"""Text columns to typed columns, with a reason for every cell that does not parse.

Belongs here: what each column type accepts, and rows whose key cannot be read. Not here: dates (dates), lists (lists),
text repair (repair), e-mail and phone syntax, country names (spec rules): those stay text, as they stand.

A cell that does not parse is null in its column and a row in `cell_errors`; its text stays in `raw_<column>`, which
exists only for columns with errors or repairs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crm_pipelines.sources import dates
from crm_pipelines.sources.base import LINE, RAW_PREFIX, ROW, BadLine, Column, ReadSettings, SourceObject
from crm_pipelines.sources.csv_export import TextExport
from crm_pipelines.sources.lists import split_list
from crm_pipelines.sources.prescan import Scan
from crm_pipelines.sources.quarantine import sentence_for
from crm_pipelines.sources.repair import repair_frame

MONEY = pl.Decimal(18, 4)
DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "email": pl.String(),
    "phone": pl.String(),
    "country": pl.String(),
    "integer": pl.Int64(),
    "decimal": MONEY,
    "datetime": pl.Datetime("us", "UTC"),
    "date": pl.Date(),
    "boolean": pl.Boolean(),
    "list": pl.List(pl.String),
}
TRUE_WORDS = ("yes", "1", "true", "y")
FALSE_WORDS = ("no", "0", "false", "n")
BOOLEANS = dict.fromkeys(TRUE_WORDS, True) | dict.fromkeys(FALSE_WORDS, False)
US_NUMBER = r"^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,4}0*)?$"
EU_NUMBER = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d{1,4}0*)?$"
SCIENTIFIC = r"^[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+$"  # a spreadsheet's rounding; the digits it cut cannot be had back
ERROR_COLUMNS = {"row": pl.Int64(), "line": pl.Int64(), "column": pl.String(), "reason": pl.String()}


@dataclass(frozen=True)
class TypedExport:
    """Typed rows, rows whose key is missing or unreadable as bad lines, errors by cell, and what was changed."""

    frame: pl.DataFrame
    bad_lines: tuple[BadLine, ...]
    cell_errors: pl.DataFrame
    repairs: dict[str, dict[str, int]]
    warnings: tuple[str, ...]


@dataclass
class _Work:
    """What typing one file gathers, column by column."""

    export: TextExport
    contract: SourceObject
    settings: ReadSettings
    text: pl.DataFrame
    columns: list[pl.Series] = field(default_factory=list)
    raw: list[pl.Series] = field(default_factory=list)
    errors: list[pl.DataFrame] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Cells:
    values: pl.Series
    reasons: pl.Series | None = None
    warnings: Sequence[str] = ()


def type_columns(export: TextExport, contract: SourceObject, settings: ReadSettings) -> TypedExport:
    """Give every column of the contract its type and set rows without a readable key aside.

    Raises: SourceError when a date column can be read two ways and no order is declared.
    """
    known = {column.name: column for column in contract.columns}
    human = frozenset(name for name in export.frame.columns if name in known and known[name].repair)
    repaired = repair_frame(export.frame, human, export.scan.blocks)
    work = _Work(export, contract, settings, _without_null_words(repaired.frame, known))
    for name in export.frame.columns:
        if name not in (ROW, LINE):
            _type_one(work, name, known.get(name), name in repaired.repairs)
    _add_currency(work)
    return _finish(work, repaired.repairs)


def _add_currency(work: _Work) -> None:
    """Give every row the currency of the headings, where it does not name its own."""
    currency = work.export.currency
    if currency is None:
        return
    for place, column in enumerate(work.columns):
        if column.name == "currency":
            work.columns[place] = column.fill_null(currency)
            return
    work.columns.append(pl.repeat(currency, work.text.height, dtype=pl.String, eager=True).alias("currency"))


def _type_one(work: _Work, name: str, column: Column | None, is_repaired: bool) -> None:
    text = work.text[name]
    cells = _Cells(text) if column is None else _read_cells(work, text, column)
    work.columns.append(cells.values.alias(name))
    work.warnings.extend(cells.warnings)
    has_errors = cells.reasons is not None and bool(cells.reasons.is_not_null().any())
    if has_errors:
        errors = pl.DataFrame({"row": work.text[ROW], "line": work.text[LINE], "reason": cells.reasons}).drop_nulls("reason")
        work.errors.append(errors.select("row", "line", pl.lit(name).alias("column"), "reason"))
    if has_errors or is_repaired:
        work.raw.append(_as_it_stands(work, name).alias(RAW_PREFIX + name))


def _as_it_stands(work: _Work, name: str) -> pl.Series:
    """Return a column's text as exported, without the words for "no value": what is left over a null could not be read."""
    return pl.select(pl.when(work.text[name].is_not_null()).then(work.export.frame[name])).to_series()


def _read_cells(work: _Work, text: pl.Series, column: Column) -> _Cells:
    """Read one column by its type."""
    readers: dict[str, Callable[[], _Cells]] = {
        "integer": lambda: _integers(text),
        "decimal": lambda: _decimals(text, work.settings.decimal_locale, any_locale=column.any_locale),
        "boolean": lambda: _booleans(text),
        "list": lambda: _lists(text, column, work.settings),
        "phone": lambda: _phones(text),
        "datetime": lambda: _moments(work, text, column),
        "date": lambda: _moments(work, text, column),
    }
    return readers.get(column.type, lambda: _Cells(text))()


def _without_null_words(frame: pl.DataFrame, known: Mapping[str, Column]) -> pl.DataFrame:
    """Empty the cells that hold a word for "no value", in the columns whose contract says so."""
    worded = [known[name] for name in frame.columns if name in known and known[name].nulls]
    return frame.with_columns(
        pl.when(~pl.col(column.name).str.contains(_only_these(column.nulls))).then(pl.col(column.name)).alias(column.name)
        for column in worded
    )


def _only_these(words: tuple[str, ...]) -> str:
    return rf"(?i)^\s*(?:{'|'.join(re.escape(word) for word in words)})\s*$"


def _stripped(text: pl.Series) -> pl.Series:
    """Trim; a cell of white space is an empty cell for every type but text."""
    return text.to_frame("cell").select(pl.col("cell").str.strip_chars().replace("", None).alias(text.name)).to_series()


def _integers(text: pl.Series) -> _Cells:
    """Read whole numbers; the `.0` that other programs add to a column of numbers with gaps is none the less whole."""
    stripped = _stripped(text)
    values = stripped.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    return _Cells(values, _reasons(stripped, values, "not_an_integer"))


def _decimals(text: pl.Series, locale: str, *, any_locale: bool = False) -> _Cells:
    stripped, cell = _stripped(text), pl.col("cell")
    written = {US_NUMBER: cell.str.replace_all(",", "", literal=True), EU_NUMBER: _eu_plain()}
    own, other = (US_NUMBER, EU_NUMBER) if locale == "us" else (EU_NUMBER, US_NUMBER)
    plain = pl.when(cell.str.contains(own)).then(written[own])
    both = plain.when(cell.str.contains(other)).then(written[other])
    values = stripped.to_frame("cell").select(both if any_locale else plain).to_series().cast(MONEY, strict=False)
    reasons = _reasons(stripped, values, "not_a_number")
    if reasons is not None:
        failed = pl.col("reason").is_not_null()
        kind = pl.when(failed & cell.str.contains(own)).then(pl.lit("number_too_large"))
        kind = kind.when(failed & cell.str.contains(other)).then(pl.lit("number_of_other_locale")).otherwise("reason")  # type: ignore[assignment]
        reasons = pl.DataFrame({"cell": stripped, "reason": reasons}).select(kind).to_series()
    return _Cells(values, reasons)


def _eu_plain() -> pl.Expr:
    return pl.col("cell").str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)


def _booleans(text: pl.Series) -> _Cells:
    stripped = _stripped(text)
    values = stripped.str.to_lowercase().replace_strict(BOOLEANS, default=None, return_dtype=pl.Boolean)
    return _Cells(values, _reasons(stripped, values, "not_yes_or_no"))


def _lists(text: pl.Series, column: Column, settings: ReadSettings) -> _Cells:
    split = split_list(text, settings.inventories.get(column.name, ()), column.separator)
    unmatched = f"{column.name}: {len(split.unmatched)} names are not in the inventory"
    return _Cells(split.values, None, (unmatched,) if split.unmatched else ())


def _phones(text: pl.Series) -> _Cells:
    """Keep phone text as it stands; count numbers that a spreadsheet rounded, which nothing can bring back."""
    rounded = int(text.str.strip_chars().str.contains(SCIENTIFIC).sum())
    warning = f"{text.name}: a spreadsheet rounded {rounded} numbers (as 4.47701E+11); they are kept as text and are no phone numbers"
    return _Cells(text, None, (warning,) if rounded else ())


def _moments(work: _Work, text: pl.Series, column: Column) -> _Cells:
    order = work.settings.date_orders.get(column.name, work.settings.date_order)
    if column.type == "date":
        read = dates.read_dates(text, order, work.export.file_name)
    else:
        read = dates.read_moments(text, _zones(work, column), order, work.export.file_name)
    return _Cells(read.values, read.reasons, read.warnings)


def _zones(work: _Work, column: Column) -> pl.Series | str:
    """Return the row's own time zone where the contract names one, the export's for rows that leave it empty."""
    if column.zone_column is None or column.zone_column not in work.text.columns:
        return work.settings.source_timezone
    return work.text[column.zone_column].str.strip_chars().fill_null(work.settings.source_timezone)


def _reasons(text: pl.Series, values: pl.Series, reason: str) -> pl.Series | None:
    """Give `reason` to cells that held text and have no value; None when there are none."""
    failed = values.is_null() & text.is_not_null()
    if not failed.any():
        return None
    frame = pl.DataFrame({"failed": failed, "rounded": text.str.contains(SCIENTIFIC)})
    word = pl.when("rounded").then(pl.lit("scientific_notation")).otherwise(pl.lit(reason))
    return frame.select(pl.when("failed").then(word)).to_series()


def _finish(work: _Work, repairs: dict[str, dict[str, int]]) -> TypedExport:
    frame = pl.DataFrame([work.text[ROW], work.text[LINE], *work.columns, *work.raw])
    errors = pl.concat(work.errors) if work.errors else pl.DataFrame(schema=ERROR_COLUMNS)
    keyless = frame.with_row_index("_position").filter(pl.col(work.contract.key).is_null())
    if keyless.height:
        bad_lines = tuple(_keyless_lines(work, keyless["_position"]))
        frame = frame.filter(pl.col(work.contract.key).is_not_null())
        errors = errors.filter(~pl.col("row").is_in(keyless[ROW].to_list()))
    else:
        bad_lines = ()
    return TypedExport(frame, bad_lines, errors.sort("row", "column"), repairs, tuple(work.warnings))


def _keyless_lines(work: _Work, positions: Iterable[int]) -> Iterable[BadLine]:
    """Turn rows without a readable key into bad lines with their raw text."""
    scan: Scan = work.export.scan
    key = work.contract.key
    for position in positions:
        reason = "missing_key" if work.export.frame[key][position] is None else "bad_key"
        first, last = scan.spans[position]
        sentence = sentence_for(reason, key=key)
        yield BadLine(first + 1, last, scan.rows[position], reason, sentence, scan.raw(position))

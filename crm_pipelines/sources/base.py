"""What a source is: its objects, their columns, and the values that reading one of its files gives.

Belongs here: frozen values and the protocol, without behaviour. Not here: reading (csv_export), typing (typed),
a vendor's headings (kartra).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol

import polars as pl

ColumnType = Literal["text", "email", "integer", "decimal", "datetime", "date", "boolean", "list", "country", "phone"]
DateOrder = Literal["dmy", "mdy"]

ROW = "_row"
LINE = "_line"
RAW_PREFIX = "raw_"


@dataclass(frozen=True)
class Column:
    """One column of an export: its canonical name, how its cells are typed, and the headings it is known by.

    `pattern` is a regular expression on the heading; its group 1, when it has one, is the currency.
    `nulls` are words that mean "no value" here (case ignored). `repair` marks human text in which HTML entities
    and mojibake are undone. `separator` fixes a list's separator; without it the file's own is counted.
    `zone_column` names the column that holds the row's own IANA time zone. `inventory` names the `object.column` that
    lists the values of this one. `any_locale`: cells of a number may be written 1,234.56 or 1.234,56, one beside the
    other; what reads both ways (1.234) follows the file's setting.
    """

    name: str
    type: ColumnType
    aliases: tuple[str, ...] = ()
    required: bool = False
    pattern: str | None = None
    nulls: tuple[str, ...] = ()
    repair: bool = False
    separator: str | None = None
    zone_column: str | None = None
    inventory: str | None = None
    any_locale: bool = False


@dataclass(frozen=True)
class SourceObject:
    """One kind of file: its columns, the column that identifies a row, and the file names it comes under.

    `file_patterns` are shell patterns on the lower-case file name without its suffix. `extra_columns`: columns the
    contract does not know are kept in the frame as text, or only reported. `required`: a migration cannot do
    without at least one such file. `how` says where in the source's screens a client exports it, `without_it` what is
    lost when it does not come.
    """

    name: str
    columns: tuple[Column, ...]
    key: str
    file_patterns: tuple[str, ...]
    extra_columns: Literal["keep", "report"] = "keep"
    required: bool = False
    how: str = ""
    without_it: str = ""

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)


class Source(Protocol):
    """A system whose exports can be read."""

    @property
    def name(self) -> str:
        """Its name in the registry."""

    @property
    def objects(self) -> Mapping[str, SourceObject]:
        """Its objects by name."""

    def object_of(self, file_name: str) -> str | None:
        """Tell which object a file holds from its name; None when the name says nothing."""

    def exported_at(self, file_name: str) -> datetime | None:
        """Tell when a file was exported (UTC) where its name says so."""


@dataclass(frozen=True)
class ReadSettings:
    """What the operator declares about a client's files; everything left out is found out or has a stated default.

    `date_orders` and `inventories` go by column name: the order of day and month where no row gives it away, and
    the known names of a list column (`tags`), needed when a name holds the separator. `custom_fields` are the
    headings known to be custom fields. `overrides` holds other values of these settings by object name.
    """

    encoding: str | None = None
    delimiter: str | None = None
    source_timezone: str = "America/New_York"
    decimal_locale: Literal["us", "eu"] = "us"
    date_order: DateOrder | None = None
    date_orders: Mapping[str, DateOrder] = field(default_factory=dict)
    inventories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    custom_fields: tuple[str, ...] = ()
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def for_object(self, name: str) -> ReadSettings:
        """Return the settings as they are for one object."""
        return replace(self, **self.overrides[name]) if name in self.overrides else self


@dataclass(frozen=True)
class BadLine:
    """A record that could not be read: where it stands, why, and its raw text.

    Units: lines count from 1 with the heading; rows count from 1 without it, blank ones included.
    """

    first_line: int
    last_line: int
    row: int
    reason: str
    sentence: str
    raw: str


@dataclass(frozen=True)
class Heading:
    """One heading as found: raw text, normalised form, the contract's name for it, its column in the frame.

    `column` is None when the frame does not hold it (a doubled column, or an unknown one that is only reported).
    `filled` counts the cells of good rows that are not empty.
    """

    raw: str
    normalised: str
    canonical: str | None
    column: str | None
    filled: int = 0
    custom: bool = False


@dataclass(frozen=True)
class StagedChunk:
    """One file, read and typed.

    Shape: physical_rows = frame.height + len(bad_lines) + blank_rows; `physical_rows` comes from rowcount, which
    shares no code with the reader. `frame` has `_row`, `_line`, then one column per heading; a column with cell
    errors or repairs is accompanied by `raw_<column>`, the text as it stood in the file.
    `cell_errors` has row, line, column, reason. `repairs` counts changed cells: column -> kind -> count.
    """

    object: str
    file_name: str
    sha256: str
    size_bytes: int
    physical_rows: int
    blank_rows: int
    encoding: str
    delimiter: str
    headings: tuple[Heading, ...]
    currency: str | None
    frame: pl.DataFrame
    bad_lines: tuple[BadLine, ...]
    cell_errors: pl.DataFrame
    warnings: tuple[str, ...]
    repairs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every physical row is in the frame, bad or blank."""
        return self.physical_rows == self.frame.height + len(self.bad_lines) + self.blank_rows

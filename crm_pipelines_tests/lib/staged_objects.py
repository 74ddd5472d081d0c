"""Staged objects written down as tables of dictionaries, and the spec they are resolved with.

Belongs here: building inputs of the fold for tests. Not here: expectations (tests, purchases_oracle).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from crm_pipelines.phases.resolve import ChunkFrame, Resolved, ResolveSettings, StagedObject, resolve
from crm_pipelines.spec.derive import DeriveSpec

REPOSITORY = Path(__file__).parents[2]
FIRST_EXPORT = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULTS = {
    "companyless": "none",
    "unusable_email": "keep_as_text",
    "rebills": "fold",
    "subscription_value": "sum_paid",
    "failed": "exclude",
    "refunded": "lost",
    "affiliates": "person_fields",
    "cancelled_bookings": "keep",
}
MOMENT, MONEY, TEXTS = pl.Datetime("us", "UTC"), pl.Decimal(18, 4), pl.List(pl.String)
TYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(("_row", "score", "quantity", "affiliate_id"), pl.Int64()),
    **dict.fromkeys(("date_joined", "gdpr_status_date", "date", "event_start", "event_end"), MOMENT),
    **dict.fromkeys(("subscription_start_date", "subscription_end_date", "created_date"), MOMENT),
    "close_date": pl.Date(),
    **dict.fromkeys(("amount", "earned"), MONEY),
    **dict.fromkeys(("tags", "lists"), TEXTS),
    "blacklisted": pl.Boolean(),
}

Row = dict[str, Any]


@cache
def derive_spec() -> DeriveSpec:
    """Return the Kartra route's `derive` section, from wherever it stands at the moment."""
    fragment = REPOSITORY / "docs/routes/kartra_derive.yaml"
    path = fragment if fragment.exists() else REPOSITORY / "mapping_specs/kartra_to_pipedrive.yaml"
    return DeriveSpec.model_validate(yaml.safe_load(path.read_text())["derive"])


def day(number: float, hour: int = 12) -> datetime:
    """Return noon (UTC) of the given day of May 2025."""
    return datetime(2025, 5, 1, hour, tzinfo=UTC) + timedelta(days=number - 1)


def chunk_name(name: str, place: int) -> str:
    """Return the partition key of the file at `place`."""
    return f"001-{place:04}-{name}-abcd1234"


def chunk(name: str, place: int, rows: list[Row], exported_at: datetime | None = None) -> ChunkFrame:
    """Return one staged file; `_row` counts up unless the rows say otherwise."""
    numbered = [{"_row": number, **row} for number, row in enumerate(rows, 1)]
    columns = list(dict.fromkeys(column for row in numbered for column in row)) or ["_row"]
    data = {column: [row.get(column) for row in numbered] for column in columns}
    series = [pl.Series(column, values, dtype=TYPES.get(column, pl.String())) for column, values in data.items()]
    at = exported_at or FIRST_EXPORT + timedelta(days=place)
    return ChunkFrame(chunk_name(name, place), at, frozenset(columns), pl.DataFrame(series))


def staged(name: str, *files: list[Row]) -> StagedObject:
    """Return an object with one file per list of rows, each exported a day after the one before."""
    return StagedObject(name, [chunk(name, place, rows) for place, rows in enumerate(files)])


def derive_with(**sections: Row) -> DeriveSpec:
    """Return the `derive` section with some keys of its parts changed, and parts added, as an author would write them."""
    written = derive_spec().model_dump(by_alias=True, exclude_unset=True)
    return DeriveSpec.model_validate({**written, **{name: {**written.get(name, {}), **keys} for name, keys in sections.items()}})


def resolved(
    *objects: StagedObject, derive: DeriveSpec | None = None, settings: ResolveSettings | None = None, **decisions: str
) -> Resolved:
    """Resolve with the default decisions, changed where the test says so."""
    return resolve(derive or derive_spec(), {**DEFAULTS, **decisions}, {one.name: one for one in objects}, settings)


def row_of(frame: pl.DataFrame, key: str) -> Row:
    """Return the record with this key."""
    found = frame.filter(pl.col("key") == key).to_dicts()
    assert len(found) == 1, f"{len(found)} records"
    return found[0]


def fates_of(result: Resolved, name: str) -> dict[tuple[int, int], tuple[str, str | None, str | None]]:
    """Return (file, row) -> (fate, into_key, queue/reason)."""
    lines = {}
    for line in result.fates[name].to_dicts():
        why = "/".join(filter(None, (line["queue"], line["reason"]))) or None
        lines[int(line["chunk"].split("-")[1]), line["row"]] = (line["fate"], line["into_key"], why)
    return lines


def as_rows(result: Resolved) -> Mapping[str, list[Row]]:
    """Return everything as plain values, for comparing two results."""
    return {
        **{name: frame.to_dicts() for name, frame in result.frames.items()},
        **{f"fates/{name}": frame.to_dicts() for name, frame in result.fates.items()},
    }

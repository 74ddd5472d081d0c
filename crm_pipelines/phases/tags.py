"""The label phase: its unit is a (record, label) pair; it attaches only the pairs that could not travel with their record.

Belongs here: deriving pairs from mapped records, finding the missing ones, attaching them by read, union, write. Not here: making labels
(prepare), the labels that travel inside a create (phases.load).
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import polars as pl

from crm_pipelines.destinations.base import WriteReport, WriteRow
from crm_pipelines.keys import payload_hash
from crm_pipelines.phases import accounts
from crm_pipelines.phases.session import Session

SEPARATOR = "\x1f"


def pairs_of(mapped: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one row per wanted pair of the given mapped phases.

    Shape: [key, hash, payload, contributors, queue, reason, of, record, label]; key = phase, record key and casefolded label.
    """
    parts = [_pairs(phase, frame) for phase, frame in mapped.items() if "labels" in frame.columns]
    if not parts:
        raise ValueError("a label phase needs phases whose records carry labels")
    frame = pl.concat(parts)
    digest = [payload_hash(key.encode()) for key in frame.get_column("key")]
    return frame.with_columns(hash=pl.Series(digest, dtype=pl.String), payload=pl.lit("{}"))


def _pairs(phase: str, frame: pl.DataFrame) -> pl.DataFrame:
    exploded = frame.select("contributors", "queue", "reason", of=pl.lit(phase), record="key", label="labels").explode("label")
    return (
        exploded.filter(pl.col("label").is_not_null())
        .with_columns(key=pl.concat_str("of", "record", pl.col("label").str.to_lowercase(), separator=SEPARATOR))
        .unique("key", keep="first", maintain_order=True)
    )


def attach(session: Session, phase: str, desired: pl.DataFrame, written: WriteReport) -> None:
    """Attach the desired pairs that the destination's own list does not show; remember those it shows."""
    seen: set[str] = set()
    for of in session.project.compiled.phases[phase].pairs:
        missing = _missing(session, of, desired.filter(pl.col("of") == of), seen)
        if missing.height:
            _attach_missing(session, of, missing, written)
            session.listings.pop(of, None)
            _missing(session, of, desired.filter(pl.col("of") == of), seen)
    others = accounts.seen_pairs(session.project, phase) - set(desired.get_column("key"))  # of chunks that are not looked at now
    accounts.remember_pairs(session.project, phase, sorted(seen | others))


def _missing(session: Session, of: str, pairs: pl.DataFrame, seen: set[str]) -> pl.DataFrame:
    records = session.listing(of).select(record="key", destination_id="destination_id", label="labels")
    ids = records.select("record", "destination_id").unique("record")  # before the explode, which drops records without any label
    listed = records.explode("label").with_columns(label=pl.col("label").str.to_lowercase())
    there = listed.filter(pl.col("label").is_not_null()).select("record", "label", present=pl.lit(value=True)).unique()
    joined = (
        pairs.with_columns(folded=pl.col("label").str.to_lowercase())
        .join(ids, on="record", how="inner")
        .join(there, left_on=["record", "folded"], right_on=["record", "label"], how="left")
    )
    seen.update(joined.filter(pl.col("present").is_not_null()).get_column("key"))
    return joined.filter(pl.col("present").is_null())


def _attach_missing(session: Session, of: str, missing: pl.DataFrame, written: WriteReport) -> None:
    field = str(session.project.compiled.phases[of].labels)
    grouped = missing.group_by("record", maintain_order=True).agg(pl.col("destination_id").first(), "label")
    ids = grouped.get_column("destination_id").to_list()
    journal = session.journal(of)
    current = dict(session.destination.read(of, ids, journal).select("destination_id", "payload").iter_rows())
    applied = session.ledger.payloads(session.account, session.engagement, of, grouped.get_column("record").to_list())
    payloads = dict(applied.select("key", "applied_payload").iter_rows())
    records = session.ledger.records(session.account, session.engagement, of, grouped.get_column("record").to_list())
    hashes = dict(records.select("key", "applied_hash").iter_rows())
    rows = [
        WriteRow(
            key=record,
            operation="update",
            payload=orjson.loads(payloads[record]),
            payload_hash=hashes[record],
            payload_json=bytes(payloads[record]),
            token=session.token(of, record),
            destination_id=destination_id,
            changes=_united(orjson.loads(current[destination_id]), labels, field),
        )
        for record, destination_id, labels in grouped.iter_rows()
        if destination_id in current and payloads.get(record)
    ]
    report = session.destination.write(of, rows, journal, session.allowance())
    written.sent += report.sent
    written.tokens += report.tokens


def _united(current: Mapping[str, list[str]], labels: list[str], field: str) -> Mapping[str, list[str]]:
    there = list(current.get(field) or [])
    folded = {label.casefold() for label in there}
    return {field: there + [label for label in labels if label.casefold() not in folded]}

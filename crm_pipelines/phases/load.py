"""Load a phase's chunks into the destination, recording each record before and after it is sent.

Belongs here: the order of ledger and network for records. Not here: vendor calls (destinations), what needs sending (phases.classify), the
three-way comparison of updates (phases.update), tag pairs (phases.tags).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import orjson
import polars as pl

from crm_pipelines.destinations.base import WriteReport, WriteRow
from crm_pipelines.observe import event, logger
from crm_pipelines.phases import accounts, carry, files, match, tags, update
from crm_pipelines.phases.classify import classify, parent_frames
from crm_pipelines.phases.confirm import check_confirmed, require_as_checked
from crm_pipelines.phases.session import Session, resolve_unknown

log = logger(__name__)

ROUNDS = 4  # sends of one slice within a run; what is unknown after that shows at the gate
SLICE_ROWS = 10_000  # mapping and ledger look-ups cost about 20 ms per frame: few, large frames


@dataclass
class LoadReport:
    """What became of the records of some chunks."""

    phase: str
    per_chunk: dict[str, dict[str, int]] = field(default_factory=dict)
    """Chunk -> records by state, of the records it contributed to."""
    written: WriteReport = field(default_factory=WriteReport)


def load(session: Session, phase: str, chunk_keys: Sequence[str]) -> LoadReport:
    """Send every desired record of these chunks that the ledger does not show as applied.

    Shape: a record that two chunks contributed to counts in both chunks' states.
    Raises: NotConfirmedError; QuotaExhausted (run again after `resumes_at`); DestinationError. What was sent is recorded in all cases.
    """
    check_confirmed(session)
    compiled = session.project.compiled.phases[phase]
    report = LoadReport(phase)
    is_wanted = _is_wanted(session, phase, chunk_keys)
    desired = _contributed(session, phase, is_wanted)
    require_as_checked(session)
    if compiled.create == "never":
        match.match_only(session, phase, desired)
    elif compiled.pairs:
        tags.attach(session, phase, desired, report.written)
    else:
        carry.carry_over(session, phase, set(desired.get_column("key")))
        for frame in _slices(session, phase, is_wanted):
            _load_settled(session, phase, frame, report.written)
    report.per_chunk = accounts.states_by_chunk(session, phase, desired, chunk_keys)
    event(log, "phase_loaded", phase=phase, chunks=len(chunk_keys), records=desired.height, sent=report.written.sent)
    return report


def _is_wanted(session: Session, phase: str, chunk_keys: Sequence[str]) -> pl.Expr:
    """Say which desired records are loaded: those of the sealed sample that one of these chunks contributed to."""
    sealed = accounts.sealed_keys(session, phase)
    is_sealed = pl.lit(value=True) if sealed is None else pl.col("key").is_in(sealed)
    if set(chunk_keys) >= set(session.project.phase_chunks(phase)):
        return is_sealed
    return is_sealed & pl.col("contributors").list.eval(pl.element().is_in(list(chunk_keys))).list.any()


def _contributed(session: Session, phase: str, is_wanted: pl.Expr) -> pl.DataFrame:
    compiled = session.project.compiled.phases[phase]
    is_small = compiled.pairs or compiled.create == "never"
    frame = session.project.mapped(phase) if is_small else session.project.mapped(phase, "key", "contributors")
    return frame.filter(is_wanted)


def _slices(session: Session, phase: str, is_wanted: pl.Expr) -> Iterator[pl.DataFrame]:
    """Yield the wanted records part by part: looking through all parts for every slice costs the square of the records.

    Raises: NotConfirmedError when a part was made anew since the seal was held against it; nothing of that part is yielded.
    """
    project = session.project
    empty = pl.DataFrame(schema=project.scan_mapped(phase).collect_schema())
    for part in files.parts(project.mapped_folder(phase)):
        require_as_checked(session)  # a part that is gone cannot be read
        frame = pl.concat([empty, pl.read_parquet(part)], how="diagonal_relaxed").filter(is_wanted)
        require_as_checked(session)
        yield from frame.iter_slices(SLICE_ROWS)


def _load_settled(session: Session, phase: str, desired: pl.DataFrame, written: WriteReport) -> None:
    """Load a slice; requests that got no answer are looked up and, if they were not applied, sent again."""
    for _ in range(ROUNDS):
        before = written.unknown
        _load_slice(session, phase, desired, written)
        if written.unknown == before:
            return
        resolve_unknown(session)


def _load_slice(session: Session, phase: str, desired: pl.DataFrame, written: WriteReport) -> None:
    keys = desired.get_column("key").to_list()
    records = session.ledger.records(session.account, session.engagement, phase, keys)
    frame = classify(desired, records, parent_frames(session, phase, desired), session.refused.get(phase, ()))
    frame = match.adopt_existing(session, phase, frame)
    _hold(session, phase, frame)
    creates, updates = frame.filter(pl.col("decision") == "create"), update.rows(session, phase, frame)
    if creates.height or updates:
        before = written.refused
        _send(session, phase, chain(_creates(session, phase, creates), updates), written)
        if written.refused > before:
            session.refused.setdefault(phase, set()).update(_refused(session, phase, keys))


def _refused(session: Session, phase: str, keys: Sequence[str]) -> list[str]:
    records = session.ledger.records(session.account, session.engagement, phase, keys)
    return records.filter(pl.col("held_state") == "refused").get_column("key").to_list()


def _hold(session: Session, phase: str, frame: pl.DataFrame) -> None:
    waiting = frame.filter(pl.col("decision") == "waiting").select("key", "queue", "reason", "hash").with_columns(state=pl.lit("waiting"))
    refused = (
        frame.filter(pl.col("decision") == "refused")
        .select("key", pl.lit("").alias("queue"), pl.col("held_reason").alias("reason"), "hash")
        .with_columns(state=pl.lit("refused"))
    )
    held = pl.concat([waiting, refused], how="vertical_relaxed")
    if held.height:
        session.ledger.hold(session.account, session.engagement, phase, session.pass_no, session.fence, held)


def _send(session: Session, phase: str, rows: Iterable[WriteRow], written: WriteReport) -> None:
    session.listings.pop(phase, None)
    part = session.destination.write(phase, rows, session.journal(phase), session.allowance())
    for name in ("sent", "created", "updated", "refused", "unknown", "tokens"):
        setattr(written, name, getattr(written, name) + getattr(part, name))
    for reason, count in part.reasons.items():
        written.reasons[reason] = written.reasons.get(reason, 0) + count


def _creates(session: Session, phase: str, frame: pl.DataFrame) -> Iterator[WriteRow]:
    """Yield rows as they are taken: ten thousand payloads alive at once cost more in garbage collection than making them."""
    compiled = session.project.compiled.phases[phase]
    links = list(compiled.links)
    columns = ["key", "hash", "payload", *(f"id_{name}" for name in links)]
    for key, digest, text, *ids in frame.select(columns).iter_rows():
        raw = text.encode()
        yield WriteRow(
            key=key,
            operation="create",
            payload=linked(orjson.loads(raw), links, ids),
            payload_hash=digest,
            payload_json=raw,
            token=session.token(phase, key),
        )


def linked(payload: dict[str, Any], links: Sequence[str], ids: Sequence[str | None]) -> Mapping[str, Any]:
    """Return the payload with parents' source keys replaced by their destination ids."""
    for name, destination_id in zip(links, ids, strict=True):
        if name in payload:
            payload[name] = destination_id
    return payload

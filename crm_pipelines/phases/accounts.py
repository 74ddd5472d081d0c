"""The two accounts: the bucket of every source row, the state of every wanted record.

Belongs here: counting, from the resolver's fates and the ledger, without asking the destination. Not here: the comparison with the
destination's own list and the verdict (phases.reconcile).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import orjson
import polars as pl

from crm_pipelines.ledger import Ledger, Seal
from crm_pipelines.phases import files
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_correct import CORRECTED, corrected_rows
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.resolve.values import EXCLUDED, LEFT_BEHIND, MERGED, QUARANTINED
from crm_pipelines.phases.session import Session, pass_number


def record_states(project: Project, ledger: Ledger, phase: str) -> pl.DataFrame:
    """Return the state of every wanted record of a phase in the current pass.

    Shape: [key, state, queue, reason, destination_id], one row per wanted record, every record in exactly one state.
    """
    account = _account(project)
    name = project.engagement.name
    pass_no = pass_number(ledger, name)
    desired = project.mapped(phase, "key", "hash", "queue", "reason")
    records = ledger.records(account, name, phase)
    open_keys = [a.attempt.key for a in ledger.open_attempts(account, name) if a.phase == phase]
    frame = desired.join(records, on="key", how="left", maintain_order="left")
    return frame.with_columns(state=_state(pass_no, open_keys)).select(
        "key",
        "state",
        queue=pl.when(pl.col("state").is_in(["waiting", "refused"])).then(pl.coalesce("queue", "held_queue")),
        reason=pl.when(pl.col("state").is_in(["waiting", "refused"])).then(pl.coalesce("reason", "held_reason")),
        destination_id="destination_id",
    )


def _state(pass_no: int, open_keys: list[str]) -> pl.Expr:
    same = (pl.col("applied_hash") == pl.col("hash")).fill_null(value=False)
    this_pass = (pl.col("outcome_pass") == pass_no).fill_null(value=False)
    held = ((pl.col("held_pass") == pass_no) & (pl.col("held_hash") == pl.col("hash"))).fill_null(value=False)
    return (
        pl.when(pl.col("key").is_in(open_keys))
        .then(pl.lit("unknown"))
        .when(same & this_pass & pl.col("outcome").is_in(["created", "updated"]))
        .then(pl.col("outcome"))
        .when(same)
        .then(pl.lit("unchanged"))
        .when(held)
        .then(pl.col("held_state"))
        .when(pl.col("queue").is_not_null())
        .then(pl.lit("waiting"))
        .otherwise(pl.lit("pending"))
    )


def states_by_chunk(session: Session, phase: str, desired: pl.DataFrame, chunk_keys: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count, per chunk, the records it contributed to by state."""
    states = phase_states(session.project, session.ledger, phase).select("key", "state")
    per = (
        desired.select("key", "contributors")
        .explode("contributors")
        .join(states, on="key", how="inner")
        .filter(pl.col("contributors").is_in(list(chunk_keys)))
        .group_by("contributors", "state")
        .len()
    )
    out: dict[str, dict[str, int]] = {chunk: {} for chunk in chunk_keys}
    for chunk, state, count in per.iter_rows():
        out[chunk][state] = count
    return out


def phase_states(project: Project, ledger: Ledger, phase: str) -> pl.DataFrame:
    """Return record states of any phase; a label phase's pairs take theirs from their records and the listing that was kept."""
    if project.compiled.phases[phase].pairs:
        return pair_states(project, ledger, phase)
    return record_states(project, ledger, phase)


def pair_states(project: Project, ledger: Ledger, phase: str) -> pl.DataFrame:
    """Return the state of every (record, label) pair.

    A pair has its record's state when the label was seen on the record; it is pending when the record is there without it.
    """
    pairs = project.mapped(phase)
    seen = seen_pairs(project, phase)
    parts = []
    for of in pairs.get_column("of").unique().to_list():
        states = record_states(project, ledger, of).rename({"key": "record"})
        parts.append(pairs.filter(pl.col("of") == of).select("key", "record").join(states, on="record", how="left"))
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(["key", "state", "queue", "reason", "destination_id"], pl.String))
    present = pl.col("key").is_in(list(seen))
    held = pl.col("state").is_in(["waiting", "refused", "unknown"])
    return pl.concat(parts).select(
        "key",
        state=pl.when(held | present).then("state").otherwise(pl.lit("pending")),
        queue=pl.when(held).then(pl.lit("parent")),
        reason=pl.when(held).then(pl.lit("parent_waits")),
        destination_id="destination_id",
    )


def remember_pairs(project: Project, phase: str, keys: Sequence[str]) -> None:
    """Keep which pairs the destination's own list showed."""
    files.write_bytes(_pairs_path(project, phase), orjson.dumps(sorted(keys)))


def row_buckets(project: Project, ledger: Ledger, object_name: str) -> pl.DataFrame:
    """Return the bucket of every physical row of an object's files.

    Shape: [chunk, file, row, line, key, bucket, queue, reason, into_phase, into_key], one line per physical row.
    """
    return rows_by_fate(project, object_name, lambda phase: phase_states(project, ledger, phase))


def rows_by_fate(project: Project, object_name: str, states_of: Callable[[str], pl.DataFrame]) -> pl.DataFrame:
    """Return the bucket of every physical row, given the states of a phase's records [key, state, queue, reason]; shape as row_buckets."""
    fates = read_resolved(project.resolved_folder, f"fates/{object_name}")
    states = [
        states_of(phase).select(into_phase=pl.lit(phase), into_key="key", s="state", q="queue", r="reason")
        for phase in fates.filter(pl.col("fate") == "record").get_column("into_phase").drop_nulls().unique().to_list()
        if phase in project.compiled.phases
    ]
    known = pl.concat(states) if states else pl.DataFrame(schema=dict.fromkeys(["into_phase", "into_key", "s", "q", "r"], pl.String))
    joined = fates.join(known, on=["into_phase", "into_key"], how="left", maintain_order="left")
    is_record = pl.col("fate") == "record"
    rows = joined.select(
        "chunk",
        "row",
        "key",
        bucket=pl.when(is_record).then(pl.col("s").fill_null("pending")).otherwise("fate"),
        queue=pl.when(is_record).then("q").otherwise("queue"),
        reason=pl.when(is_record).then("r").otherwise("reason"),
        into_phase="into_phase",
        into_key="into_key",
    )
    every = pl.concat([rows, _unread_rows(project, object_name)], how="diagonal_relaxed")
    return _left_lines(project, object_name, _given_back(project, object_name, every))


def _given_back(project: Project, object_name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Move lines that could not be read and came back corrected to bucket `merged`: the correction is the row now."""
    back = corrected_rows(project, object_name).with_columns(_back=pl.lit(value=True))
    if back.is_empty():
        return rows
    joined = rows.join(back, on=["chunk", "row"], how="left", maintain_order="left")
    is_back = pl.col("_back").fill_null(value=False) & (pl.col("bucket") == QUARANTINED)
    bucket = pl.when(is_back).then(pl.lit(MERGED)).otherwise("bucket").alias("bucket")
    return joined.with_columns(bucket, pl.when(is_back).then(pl.lit(CORRECTED)).otherwise("reason").alias("reason")).drop("_back")


def _left_lines(project: Project, object_name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Move lines without a key of which a person says that they do not move to bucket `excluded`."""
    named = project.client_map.left_lines.get(object_name, {})
    told = [(chunk, int(row), f"{LEFT_BEHIND}: {why}") for chunk, lines in named.items() for row, why in lines.items()]
    if not told:
        return rows
    behind = pl.DataFrame(told, schema={"chunk": pl.String, "row": pl.Int64, "_why": pl.String}, orient="row")
    joined = rows.join(behind, on=["chunk", "row"], how="left", maintain_order="left")
    is_left = pl.col("_why").is_not_null() & (pl.col("bucket") == QUARANTINED)
    bucket = pl.when(is_left).then(pl.lit(EXCLUDED)).otherwise("bucket").alias("bucket")
    return joined.with_columns(bucket, pl.when(is_left).then("_why").otherwise("reason").alias("reason")).drop("_why")


def bucket_counts(project: Project, ledger: Ledger, object_name: str) -> dict[str, dict[str, int]]:
    """Return, per chunk of an object, rows by bucket."""
    frame = row_buckets(project, ledger, object_name)
    out: dict[str, dict[str, int]] = {chunk: {} for chunk in project.object_chunks(object_name)}
    for chunk, bucket, count in frame.group_by("chunk", "bucket").len().iter_rows():
        out.setdefault(chunk, {})[bucket] = count
    return out


def _unread_rows(project: Project, object_name: str) -> pl.DataFrame:
    from crm_pipelines.phases.stage import read_sidecar

    rows = []
    for key in project.object_chunks(object_name):
        sidecar = read_sidecar(project.staged_folder, object_name, key)
        rows += [{"chunk": key, "row": bad["row"], "bucket": "quarantined", "reason": bad["reason"]} for bad in sidecar["bad_lines"]]
        rows += [{"chunk": key, "row": None, "bucket": "excluded", "reason": "blank"}] * sidecar["blank_rows"]
    schema = {"chunk": pl.String, "row": pl.Int64, "bucket": pl.String, "reason": pl.String}
    return pl.DataFrame(rows, schema=schema)


def sealed_keys(session: Session, phase: str) -> list[str] | None:
    """Return the keys that a sample seal lets through; None when everything is sealed."""
    seal = newest_seal(session.ledger, session.engagement)
    if seal is None or seal.kind == "full":
        return None
    keys: list[str] = seal.content["sample"].get(phase, [])
    return keys


def newest_seal(ledger: Ledger, engagement: str) -> Seal | None:
    """Return the last confirmation, sample or full."""
    seals = [seal for seal in (ledger.latest_seal(engagement, "sample"), ledger.latest_seal(engagement, "full")) if seal]
    return max(seals, key=lambda seal: seal.seal_no, default=None)


def _account(project: Project) -> str:
    node = project.engagement.node.account
    return f"{project.engagement.destination}:{node.name}"


def remember_users(project: Project, users: Iterable[str]) -> None:
    """Keep which users the destination has, by e-mail address."""
    files.write_bytes(_users_path(project), orjson.dumps(sorted(users)))


def seen_users(project: Project) -> tuple[str, ...]:
    """Return the destination's users as the last run saw them."""
    path = _users_path(project)
    return tuple(orjson.loads(path.read_bytes())) if path.exists() else ()


def remember_left_over(project: Project, phase: str, records: Mapping[str, str]) -> None:
    """Keep which records of ours (key -> destination id) the destination lists that no row wants any more."""
    files.write_bytes(_left_over_path(project, phase), orjson.dumps(dict(records), option=orjson.OPT_SORT_KEYS))


def left_over(project: Project, phase: str) -> dict[str, str]:
    """Return the records of ours that no row wants any more, as the last gate found them: their rows were merged into others since."""
    path = _left_over_path(project, phase)
    found: dict[str, str] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return found


def _left_over_path(project: Project, phase: str) -> Path:
    return project.engagement.work / "seen" / f"{phase}.left_over.json"


def _users_path(project: Project) -> Path:
    return project.engagement.work / "seen" / "users.json"


def _pairs_path(project: Project, phase: str) -> Path:
    return project.engagement.work / "seen" / f"{phase}.json"


def seen_pairs(project: Project, phase: str) -> set[str]:
    """Return the pairs that the destination's own list has shown."""
    path = _pairs_path(project, phase)
    return set(orjson.loads(path.read_bytes())) if path.exists() else set()

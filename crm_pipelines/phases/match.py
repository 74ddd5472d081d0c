"""Match desired records with what the destination already holds, before any is created.

Belongs here: phases that only match (users), and the adoption of existing records under the spec's `existing` policy. Not here: records
of ours (the ledger knows them).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.phases import accounts
from crm_pipelines.phases.resolve.columns import casefolded
from crm_pipelines.phases.session import Session

ADOPT_WAVE = 100
FRESH_S = 120.0  # people enter records while a migration runs: what a prediction read earlier is read again


def match_only(session: Session, phase: str, desired: pl.DataFrame) -> None:
    """Adopt the destination's users for the desired ones; hold the others in the owner queue.

    Where the client decided so, records of an unmatched owner arrive under the declared replacement.
    Raises: SettingsError when that replacement is no user.
    """
    users = session.described().users
    accounts.remember_users(session.project, users)
    fallback = replacement(session, phase)
    adopt: list[tuple[str, str, str, str]] = []
    hold: list[dict[str, str]] = []
    for key, digest, payload in desired.select("key", "hash", "payload").iter_rows():
        user = users.get(key.casefold()) or fallback
        if user is None:
            hold.append({"key": key, "queue": "owner", "reason": "no_user", "hash": digest, "state": "waiting"})
        else:
            adopt.append((key, digest, payload, user))
    adopt_all(session, phase, adopt)
    if hold:
        session.ledger.hold(session.account, session.engagement, phase, session.pass_no, session.fence, pl.DataFrame(hold))


def replacement(session: Session, phase: str) -> str | None:
    """Return the user who stands in for unmatched owners, if the client decided so. Raises: SettingsError when that is no user."""
    compiled = session.project.compiled.phases[phase]
    if compiled.unmatched != "replace":
        return None
    user = session.described().users.get((compiled.replacement or "").casefold())
    if user is None:
        where = session.project.engagement.decisions_path
        raise SettingsError(f"{where}: the default owner is no active user of the destination; name one that is, or create the user")
    return user


def adopt_all(session: Session, phase: str, rows: list[tuple[str, str, str, str]]) -> None:
    """Record (key, hash, payload, destination id) as adopted; nothing is sent."""
    known = session.ledger.records(session.account, session.engagement, phase, [row[0] for row in rows])
    applied = dict(known.select("key", pl.concat_str("applied_hash", "destination_id", separator="|")).iter_rows())
    fresh = [row for row in rows if applied.get(row[0]) != f"{row[1]}|{row[3]}"]
    journal = session.journal(phase)
    for start in range(0, len(fresh), ADOPT_WAVE):
        wave = fresh[start : start + ADOPT_WAVE]
        attempts = [Attempt(key, "update", digest, payload.encode(), key, 0, user) for key, digest, payload, user in wave]
        ids = journal.sending(attempts, None)
        journal.answered([Outcome(n, row[0], "adopted", row[3]) for n, row in zip(ids, wave, strict=True)])


def adopt_existing(session: Session, phase: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Turn creates whose match value the destination already holds into adoptions.

    One match: the record is adopted and brought to the spec's policy (`fill_empty`, `overwrite`, `leave`). Several: queue `conflict`.
    Shape: the same rows; `decision` of matched ones becomes `adopt` or `waiting`, `destination_id` and `base` are set.
    """
    compiled = session.project.compiled.phases[phase]
    frame = frame.with_columns(base=pl.lit(None, dtype=pl.String))
    if not compiled.match or frame.filter(pl.col("decision") == "create").is_empty():
        return frame
    return adopted(frame, existing_of(session, phase), compiled.match)


def adopted(frame: pl.DataFrame, existing: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """Turn creates whose match value is among the existing records into adoptions, or into `waiting` where several match."""
    if existing.is_empty():
        return frame
    found = (
        existing.group_by("match")
        .agg(pl.col("destination_id").n_unique().alias("n"), pl.col("destination_id").first(), pl.col("payload").first())
        .rename({"destination_id": "found_id", "payload": "found_payload"})
    )
    frame = frame.with_columns(match=_match_value(fields))
    joined = frame.join(found, on="match", how="left", maintain_order="left")
    is_match = (pl.col("decision") == "create") & pl.col("n").is_not_null()
    doubt = is_match & (pl.col("n") > 1)
    return joined.with_columns(
        decision=pl.when(doubt).then(pl.lit("waiting")).when(is_match).then(pl.lit("adopt")).otherwise("decision"),
        queue=pl.when(doubt).then(pl.lit("conflict")).otherwise("queue"),
        reason=pl.when(doubt).then(pl.lit("several_existing")).otherwise("reason"),
        destination_id=pl.when(is_match & ~doubt).then("found_id").otherwise("destination_id"),
        base=pl.when(is_match & ~doubt).then("found_payload").otherwise("base"),
    ).drop("n", "found_id", "found_payload", "match")


def _match_value(fields: Sequence[str]) -> pl.Expr:
    """Return what the first match field that a payload has is compared by (keys.match_value); the first entry where it holds several."""
    payload = pl.col("payload")
    paths = [path for name in fields for path in (f"$.{name}[0]", f"$.{name}")]
    value = pl.coalesce([payload.str.json_path_match(path) for path in paths])
    return pl.when(value.str.contains("@", literal=True)).then(value.str.to_lowercase()).otherwise(casefolded(value))


def existing_of(session: Session, phase: str) -> pl.DataFrame:
    """Return the records that are not ours, read once for a load; what the prediction read serves while it is fresh."""
    if phase not in session.matched:
        read_s, found = session.foreseen.get(phase, (float("-inf"), None))
        is_fresh = found is not None and time.monotonic() - read_s < FRESH_S
        session.matched[phase] = found if found is not None and is_fresh else session.destination.existing(phase, session.journal(phase))
    return session.matched[phase]


def foresee_existing(session: Session, phase: str) -> pl.DataFrame:
    """Return the records that are not ours as they are now, for a prediction."""
    read_s, found = session.foreseen.get(phase, (float("-inf"), None))
    if found is None or time.monotonic() - read_s >= FRESH_S:
        found = session.destination.existing(phase, session.journal(phase))
        session.foreseen[phase] = (time.monotonic(), found)
    return found

"""What a load will come to, before anything is sent: the state of every wanted record and the bucket of every source row.

Belongs here: the prediction from desired records, the ledger and what the destination holds now. Not here: what it costs (phases.plan),
keeping it and holding it against what came (phases.predicted), loading (phases.load).

What only shows while loading is not foreseen: refusals by the vendor, and what people change in the destination meanwhile. A record that
was refused or met a conflict before is expected to do so again as long as its payload is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from crm_pipelines.phases import accounts, carry, match, queues_conflicts, update
from crm_pipelines.phases.classify import classify
from crm_pipelines.phases.session import Session

OFFLINE = "What the destination holds already was not read: records that are there count as created."
STATES_SCHEMA = {"key": pl.String(), "decision": pl.String(), "state": pl.String(), "queue": pl.String(), "reason": pl.String()}
SENT = ("create", "update")


@dataclass(frozen=True)
class PhasePrediction:
    """What becomes of the wanted records of one phase."""

    phase: str
    states: pl.DataFrame
    """[key, decision, state, queue, reason], one row per record: what is to be sent for it, and where it ends."""
    listed: int = 0
    """Records of others that the destination listed for matching."""
    is_matched: bool = False
    """Whether existing records are read for matching when it is loaded."""

    def counts(self, column: str = "state") -> dict[str, int]:
        """Return records by state, or by what is to be done about them."""
        return dict(self.states.group_by(column).len().sort(column).iter_rows())


@dataclass(frozen=True)
class Prediction:
    """What a load will come to."""

    phases: Mapping[str, PhasePrediction]
    is_offline: bool
    is_sample: bool = False
    """True when only the records of a sealed sample are foreseen."""
    notes: tuple[str, ...] = ()

    def by_phase(self) -> dict[str, dict[str, int]]:
        """Return phase -> state -> records."""
        return {name: one.counts() for name, one in self.phases.items()}

    def of_sample(self, keys: Mapping[str, Sequence[str]]) -> Prediction:
        """Return the part that a sealed sample lets through; its parents are in it, so that nothing in it changes."""
        chosen = {name: one.states.filter(pl.col("key").is_in(list(keys.get(name, ())))) for name, one in self.phases.items()}
        phases = {name: replace(one, states=chosen[name]) for name, one in self.phases.items()}
        return replace(self, phases=phases, is_sample=True)


def predict(session: Session, *, is_offline: bool = False) -> Prediction:
    """Foresee every record; sends nothing but the reads of `describe` and of existing records, and those not where `is_offline`.

    Raises: SettingsError where loading would, e.g. when the default owner is no user.
    """
    phases: dict[str, PhasePrediction] = {}
    for phase in session.project.phases:
        phases[phase] = _phase(session, phase, phases, is_offline=is_offline)
    return Prediction(phases, is_offline, notes=(*((OFFLINE,) if is_offline else ()), *session.notes))


def predicted_rows(session: Session, prediction: Prediction) -> list[dict[str, Any]]:
    """Return, per file, its rows by foreseen bucket. Shape: chunk, file, object, phase, physical_rows, buckets."""
    project, out = session.project, []
    for phase in project.phases:
        for name in project.compiled.phases[phase].home_of:
            frame = accounts.rows_by_fate(project, name, lambda into: prediction.phases[into].states)
            counts: dict[str, dict[str, int]] = {key: {} for key in project.object_chunks(name)}
            for chunk, bucket, rows in frame.group_by("chunk", "bucket").len().sort("chunk", "bucket").iter_rows():
                counts.setdefault(chunk, {})[bucket] = rows
            for key in project.object_chunks(name):
                chunk = project.chunk(key)
                told = {"chunk": key, "file": chunk.file_name, "object": name, "phase": phase, "physical_rows": chunk.physical_rows}
                out.append({**told, "buckets": counts[key]})
    return out


def predicted_chunks(session: Session, phase: str, one: PhasePrediction) -> dict[str, dict[str, dict[str, int]]]:
    """Return, per chunk, the records it contributed to by state, and those that its partition sends by operation.

    Shape: a record that two chunks contributed to counts in both; it is sent with the first of them that is loaded.
    """
    order = {key: number for number, key in enumerate(session.project.phase_chunks(phase))}
    contributed = session.project.mapped(phase, "key", "contributors").join(one.states, on="key", how="inner").explode("contributors")
    out: dict[str, dict[str, dict[str, int]]] = {key: {"records": {}, "sends": {}} for key in order}
    for chunk, state, records in contributed.group_by("contributors", "state").len().sort("contributors", "state").iter_rows():
        out.setdefault(chunk, {"records": {}, "sends": {}})["records"][state] = records
    sent = contributed.filter(pl.col("decision").is_in(SENT)).with_columns(at=pl.col("contributors").replace_strict(order, default=0))
    first = sent.sort("at").unique("key", keep="first")
    for chunk, decision, records in first.group_by("contributors", "decision").len().sort("contributors", "decision").iter_rows():
        out.setdefault(chunk, {"records": {}, "sends": {}})["sends"][decision] = records
    return out


def _phase(session: Session, phase: str, before: Mapping[str, PhasePrediction], *, is_offline: bool) -> PhasePrediction:
    desired = session.project.mapped(phase)
    compiled = session.project.compiled.phases[phase]
    if compiled.create == "never":
        return PhasePrediction(phase, _matched_only(session, phase, desired))
    if compiled.pairs:
        return PhasePrediction(phase, _pairs(desired, before))
    records = carry.foreseen(session.ledger.records(session.account, session.engagement, phase), carry.moving(session, phase))
    frame = classify(desired, records, _parents(session, compiled.links, before))
    frame = frame.with_columns(base=pl.lit(None, dtype=pl.String))
    is_matched = bool(compiled.match) and not frame.filter(pl.col("decision") == "create").is_empty()
    listed = 0
    if is_matched and not is_offline:
        existing = match.foresee_existing(session, phase)
        listed = existing.get_column("destination_id").n_unique()
        frame = match.adopted(frame, existing, compiled.match)
    return PhasePrediction(phase, _states(session, phase, frame, records), listed, is_matched)


def _matched_only(session: Session, phase: str, desired: pl.DataFrame) -> pl.DataFrame:
    users, fallback = session.described().users, match.replacement(session, phase)
    has_user = [fallback is not None or key.casefold() in users for key in desired.get_column("key")]
    there = pl.Series("there", has_user, dtype=pl.Boolean)
    return (
        desired.select("key")
        .with_columns(there)
        .select(
            "key",
            decision=pl.when("there").then(pl.lit("unchanged")).otherwise(pl.lit("waiting")),
            state=pl.when("there").then(pl.lit("unchanged")).otherwise(pl.lit("waiting")),
            queue=pl.when(~pl.col("there")).then(pl.lit("owner")),
            reason=pl.when(~pl.col("there")).then(pl.lit("no_user")),
        )
    )


def _pairs(pairs: pl.DataFrame, before: Mapping[str, PhasePrediction]) -> pl.DataFrame:
    """Return the states of pairs: that of their record, with which they travel."""
    known = [
        before[of].states.select(of=pl.lit(of), record="key", decision="decision", state="state") for of in before if of in _ofs(pairs)
    ]
    if not known:
        return pl.DataFrame(schema=STATES_SCHEMA)
    joined = pairs.select("key", "of", "record").join(pl.concat(known), on=["of", "record"], how="left", maintain_order="left")
    held = pl.col("state").is_in(["waiting", "refused"])
    return joined.select(
        "key",
        "decision",
        "state",
        queue=pl.when(held).then(pl.lit("parent")),
        reason=pl.when(held).then(pl.lit("parent_waits")),
    )


def _ofs(pairs: pl.DataFrame) -> set[str]:
    return set(pairs.get_column("of").unique())


def _parents(session: Session, links: Mapping[str, str], before: Mapping[str, PhasePrediction]) -> dict[str, pl.DataFrame]:
    """Return per link column what its parents will be: an id where there is one, the key where there will be one, else why they wait."""
    out: dict[str, pl.DataFrame] = {}
    for name, phase in links.items():
        ids = session.ledger.ids(session.account, session.engagement, phase)
        ids |= {key: ids[was] for key, was in carry.moving(session, phase).items()}
        known = pl.DataFrame({"key": list(ids), "id": list(ids.values())}, schema={"key": pl.String, "id": pl.String})
        states = before[phase].states if phase in before else pl.DataFrame(schema=STATES_SCHEMA)
        is_there = pl.col("state").is_in(["created", "updated", "unchanged", "unknown"])
        is_owner = session.project.compiled.phases[phase].create == "never"
        joined = states.join(known, on="key", how="full", coalesce=True)
        out[f"link_{name}"] = joined.select(
            "key",
            parent_id=pl.coalesce("id", pl.when(is_there).then("key")),
            parent_queue=pl.col("queue") if is_owner else pl.lit("parent"),
            parent_reason=pl.col("reason") if is_owner else pl.lit(f"parent_{phase}"),
        )
    return out


def _states(session: Session, phase: str, frame: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Return what each classified record will be sent as, and where it ends."""
    pass_no = _pass_no(session)
    known = records.select("key", "outcome", "outcome_pass", "held_queue", "held_pass")
    frame = frame.join(known, on="key", how="left", maintain_order="left")
    idle = update.without_changes(session, phase, frame.filter(pl.col("decision") == "update"))
    same_payload = (pl.col("held_hash") == pl.col("hash")).fill_null(value=False)
    refused = same_payload & (pl.col("held_state") == "refused")
    in_conflict = same_payload & (pl.col("held_state") == "waiting") & (pl.col("held_queue") == "conflict")
    is_answered = pl.col("key").is_in(list(queues_conflicts.settled(session.project, phase)))
    met = in_conflict & (pl.col("held_reason") != "several_existing") & (pl.col("decision") == "update") & ~is_answered
    open_keys = [a.attempt.key for a in session.ledger.open_attempts(session.account, session.engagement) if a.phase == phase]
    done_now = (pl.col("outcome_pass") == pass_no).fill_null(value=False) & pl.col("outcome").is_in(["created", "updated"])
    state = (
        pl.when(pl.col("key").is_in(open_keys))
        .then(pl.lit("unknown"))
        .when(pl.col("decision") == "unchanged")
        .then(pl.when(done_now).then("outcome").otherwise(pl.lit("unchanged")))
        .when(pl.col("decision") == "waiting")
        .then(pl.lit("waiting"))
        .when(refused)
        .then(pl.lit("refused"))
        .when(met)
        .then(pl.lit("waiting"))
        .when(pl.col("decision") == "create")
        .then(pl.lit("created"))
        .when(pl.col("key").is_in(idle))
        .then(pl.lit("unchanged"))
        .otherwise(pl.lit("updated"))
    )
    held = pl.col("state").is_in(["waiting", "refused"])
    return (
        frame.with_columns(state=state)
        .with_columns(decision=pl.when(pl.col("decision") == "adopt").then(pl.lit("update")).otherwise("decision"))
        .select(
            "key",
            decision=pl.when((pl.col("decision") == "update") & ~pl.col("state").is_in(["updated", "unknown"]))
            .then(pl.lit("unchanged"))
            .otherwise("decision"),
            state="state",
            queue=pl.when(held).then(pl.coalesce("queue", pl.when(in_conflict).then("held_queue"))),
            reason=pl.when(held).then(pl.coalesce("reason", pl.when(refused | in_conflict).then("held_reason"))),
        )
    )


def _pass_no(session: Session) -> int:
    """Return the pass that a load would be part of: the open one, else the next."""
    now = session.ledger.current_pass(session.engagement, session.account)
    return now.pass_no if now else 0

"""What was foreseen of a load, kept before its first record, and held against what came of it.

Belongs here: keeping a prediction, comparing it record by record, and what explains a difference. Not here: foreseeing (phases.predict),
counting what came (phases.accounts), how it looks (reports).

A difference is explained only by what the run itself recorded and no prediction could know: the vendor refused the record, a conflict
with what people entered was met, a record was taken that was refused before, a parent's fate was so explained. Everything else is a
defect, of the prediction or of the load, and is called one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts, files
from crm_pipelines.phases.predict import Prediction, predict, predicted_rows
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import row_account
from crm_pipelines.phases.session import Session, pass_number

PRESENT = ("created", "updated", "unchanged")
CAME = {
    "created": "created",
    "updated": "updated",
    "unchanged": "unchanged",
    "waiting": "waiting",
    "refused": "refused",
    "pending": "not sent",
    "unknown": "without an answer",
}
REFUSED, TAKEN = "refused by the vendor", "refused before, and taken this time"
CONFLICT, SETTLED = "a conflict found while loading", "in conflict before, and settled in the destination since"
AS_WANTED = "it already held what it should when its turn came"
LABELLED = "labels that somebody took off were attached again"
FOLLOWS = "it follows the record it belongs to"


@dataclass(frozen=True)
class _Moved:
    """The records of a phase that came otherwise than foreseen."""

    excused: set[str]
    """Those that the run recorded a cause of."""
    every: set[str]


@dataclass
class Comparison:
    """What was foreseen against what came, in counts and sentences; no field values, no keys."""

    is_sample: bool
    phases: list[dict[str, Any]] = field(default_factory=list)
    """Per phase: phase, predicted, actual (records by state), is_judged (False: not finished yet, and not compared), is_reached (False:
    behind a gate that is shut)."""
    files: list[dict[str, Any]] = field(default_factory=list)
    """Per file: file, object, phase, predicted, actual (rows by bucket); empty for a sample."""
    differences: list[str] = field(default_factory=list)
    """What nothing explains: a defect each."""
    explained: list[str] = field(default_factory=list)
    """Differences that the run itself recorded the cause of."""


def remember(session: Session) -> Prediction | None:
    """Keep what a load of what is sealed will come to, unless that is kept already; return what was foreseen of everything.

    Kept per pass, wanted records and seal: what a killed run leaves is held against what was foreseen before its first record.
    """
    folder = _folder(session.project, session.pass_no)
    scope = _scope(session.ledger, session.engagement)
    digest = _digest(session.project, scope)
    kept = _kept(session.project, session.pass_no)
    if kept is not None and kept["digest"] == digest:
        return None
    everything = predict(session)
    prediction = everything if scope is None else everything.of_sample(scope)
    place = folder / f"{1 + (kept['number'] if kept else 0):04}"
    for name, one in prediction.phases.items():
        files.write_frame(place / f"{name}.parquet", one.states)
    rows = [] if prediction.is_sample else predicted_rows(session, prediction)
    gates = {phase: _judged(session.ledger, session.engagement, session.pass_no, phase) for phase in session.project.phases}
    told = {"digest": digest, "number": int(place.name), "is_sample": prediction.is_sample, "files": rows, "gates": gates}
    files.write_bytes(place / "prediction.json", orjson.dumps(told))
    return everything


def compare(project: Project, ledger: Ledger) -> Comparison | None:
    """Hold what came in the current pass against what was foreseen; None before anything was, or when what is wanted changed since."""
    pass_no = pass_number(ledger, project.engagement.name)
    kept = _kept(project, pass_no)
    if kept is None:
        return None
    seal = accounts.newest_seal(ledger, project.engagement.name)
    scopes = [None if not kept["is_sample"] else seal.content["sample"]] if seal and (seal.kind == "sample") == kept["is_sample"] else []
    if kept["digest"] not in {_digest(project, scope) for scope in scopes}:
        return None
    found = Comparison(kept["is_sample"])
    place = _folder(project, pass_no) / f"{kept['number']:04}"
    moved: dict[str, _Moved] = {}
    is_reached = True  # what lies behind a shut gate was not tried, and cannot have come
    for phase in project.phases:
        states = files.read_frame(place / f"{phase}.parquet")
        judged = _judged(ledger, project.engagement.name, pass_no, phase)
        is_anew = judged != kept.get("gates", {}).get(phase)  # a gate of before judged another map's records
        is_judged = is_reached and judged is not None and is_anew
        moved[phase] = _compare_phase(project, ledger, pass_no, phase, states, moved, found, is_judged=is_judged)
        found.phases[-1]["is_reached"] = is_reached
        is_reached = is_reached and not _is_shut(ledger, project.engagement.name, pass_no, phase)
    _compare_files(project, ledger, kept["files"], found)
    return found


def _compare_phase(  # noqa: PLR0917 - where, what was foreseen, and what is known of the parents
    project: Project,
    ledger: Ledger,
    pass_no: int,
    phase: str,
    foreseen: pl.DataFrame,
    moved: Mapping[str, _Moved],
    found: Comparison,
    *,
    is_judged: bool,
) -> _Moved:
    """Add one phase to the comparison; return the records that came otherwise than foreseen."""
    actual = accounts.phase_states(project, ledger, phase).join(foreseen.select("key"), on="key", how="semi")
    told = {"phase": phase, "predicted": _counts(foreseen), "actual": _counts(actual), "is_judged": is_judged}
    found.phases.append(told)
    if not is_judged:
        return _Moved(set(), set())
    renamed = foreseen.select("key", was="state", was_queue="queue")
    differing = renamed.join(actual, on="key", how="left").with_columns(pl.col("state").fill_null("pending"))
    differing = differing.filter(pl.col("was") != pl.col("state"))
    if differing.is_empty():
        return _Moved(set(), set())
    differing = _with_causes(project, ledger, pass_no, phase, differing, moved)
    for is_explained, lines in ((False, found.differences), (True, found.explained)):
        part = differing.filter(pl.col("why").is_not_null() == is_explained)
        if part.height:
            lines.append(_sentence(phase, told, part))
    return _Moved(set(differing.filter(pl.col("why").is_not_null()).get_column("key")), set(differing.get_column("key")))


def _with_causes(  # noqa: PLR0917 - as above
    project: Project, ledger: Ledger, pass_no: int, phase: str, differing: pl.DataFrame, moved: Mapping[str, _Moved]
) -> pl.DataFrame:
    """Add `why`: what the run itself recorded as the cause; null where it recorded none."""
    name, account = project.engagement.name, f"{project.engagement.destination}:{project.engagement.node.account.name}"
    records = ledger.records(account, name, phase, differing.get_column("key").to_list()).select("key", "outcome", "outcome_pass")
    frame = differing.join(records, on="key", how="left").with_columns(follows=_follows(project, phase, differing, moved))
    state, was, came = pl.col("state"), pl.col("was"), pl.col("state").is_in(PRESENT)
    found_same = (pl.col("outcome") == "adopted") & (pl.col("outcome_pass") == pass_no) & (state == "unchanged") & was.is_in(PRESENT)
    has_labels = any(phase in one.pairs for one in project.compiled.phases.values())  # an unchanged record is sent by nothing else
    why = (
        pl.when("follows")
        .then(pl.lit(FOLLOWS))
        .when(state == "refused")
        .then(pl.lit(REFUSED))
        .when((state == "waiting") & (pl.col("queue") == "conflict"))
        .then(pl.lit(CONFLICT))
        .when(came & (was == "refused"))
        .then(pl.lit(TAKEN))
        .when(came & (was == "waiting") & (pl.col("was_queue") == "conflict"))
        .then(pl.lit(SETTLED))
        .when(pl.lit(has_labels) & (was == "unchanged") & (state == "updated"))
        .then(pl.lit(LABELLED))
        .when(found_same.fill_null(value=False))
        .then(pl.lit(AS_WANTED))
    )
    return frame.with_columns(why=why)


def _follows(project: Project, phase: str, differing: pl.DataFrame, moved: Mapping[str, _Moved]) -> pl.Series:
    """Say which records hang on one whose own difference is explained; of pairs, those whose record came otherwise: it is told there."""
    compiled, keys = project.compiled.phases[phase], differing.get_column("key")
    if compiled.pairs:
        pairs = project.mapped(phase, "key", "of", "record").join(differing.select("key"), on="key", how="semi")
        return keys.is_in([key for key, of, record in pairs.iter_rows() if of in moved and record in moved[of].every])
    links = {f"link_{name}": parent for name, parent in compiled.links.items() if parent in moved}
    frame = project.mapped(phase, "key", *links).join(differing.select("key"), on="key", how="semi")
    hanging = {key for key, *to in frame.iter_rows() if any(k in moved[p].excused for k, p in zip(to, links.values(), strict=True))}
    waits = ((pl.col("queue") == "parent") | (pl.col("was_queue") == "parent")).fill_null(value=False)
    is_waiting = differing.select(waits).to_series()
    return keys.is_in(list(hanging)) & is_waiting


def _sentence(phase: str, told: Mapping[str, Any], part: pl.DataFrame) -> str:
    """Return `people: predicted 2,468 created, 2,467 came; 1 waiting: why`."""
    states = part.get_column("was").unique().sort()
    expected = ", ".join(f"{told['predicted'].get(s, 0):,} {CAME[s]}, {told['actual'].get(s, 0):,} came" for s in states)
    moved = part.group_by("was", "state", "queue", "why").len().sort("len", "was", "state", "queue", "why", descending=True)
    parts = []
    for was, state, queue, why, count in moved.iter_rows():
        where = f" in queue {queue}" if state == "waiting" and queue else ""
        parts.append(f"{count:,} of the {CAME[was]} {'is' if count == 1 else 'are'} {CAME[state]}{where}" + (f": {why}" if why else ""))
    return f"{phase}: predicted {expected}; {'; '.join(parts)}"


def _compare_files(project: Project, ledger: Ledger, foreseen: list[dict[str, Any]], found: Comparison) -> None:
    """Add rows by bucket per file; where records came as foreseen and rows did not, that is a difference of its own."""
    judged = {one["phase"] for one in found.phases if one["is_judged"]}
    actual = {
        row["chunk"]: row["buckets"]
        for phase in dict.fromkeys(row["phase"] for row in foreseen)
        for row in row_account(project, ledger, phase)
    }
    is_whole = judged == {one["phase"] for one in found.phases}
    for row in foreseen:
        came = actual.get(row["chunk"], {})
        found.files.append({name: row[name] for name in ("file", "object", "phase")} | {"predicted": row["buckets"], "actual": came})
        if is_whole and came != row["buckets"] and not (found.differences or found.explained):
            found.differences.append(f"{row['file']}: rows predicted {_spelled(row['buckets'])}, came {_spelled(came)}")


def _spelled(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))


def _counts(frame: pl.DataFrame) -> dict[str, int]:
    return dict(frame.group_by("state").len().sort("state").iter_rows())


def _judged(ledger: Ledger, engagement: str, pass_no: int, phase: str) -> str | None:
    """Return when a phase was judged last in this pass; None when it was not."""
    gate = ledger.gate(engagement, pass_no, phase)
    return None if gate is None or gate.judged_utc is None else gate.judged_utc.isoformat()


def _is_shut(ledger: Ledger, engagement: str, pass_no: int, phase: str) -> bool:
    gate = ledger.gate(engagement, pass_no, phase)
    return gate is not None and not gate.is_open


def _scope(ledger: Ledger, engagement: str) -> Mapping[str, list[str]] | None:
    seal = accounts.newest_seal(ledger, engagement)
    return seal.content["sample"] if seal is not None and seal.kind == "sample" else None


def _digest(project: Project, scope: Mapping[str, list[str]] | None) -> str:
    """Return what names the wanted records and what of them is sealed."""
    told: dict[str, Any] = {"scope": scope}
    for phase in project.phases:
        if not project.compiled.phases[phase].pairs:
            frame = project.mapped(phase, "key", "hash", "queue", "reason")
            told[phase] = [frame.height, str(frame.hash_rows(seed=0).sum())]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _kept(project: Project, pass_no: int) -> dict[str, Any] | None:
    """Return the newest prediction of a pass."""
    found = sorted(_folder(project, pass_no).glob("*/prediction.json"))
    if not found:
        return None
    told: dict[str, Any] = orjson.loads(found[-1].read_bytes())
    return told


def _folder(project: Project, pass_no: int) -> Path:
    return project.engagement.work / "predicted" / f"{pass_no:04}"

"""The gate of a phase, and the account of a whole engagement.

Belongs here: the verdict: both accounts add up, the destination's own list agrees, money agrees, expectations hold. Not here: the counting
itself (phases.accounts), how it is shown (reports).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

import polars as pl

from crm_pipelines.errors import SettingsError
from crm_pipelines.ledger import Gate as StoredGate
from crm_pipelines.ledger import Ledger
from crm_pipelines.observe import failpoint
from crm_pipelines.phases import accounts
from crm_pipelines.phases.columns import column_account
from crm_pipelines.phases.expectations import exceeded, held_digest
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_correct import corrected_rows
from crm_pipelines.phases.session import Session, pass_number
from crm_pipelines.phases.stage import read_sidecar

REFUSED = "refused"
PRESENT = ("created", "updated", "unchanged")
NOTHING = (0, Decimal(0))
NAMED = 10
"""Places of unread rows that a report names one by one."""
SAME_AMOUNT = 0.00005  # half of the smallest unit that the sums tell apart


@dataclass
class Gate:
    """The verdict on one phase."""

    phase: str
    passed: bool = False
    accepted: str | None = None
    """Who accepted what the expectations forbid, and why; not part of what is stored as judged."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Per file of the phase's home objects: file, object, physical_rows, buckets, adds_up."""
    records: dict[str, int] = field(default_factory=dict)
    """Wanted records by state."""
    wanted: int = 0
    destination_count: int | None = None
    """Records of ours in the destination's own list; None where the phase makes none."""
    missing: int = 0
    unexpected: int = 0
    duplicates: int = 0
    money: list[dict[str, Any]] = field(default_factory=list)
    """Per currency and status: wanted and found count and sum."""
    reasons: list[str] = field(default_factory=list)
    """Why the gate is shut; empty when it passed."""
    exceeded: list[str] = field(default_factory=list)
    """Expectations above their limit, and what people changed or deleted in the destination since; only these can be accepted."""
    held: str = ""
    """Digest of the records that wait or were refused: an acceptance holds for these, not for as many others."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def gate(session: Session, phase: str) -> Gate:
    """Decide whether the next phase may start, from the ledger, the files and the destination's own list; record the verdict."""
    project, ledger = session.project, session.ledger
    verdict = Gate(phase)
    scope = accounts.sealed_keys(session, phase)
    states = accounts.phase_states(project, ledger, phase)
    if scope is not None:
        states = states.filter(pl.col("key").is_in(scope))
    verdict.wanted = states.height
    verdict.records = dict(states.group_by("state").len().iter_rows())
    verdict.held = held_digest(ledger, states)
    if scope is None:
        verdict.rows = row_account(project, ledger, phase)
    _judge_accounts(verdict)
    compiled = project.compiled.phases[phase]
    if compiled.create != "never" and not compiled.pairs:
        _judge_list(session, verdict, states)
    elif compiled.pairs:
        verdict.destination_count = len(accounts.seen_pairs(project, phase))
    failpoint("gate")
    _judge_expectations(project, verdict, is_sample=scope is not None)
    detail = {**verdict.as_dict(), "scope": "sample" if scope is not None else "full"}
    detail.pop("accepted")
    detail.pop("passed")
    ledger.record_gate(session.engagement, session.pass_no, phase, not verdict.reasons, detail)
    stored = ledger.gate(session.engagement, session.pass_no, phase)
    if stored is not None and not stored.is_open and verdict.reasons == verdict.exceeded:
        stored = _accepted_before(session, verdict, stored)
    if stored is not None and stored.accepted_by:
        verdict.accepted = f"{stored.accepted_by}: {stored.accepted_reason}"
    verdict.passed = stored is not None and stored.is_open
    return verdict


def _accepted_before(session: Session, verdict: Gate, stored: StoredGate) -> StoredGate:
    """Let an acceptance of the pass before hold when the very same records exceed the very same expectations."""
    before = session.ledger.gate(session.engagement, session.pass_no - 1, verdict.phase)
    if before is None or not before.accepted_by or before.accepted_reason is None:
        return stored
    if before.detail.get("exceeded") != verdict.exceeded or before.detail.get("held") != verdict.held:
        return stored
    session.ledger.accept_gate(session.engagement, verdict.phase, before.accepted_by, before.accepted_reason, is_carried=True)
    return session.ledger.gate(session.engagement, session.pass_no, verdict.phase) or stored


def row_account(project: Project, ledger: Ledger, phase: str) -> list[dict[str, Any]]:
    """Return, per file of the objects whose home is this phase, physical rows against buckets."""
    out = []
    for name in project.compiled.phases[phase].home_of:
        counts = accounts.bucket_counts(project, ledger, name)
        for key in project.object_chunks(name):
            chunk = project.chunk(key)
            buckets = counts[key]
            adds_up = sum(buckets.values()) == chunk.physical_rows
            out.append(
                {
                    "file": chunk.file_name,
                    "object": name,
                    "phase": phase,
                    "chunk": key,
                    "physical_rows": chunk.physical_rows,
                    "buckets": buckets,
                    "adds_up": adds_up,
                }
            )
    return out


def accept(project: Project, ledger: Ledger, phase: str, by: str, reason: str) -> None:
    """Let a phase pass above its expectations. Raises: SettingsError when the gate is shut for another reason, or is not shut."""
    name = project.engagement.name
    stored = ledger.gate(name, pass_number(ledger, name), phase)
    if stored is None:
        raise SettingsError(f"{name}: phase {phase} has no gate to accept yet; run: crm run {name}")
    if stored.is_open:
        raise SettingsError(f"{name}: the gate of {phase} is open already")
    if stored.detail["reasons"] != stored.detail["exceeded"]:
        rest = [r for r in stored.detail["reasons"] if r not in stored.detail["exceeded"]]
        raise SettingsError(f"{name}: the gate of {phase} cannot be accepted: {'; '.join(rest)}")
    ledger.accept_gate(name, phase, by, reason)


def _judge_accounts(verdict: Gate) -> None:
    if sum(verdict.records.values()) != verdict.wanted:
        verdict.reasons.append(f"records: states add up to {sum(verdict.records.values())}, wanted are {verdict.wanted}")
    for row in verdict.rows:
        if not row["adds_up"]:
            verdict.reasons.append(
                f"{row['file']}: buckets add up to {sum(row['buckets'].values())} of {row['physical_rows']} physical rows"
            )
    for state in ("pending", "unknown"):
        if verdict.records.get(state):
            verdict.reasons.append(f"{verdict.records[state]} records are {state}")


def _judge_list(session: Session, verdict: Gate, states: pl.DataFrame) -> None:
    listed = session.listing(verdict.phase)
    project = session.project
    ours = set(project.mapped(verdict.phase, "key").get_column("key"))
    wanted = states.filter(pl.col("state").is_in(PRESENT))
    expected = {key: (destination_id, state) for key, destination_id, state in wanted.select("key", "destination_id", "state").iter_rows()}
    known = set(states.filter(pl.col("destination_id").is_not_null()).get_column("key"))
    found: dict[str, list[str]] = {}
    for key, destination_id in listed.select("key", "destination_id").iter_rows():
        found.setdefault(key, []).append(destination_id)
    verdict.destination_count = listed.height
    missing = Counter(state for key, (number, state) in expected.items() if number not in found.get(key, ()))
    gone = missing.pop("unchanged", 0)
    verdict.missing = missing.total() + gone
    in_ledger = set(session.ledger.records(session.account, session.engagement, verdict.phase).get_column("key"))
    verdict.unexpected = sum(1 for key in found if key not in in_ledger and key not in ours)
    accounts.remember_left_over(project, verdict.phase, {key: ids[0] for key, ids in found.items() if key in in_ledger and key not in ours})
    verdict.duplicates = sum(len(ids) - 1 for ids in found.values())
    for count, what in ((missing.total(), "missing"), (verdict.unexpected, "unexpected"), (verdict.duplicates, "doubled")):
        if count:
            verdict.reasons.append(f"destination's list: {count} records {what}")
    if gone:
        verdict.exceeded.append(f"destination's list: {gone} records are gone since an earlier pass wrote or matched them")
    extra = sum(1 for key in found if key in ours and key not in known) if verdict.wanted == len(ours) else 0
    if extra:
        verdict.reasons.append(f"destination's list: {extra} records are there that the ledger does not show as applied")
    _judge_money(session, verdict, wanted, listed)


def _judge_money(session: Session, verdict: Gate, wanted: pl.DataFrame, listed: pl.DataFrame) -> None:
    desired = session.project.mapped(verdict.phase, "key", "amount", "currency", "status")
    if desired.get_column("amount").is_null().all():
        return
    desired = desired.filter(pl.col("amount").is_not_null()).join(wanted.select("key", "state"), on="key", how="inner")
    listed = listed.join(desired.select("key"), on="key", how="semi")
    want, have = _sums(desired), _sums(listed)
    edited = _edited_keys(desired, listed)
    strict_want, strict_have = (_sums(frame.filter(~pl.col("key").is_in(edited))) for frame in (desired, listed))
    for group in sorted({*want, *have}):
        (n, total), (m, found) = want.get(group, NOTHING), have.get(group, NOTHING)
        currency, status = group
        verdict.money.append(
            {
                "currency": currency,
                "status": status,
                "wanted": n,
                "wanted_sum": str(total),
                "found": m,
                "found_sum": str(found),
                "agrees": n == m and total == found,
            }
        )
        (n, total), (m, found) = strict_want.get(group, NOTHING), strict_have.get(group, NOTHING)
        if n != m or total != found:
            verdict.reasons.append(f"money {currency} {status}: wanted {n} records, found {m}; the sums differ or the counts do")
    if edited:
        verdict.exceeded.append(f"money: {len(edited)} records of earlier passes have another amount, currency or status now")


def _edited_keys(desired: pl.DataFrame, listed: pl.DataFrame) -> list[str]:
    """Return the records of earlier passes whose money is not as wanted: people change amounts and close deals, and updates spare that."""
    both = desired.filter(pl.col("state") != "created").join(listed.unique("key"), on="key", how="left", suffix="_now")
    differs = ((pl.col("amount") - pl.col("amount_now")).abs() > SAME_AMOUNT).fill_null(value=True)
    for name in ("currency", "status"):
        differs |= pl.col(name).fill_null("") != pl.col(f"{name}_now").fill_null("")
    return both.filter(differs).get_column("key").to_list()


def _sums(frame: pl.DataFrame) -> dict[tuple[str, str], tuple[int, Decimal]]:
    out: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for currency, status, amount in frame.select("currency", "status", "amount").iter_rows():
        count, total = out.get((currency or "", status or ""), NOTHING)
        value = Decimal(str(amount)) if amount is not None else Decimal(0)
        out[(currency or "", status or "")] = (count + 1, total + value)
    return {group: (count, total.quantize(Decimal("0.0001"))) for group, (count, total) in out.items()}


def _judge_expectations(project: Project, verdict: Gate, *, is_sample: bool) -> None:
    """Hold the counts against the spec's limits; of a sample only what was refused, for shares of fifty records say nothing."""
    compiled, buckets = project.compiled.phases[verdict.phase], _bucket_sum(verdict.rows)
    verdict.exceeded += [each.told() for each in exceeded(compiled, verdict.records, buckets, is_sample=is_sample)]
    verdict.reasons += verdict.exceeded


def _bucket_sum(rows: list[dict[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update(row["buckets"])
    return dict(total)


def summary(project: Project, ledger: Ledger) -> dict[str, Any]:
    """Return the account of a whole engagement: files, phases, queues, budget. Plain values, no field values."""
    files_account = [row for phase in project.phases for row in row_account(project, ledger, phase)]
    phases = []
    name = project.engagement.name
    pass_no = pass_number(ledger, name)
    for phase in project.phases:
        states = accounts.phase_states(project, ledger, phase)
        stored = ledger.gate(name, pass_no, phase)
        phases.append(
            {
                "phase": phase,
                "wanted": states.height,
                "records": dict(states.group_by("state").len().iter_rows()),
                "refused": dict(states.filter(pl.col("state") == REFUSED).group_by("reason").len().sort("reason").iter_rows()),
                "destination_count": stored.detail.get("destination_count") if stored else None,
                "money": stored.detail.get("money", []) if stored else [],
                "gate": _gate_word(stored),
                "reasons": stored.detail.get("reasons", []) if stored else [],
                "acceptable": stored is not None and not stored.is_open and stored.detail["reasons"] == stored.detail["exceeded"],
            }
        )
    files_account += schema_rows(project)
    return {
        "engagement": name,
        "route": project.engagement.node.route,
        "pass": pass_no,
        "files": files_account,
        "phases": phases,
        "columns": column_account(project),
        "set_aside": set_aside(project, ledger),
    }


def schema_rows(project: Project) -> list[dict[str, Any]]:
    """Return the row account of exports that describe others: their rows are folded into the destination's schema."""
    out = []
    for name in project.spec.schema_exports:
        for key in project.object_chunks(name):
            chunk = project.chunk(key)
            sidecar = read_sidecar(project.staged_folder, name, key)
            bad, blank = len(sidecar["bad_lines"]), sidecar["blank_rows"]
            buckets = {"folded": sidecar["good_rows"], **({"quarantined": bad} if bad else {}), **({"excluded": blank} if blank else {})}
            adds_up = sum(buckets.values()) == chunk.physical_rows
            out.append(
                {
                    "file": chunk.file_name,
                    "object": name,
                    "phase": "destination_schema",
                    "chunk": key,
                    "physical_rows": chunk.physical_rows,
                    "buckets": buckets,
                    "adds_up": adds_up,
                }
            )
    return out


def queue_rows(project: Project, ledger: Ledger) -> pl.DataFrame:
    """Return every source row that waits for a person, or whose record the destination refused.

    Shape: [object, file, row, key, queue, reason, waits_for]; rows that only wait for a parent have queue `parent`, refused ones have
    queue `refused`; `waits_for` is the owner that a row in queue `owner` waits for.
    """
    frames = []
    for phase in project.phases:
        for name in project.compiled.phases[phase].home_of:
            names = pl.DataFrame(
                [{"chunk": c.key, "file": c.file_name} for c in project.chunks() if c.object == name],
                schema={"chunk": pl.String, "file": pl.String},
            )
            waiting = accounts.row_buckets(project, ledger, name).filter(pl.col("bucket").is_in(["waiting", REFUSED]))
            waiting = waiting.with_columns(queue=pl.when(pl.col("bucket") == REFUSED).then(pl.lit(REFUSED)).otherwise("queue"))
            named = waiting.join(names, on="chunk", how="left").join(_owners(project, phase), on="into_key", how="left")
            waits_for = pl.when(pl.col("queue") == "owner").then("owner").alias("waits_for")
            frames.append(named.select(pl.lit(name).alias("object"), "file", "row", "key", "queue", "reason", waits_for))
    return pl.concat(frames) if frames else pl.DataFrame()


def _owners(project: Project, phase: str) -> pl.DataFrame:
    """Return the owner's key of every desired record of a phase."""
    compiled = project.compiled.phases
    links = [f"link_{name}" for name, parent in compiled[phase].links.items() if compiled[parent].create == "never"]
    if not links:
        return pl.DataFrame(schema={"into_key": pl.String, "owner": pl.String})
    return project.mapped(phase, "key", *links).select(into_key="key", owner=pl.coalesce(links))


def set_aside(project: Project, ledger: Ledger) -> list[dict[str, Any]]:
    """Return what was quarantined or left out on purpose, counted by file and reason.

    Shape: file, object, bucket (quarantined or excluded), reason, rows; of quarantined rows `lines` of the text file (as `12-14`),
    `sheet_rows` (where a spreadsheet shows them, the heading being row 1) and `line_count` (how many lines they span).
    """
    out: list[dict[str, Any]] = []
    for name in project.objects:
        if name in project.spec.schema_exports:
            continue
        frame = accounts.row_buckets(project, ledger, name).filter(pl.col("bucket").is_in(["quarantined", "excluded"]))
        counted = frame.group_by("chunk", "bucket", "reason", maintain_order=True).len().sort("chunk", "bucket", "reason")
        for key, bucket, reason, rows in counted.iter_rows():
            places = (
                _bad_places(project, name, key, reason) if bucket == "quarantined" else {"lines": "", "sheet_rows": "", "line_count": 0}
            )
            file = project.chunk(key).file_name
            out.append({"file": file, "object": name, "bucket": bucket, "reason": reason, "rows": rows, **places})
    return out


def _bad_places(project: Project, name: str, key: str, reason: str) -> dict[str, Any]:
    """Return where unread rows stand: lines of the text file, rows as a spreadsheet shows them, and how many lines they span."""
    back = {row for chunk, row in corrected_rows(project, name).iter_rows() if chunk == key}
    lines = read_sidecar(project.staged_folder, name, key)["bad_lines"]
    bad = [each for each in lines if each["reason"] == reason and each["row"] not in back]
    spans = [str(b["first_line"]) if b["first_line"] == b["last_line"] else f"{b['first_line']}-{b['last_line']}" for b in bad]
    rows = [str(sheet_row(b["row"])) for b in bad]
    count = sum(b["last_line"] - b["first_line"] + 1 for b in bad)
    return {"lines": _few(spans), "sheet_rows": _few(rows), "line_count": count}


def sheet_row(row: int) -> int:
    """Return the row under which a spreadsheet shows a row of an export: the heading is its first."""
    return row + 1


def export_row(shown: int) -> int:
    """Return the row of an export that a spreadsheet shows under this number."""
    return shown - 1


def _few(places: list[str]) -> str:
    return ", ".join(places[:NAMED]) + (", ..." if len(places) > NAMED else "")


def _gate_word(stored: Any) -> str:
    if stored is None:
        return "not run"
    if stored.accepted_by and not stored.passed:
        return "accepted"
    return "passed" if stored.passed else "shut"

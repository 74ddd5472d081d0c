"""Money from the exports to the destination, in a few lines: what came in, what was paid back, what is set aside, what stands there.

Belongs here: adding up. One end is counted from the registered bytes by code that shares nothing with the reader (sources.moneycount), the
other is the destination's own list as the gate read it; the map only tells which rows were set aside. Not here: judging a gate
(phases.reconcile), sentences (reports).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts, files
from crm_pipelines.phases.project import Chunk, Project
from crm_pipelines.phases.queues_correct import CORRECTED
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.resolve.events import REBILL, REFUNDS, SALE
from crm_pipelines.sources.moneycount import MoneyColumns, count_money

MONEY = pl.Decimal(38, 4)
RAW = pl.Schema({"row": pl.Int64(), "key": pl.String(), "word": pl.String(), "currency": pl.String(), "amount": MONEY})
PRESENT = ("created", "updated", "unchanged")
NOWHERE = ("quarantined", "excluded", "waiting", "refused", "pending", "unknown")
PAID, BACK = (SALE, REBILL), REFUNDS
OTHER = "other"
"""A row whose word the spec does not know, or that moves no money."""
WON, LOST = "won", "lost"


def money_bridge(project: Project, ledger: Ledger, phases: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one bridge per export that holds money and currency; empty while a gate of theirs has not looked at the destination.

    Shape: object, phases, currency, raw (kind, rows, sum, no_amount; sums as paid, paid back ones negative, each source key once), aside
    (bucket, reason, rows, sum, no_amount), by_decision, expected, found (records, sum), found_by (status, records, sum), memo (the same of
    what was paid back in full; None where there is none), difference (found less expected). Sums are decimal texts.
    """
    money = {one["phase"]: one["money"] for one in phases}
    gates = {one["phase"]: one["gate"] for one in phases}
    out: list[dict[str, Any]] = []
    for name, homes in _sources(project):
        if all(gates.get(phase) in ("passed", "accepted", "shut") and phase in money for phase in homes):
            rows = _placed(project, ledger, name, homes)
            listed = [one for phase in homes for one in money[phase]]
            out += _bridges(project, ledger, name, homes, rows, listed)
    return out


def _sources(project: Project) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the objects whose rows hold money, each with the phases of this engagement that receive it."""
    purchases, deals = project.spec.derive.purchases, project.spec.derive.deals
    if purchases is not None:
        homes = tuple(phase for phase in purchases.phases if phase in project.phases)
        yield purchases.payments, homes
    if deals is not None and deals.phase in project.phases:
        yield deals.from_, (deals.phase,)


def _columns(project: Project, name: str, homes: tuple[str, ...]) -> MoneyColumns | None:
    purchases = project.spec.derive.purchases
    if purchases is not None and name == purchases.payments:
        own = purchases.columns
        return MoneyColumns(own.id, own.amount, own.kind, own.currency)
    spec = project.spec.phases[homes[0]].money
    if spec is None:
        return None
    lineage = {
        field: [at.partition(".")[2] for at in told if at.startswith(f"{name}.")] for field, told in project.lineage(homes[0]).items()
    }
    amount, currency = (next(iter(lineage.get(field, [])), None) for field in (spec.amount, spec.currency))
    return MoneyColumns(project.source.objects[name].key, amount, None, currency) if amount else None


def _placed(project: Project, ledger: Ledger, name: str, homes: tuple[str, ...]) -> pl.DataFrame:
    """Return every source key once with its amount as exported last and where it ended.

    Shape: [key, word, currency, amount, bucket, reason]; rows without a key stand for themselves.
    """
    columns = _columns(project, name, homes)
    if columns is None or not project.object_chunks(name):
        return pl.DataFrame(schema={**RAW, "bucket": pl.String(), "reason": pl.String()})
    raw = pl.concat([_raw(project, project.chunk(key), columns, at) for at, key in enumerate(project.object_chunks(name))])
    ended = accounts.row_buckets(project, ledger, name).filter(pl.col("row").is_not_null())
    ended = _with_folded(project, ledger, ended).select("chunk", "row", "bucket", "reason")
    rows = raw.join(ended, on=["chunk", "row"], how="left")
    rows = rows.filter(~((pl.col("bucket") == "merged") & (pl.col("reason") == CORRECTED).fill_null(value=False)))
    bad = (pl.col("bucket") == "quarantined").fill_null(value=False)
    alone = pl.when(bad | (pl.col("key") == "")).then(pl.format("{}/{}", "chunk", "row")).otherwise("key")
    standing = pl.when(pl.col("bucket") != "merged").then("bucket").alias("bucket")
    reason = pl.when(pl.col("bucket") != "merged").then("reason").alias("reason")
    ordered = rows.with_columns(alone.alias("_one"), standing, reason).sort("exported_at", "at", "row")
    return ordered.group_by("_one", maintain_order=True).agg(
        pl.col("word", "currency", "amount").last(), pl.col("bucket", "reason").drop_nulls().last()
    )


def _with_folded(project: Project, ledger: Ledger, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows that became part of a record with that record's state: it may wait itself."""
    folded = pl.col("bucket") == "folded"
    homes = [p for p in rows.filter(folded)["into_phase"].drop_nulls().unique().to_list() if p in project.compiled.phases]
    known = [accounts.phase_states(project, ledger, p).select(into_phase=pl.lit(p), into_key="key", _s="state", _r="reason") for p in homes]
    if not known:
        return rows
    joined = rows.join(pl.concat(known), on=["into_phase", "into_key"], how="left")
    open_record = folded & ~pl.col("_s").is_in(PRESENT)
    return joined.with_columns(
        bucket=pl.when(open_record).then("_s").otherwise("bucket"), reason=pl.when(open_record).then("_r").otherwise("reason")
    )


def _raw(project: Project, chunk: Chunk, columns: MoneyColumns, at: int) -> pl.DataFrame:
    """Return the amounts of one registered file, counted once and kept: its bytes never change."""
    settings = project.read_settings(chunk.object, chunk.file_name)
    told = f"{chunk.sha256} {sorted(asdict(columns).items(), key=str)} {settings.encoding} {settings.decimal_locale}"
    path = project.engagement.work / "raw_money" / f"{chunk.key}.{hashlib.sha256(told.encode()).hexdigest()[:12]}.parquet"
    if not path.exists():
        contract = project.source.objects[chunk.object]
        counted = count_money(
            project.export_path(chunk), contract, columns, encoding=settings.encoding, is_comma=settings.decimal_locale == "eu"
        )
        files.write_frame(path, _frame(path, counted))
    frame = files.read_frame(path)
    return frame.with_columns(chunk=pl.lit(chunk.key), at=pl.lit(at), exported_at=pl.lit(chunk.exported_at))


def _frame(path: Path, counted: Iterator[Any]) -> pl.DataFrame:
    rows = [(one.row, one.key, one.word, one.currency, one.amount) for one in counted]
    return pl.DataFrame(rows, schema=RAW, orient="row")


def _bridges(  # noqa: PLR0917 - one place, and all of them are the bridge's ends
    project: Project, ledger: Ledger, name: str, homes: tuple[str, ...], rows: pl.DataFrame, listed: list[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    purchases = project.spec.derive.purchases
    is_paid = purchases is not None and name == purchases.payments
    kinds = {word.casefold(): str(kind) for word, kind in purchases.kinds.items()} if purchases is not None and is_paid else {}
    kind = pl.col("word").str.to_lowercase().replace_strict(kinds, default=OTHER, return_dtype=pl.String) if is_paid else pl.lit("deal")
    signed = pl.when(pl.col("kind").is_in(BACK)).then(-pl.col("amount").abs()).otherwise("amount")
    rows = rows.with_columns(kind=kind).with_columns(amount=signed)
    won, lost = _words(project, homes) if is_paid else (None, set())
    for currency in sorted({*rows["currency"].drop_nulls(), *(one["currency"] for one in listed)}):
        own = rows.filter(pl.col("currency") == currency)
        there = [one for one in listed if one["currency"] == currency]
        if own["amount"].is_not_null().any() or there:
            shortfall = _by_decision(project, ledger, homes, currency) if is_paid else Decimal(0)
            yield {"object": name, "phases": list(homes), "currency": currency} | _told(own, there, won, lost, shortfall)


def _told(rows: pl.DataFrame, there: list[Mapping[str, Any]], won: set[str] | None, lost: set[str], by_decision: Decimal) -> dict[str, Any]:
    counts = pl.col("kind").is_in([*PAID, *BACK, "deal"])
    set_aside = rows.filter(counts & pl.col("bucket").is_in(NOWHERE))
    memo = [one for one in there if won is not None and one["status"] in lost]
    stays = [one for one in there if one not in memo]
    raw = rows.filter(counts)
    expected = _sum(raw) - _sum(set_aside) - by_decision
    found = sum((Decimal(one["found_sum"]) for one in stays), Decimal(0))
    return {
        "raw": [_line(part, kind=kind) for (kind,), part in rows.group_by("kind", maintain_order=True) if kind != OTHER],
        "aside": [
            _line(part, bucket=bucket, reason=reason)
            for (bucket, reason), part in set_aside.group_by("bucket", "reason", maintain_order=True)
        ],
        "by_decision": str(by_decision),
        "expected": str(expected),
        "found": {"records": sum(one["found"] for one in stays), "sum": str(found)},
        "found_by": [{"status": one["status"], "records": one["found"], "sum": one["found_sum"]} for one in there],
        "memo": _memo(memo),
        "difference": str(found - expected),
    }


def _memo(lines: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not lines:
        return None
    total = sum((Decimal(one["found_sum"]) for one in lines), Decimal(0))
    return {"status": lines[0]["status"], "records": sum(one["found"] for one in lines), "sum": str(total)}


def _line(rows: pl.DataFrame, **named: Any) -> dict[str, Any]:
    return {**named, "rows": rows.height, "sum": str(_sum(rows)), "no_amount": rows["amount"].null_count()}


def _sum(rows: pl.DataFrame) -> Decimal:
    total = rows["amount"].sum()
    return Decimal(0) if total is None else Decimal(total).quantize(Decimal("0.0001"))


def _words(project: Project, homes: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the destination's words for purchases that brought money, and for those paid back in full or never paid."""
    purchases = read_resolved(project.resolved_folder, "purchases").select("key", was="status")
    mapped = pl.concat([project.mapped(phase, "key", "status") for phase in homes], how="diagonal_relaxed")
    pairs = mapped.join(purchases, on="key").select("was", "status").unique()
    won = set(pairs.filter(pl.col("was") == WON)["status"].drop_nulls())
    return won, set(pairs.filter(pl.col("was") == LOST)["status"].drop_nulls()) - won


def _by_decision(project: Project, ledger: Ledger, homes: tuple[str, ...], currency: str) -> Decimal:
    """Return what records that are there lack of the money that came in, because only one payment of a subscription is to count."""
    frame = read_resolved(project.resolved_folder, "purchases")
    states = [accounts.phase_states(project, ledger, phase).select("key", "state") for phase in homes]
    present = pl.concat(states).filter(pl.col("state").is_in(PRESENT)).select("key")
    own = frame.filter((pl.col("currency") == currency) & (pl.col("status") == WON)).join(present, on="key", how="semi")
    lack = own.select((pl.col("gross") - pl.col("refunded").fill_null(0) - pl.col("value")).cast(MONEY).alias("amount"))
    return _sum(lack)

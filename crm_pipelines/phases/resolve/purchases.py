"""Payment events and subscriptions as purchases, and the fate of every one of their rows.

Belongs here: the order of the steps, records of single payments, row fates. Not here: matching, money, subscriptions
(their modules).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl

from crm_pipelines.phases.resolve.columns import key_from
from crm_pipelines.phases.resolve.companies import NO_LIST
from crm_pipelines.phases.resolve.events import FAILED, LIFECYCLE, MONEY, NO_AMOUNT, NO_DATE, REBILL, REFUNDS, PurchaseRows, is_carried
from crm_pipelines.phases.resolve.fates import folded_lines, keyless_lines, left_out_lines, older_lines, record_lines
from crm_pipelines.phases.resolve.links import Links
from crm_pipelines.phases.resolve.matching import Chosen, all_subscriptions, matched
from crm_pipelines.phases.resolve.money import net_value, paid_states, sums_by_record
from crm_pipelines.phases.resolve.subscriptions import subscription_records
from crm_pipelines.phases.resolve.values import EXCLUDED, WAITING, fate_lines
from crm_pipelines.spec.derive_purchases import PurchaseKeys, Purchases

REMEDIATION = "remediation"
RECORD_COLUMNS = (
    *("key", "aliases", "contributors", "queue", "reason", "contact_key", "kind", "home_phase", "title_id", "product", "value", "gross"),
    *("refunded", "currency", "status", "won_at", "lost_at", "lost_reason", "closed_on", "created_at", "created_on", "started_on"),
    *("ended_on", "processor", "processor_transaction", "price_point", "quantity", "coupon", "affiliate", "subscription_id"),
    *("subscription_status", "billing_period", "payments_received", "cancellation_requested_on"),
)


def chosen_policies(spec: Purchases, decisions: Mapping[str, str]) -> Chosen:
    """Return the client's choices about money."""
    policies = spec.policies
    return Chosen(
        rebills=policies.rebills.of(decisions),
        value=policies.value.of(decisions),
        failed=policies.failed.of(decisions),
        refunded=policies.refunded.of(decisions),
    )


def resolve_purchases(
    spec: Purchases, rows: PurchaseRows, links: Links, decisions: Mapping[str, str], zone: str
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame], Counter[str]]:
    """Return the purchases, the fates of both objects' rows, and counts of what was applied."""
    chosen = chosen_policies(spec, decisions)
    linked, listed = links.linked(rows.events), links.linked(rows.subscriptions)
    subscriptions = all_subscriptions(listed, linked, chosen)
    events = matched(linked, subscriptions, chosen, spec.keys)
    sums = sums_by_record(events)
    paid = payment_records(events, sums, spec, chosen)
    subscribed = _kept(subscription_records(subscriptions, events, sums, spec=spec, chosen=chosen, zone=zone))
    housed = _housed(pl.concat([paid, subscribed], how="diagonal_relaxed"), spec, decisions).with_columns(
        links.is_left_out().alias("_gone")
    )
    behind = _left_behind(events, housed, links, spec.keys)
    fates = {
        spec.payments: _payment_fates(behind, subscribed, housed, rows, spec),
        spec.subscriptions: _subscription_fates(rows, housed, spec),
    }
    records = links.with_contact(_shaped(housed.filter(~pl.col("_gone"))))
    return records, fates, _stats(behind.filter(~pl.col("_gone")), listed.filter(~links.is_left_out()))


def payment_records(events: pl.DataFrame, sums: pl.DataFrame, spec: Purchases, chosen: Chosen) -> pl.DataFrame:
    """Return the records that are one payment each: sales, and what the client wants apart."""
    own = events.filter(pl.col("target") == key_from(spec.keys.payment, "id", pl.col("_key"))).filter(~pl.col("kind").is_in(REFUNDS))
    summed = own.drop("currency").join(sums, on="target", how="left")
    failed = summed.filter(pl.col("kind") == FAILED).with_columns(*_failed_states(spec))
    paid = summed.filter(pl.col("kind") != FAILED).with_columns(*paid_states(_net(chosen), spec.lost_reasons, net_value()))
    currencies = own.select("n", "currency")
    together = pl.concat([paid, failed], how="vertical").join(currencies, on="n")
    return together.select(*_payment_columns(spec), *(name for name in own.columns if is_carried(name)))


def _net(chosen: Chosen) -> Chosen:
    """Return the choices without the one that is about subscriptions."""
    return Chosen(rebills=chosen.rebills, value="sum_paid", failed=chosen.failed, refunded=chosen.refunded)


def _failed_states(spec: Purchases) -> list[pl.Expr]:
    return [
        pl.lit("lost").alias("status"),
        pl.col("amount").cast(MONEY).alias("value"),
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("won_at"),
        pl.col("at").alias("lost_at"),
        pl.lit(spec.lost_reasons.failed).alias("lost_reason"),
    ]


def _payment_columns(spec: Purchases) -> list[pl.Expr]:
    alone = pl.col("contact_key").is_null()
    kinds = {FAILED: "failed", REBILL: "rebill"}
    own = {
        "key": pl.col("target"),
        "contributors": pl.col("_events"),
        "queue": pl.when(alone).then(pl.lit("review")).when(pl.col("unread").is_not_null()).then(pl.lit(REMEDIATION)),
        "reason": pl.when(alone).then(pl.lit("no_contact")).otherwise("unread"),
        "kind": pl.col("kind").replace_strict(kinds, default="one_off", return_dtype=pl.String),
        "title_id": key_from(spec.keys.payment_title, "id", pl.col("_key")),
        "gross": pl.coalesce("gross", "amount"),
        "refunded": pl.when(pl.col("refunded") > 0).then(pl.col("refunded")),
        "closed_on": pl.col("on"),
        "created_at": pl.col("at"),
        "created_on": pl.col("on"),
        "subscription_id": pl.col("subscription"),
    }
    kept = ("contact_key", "product", "value", "currency", "status", "won_at", "lost_at", "lost_reason", "processor")
    more = ("processor_transaction", "price_point", "quantity", "coupon", "affiliate")
    return [pl.col(name) for name in (*kept, *more)] + [value.alias(name) for name, value in own.items()]


def _kept(subscribed: pl.DataFrame) -> pl.DataFrame:
    """Return subscriptions that a row stands for: listed ones, and rebuilt ones with an event left to them."""
    return subscribed.filter(pl.col("is_listed") | pl.col("_earliest").is_not_null())


def _housed(records: pl.DataFrame, spec: Purchases, decisions: Mapping[str, str]) -> pl.DataFrame:
    """Add `home_phase`: where the client wants purchases of this kind."""
    homes = spec.homes(decisions)
    home = pl.col("kind").replace_strict(list(homes), list(homes.values()), default=spec.phase, return_dtype=pl.String)
    return records.with_columns((home if homes else pl.lit(spec.phase)).alias("home_phase"))


def _shaped(records: pl.DataFrame) -> pl.DataFrame:
    return records.with_columns(NO_LIST.alias("aliases")).select(*RECORD_COLUMNS, *(name for name in records.columns if is_carried(name)))


def _left_behind(events: pl.DataFrame, housed: pl.DataFrame, links: Links, keys: PurchaseKeys) -> pl.DataFrame:
    """Add `_gone`: events of records that stay behind with their contact, and doubtful ones that can only be such a contact's."""
    gone = housed.filter("_gone")["key"].implode()
    whose = links.is_left_out() | key_from(keys.subscription, "id", pl.col("sid")).is_in(gone).fill_null(value=False)
    doubtful = pl.col("reason").is_not_null() & whose
    return events.with_columns((pl.col("target").is_in(gone).fill_null(value=False) | doubtful).alias("_gone"))


def _payment_fates(
    events: pl.DataFrame, subscribed: pl.DataFrame, records: pl.DataFrame, rows: PurchaseRows, spec: Purchases
) -> pl.DataFrame:
    """Return one line per transaction row: a record, folded into one, left out, waiting, or replaced by a newer row."""
    rebuilt = subscribed.filter(~pl.col("is_listed")).select(pl.col("key").alias("target"), pl.col("_earliest").alias("_first"))
    waits = records.select(pl.col("key").alias("target"), "queue", pl.col("reason").alias("_why"), "home_phase")
    placed = events.filter(~pl.col("_gone")).join(rebuilt, on="target", how="left").join(waits, on="target", how="left")
    own = pl.col("target") == key_from(spec.keys.payment, "id", pl.col("_key"))
    stands = (own | (pl.col("n") == pl.col("_first"))).fill_null(value=False) & pl.col("reason").is_null()
    home = pl.col("home_phase").fill_null(spec.phase)
    placed = placed.with_columns((pl.col("unread").is_not_null() & pl.col("reason").is_null() & ~stands).alias("_is_alone"))
    lines = pl.concat(
        [
            record_lines(placed.filter(stands).with_columns(pl.col("_why").alias("reason")), home, "target"),
            folded_lines(placed.filter(~stands & pl.col("target").is_not_null() & ~pl.col("_is_alone")), home, "target"),
            fate_lines(
                placed.filter(pl.col("target").is_not_null() & pl.col("_is_alone")),
                fate=WAITING,
                reason=pl.col("unread"),
                queue=REMEDIATION,
            ),
            fate_lines(placed.filter("excluded"), fate=EXCLUDED, reason="failed_payment"),
            fate_lines(placed.filter(pl.col("reason").is_not_null()), fate=WAITING, reason=pl.col("reason"), queue=_doubt()),
            left_out_lines(events.filter("_gone")),
        ]
    )
    return pl.concat([lines, older_lines(rows.payments, lines), keyless_lines(rows.payments)])


def _doubt() -> pl.Expr:
    """Return the queue of a row that waits: what its cells say is for those who can correct them, the rest is a question."""
    reason = pl.col("reason")
    decided = pl.when(reason == "unknown_type").then(pl.lit("decision"))
    return decided.when(reason.is_in([NO_AMOUNT, NO_DATE])).then(pl.lit(REMEDIATION)).otherwise(pl.lit("review"))


def _subscription_fates(rows: PurchaseRows, records: pl.DataFrame, spec: Purchases) -> pl.DataFrame:
    keys: PurchaseKeys = spec.keys
    named = rows.subscriptions.with_columns(key_from(keys.subscription, "id", pl.col("_key")).alias("target"))
    standing = named.join(records.select("key", "queue", "reason", "home_phase", "_gone"), left_on="target", right_on="key")
    gone = pl.col("_gone")
    lines = pl.concat(
        [record_lines(standing.filter(~gone), pl.col("home_phase"), "target"), left_out_lines(standing.filter(gone))], how="vertical"
    )
    return pl.concat([lines, older_lines(rows.subscribed, lines), keyless_lines(rows.subscribed)])


def _stats(events: pl.DataFrame, listed: pl.DataFrame) -> Counter[str]:
    applied = events.filter(pl.col("target").is_not_null())
    return Counter(
        {
            "joined_by_email": int(events["by_email"].sum()) + int(listed["by_email"].sum()),
            "refunds_applied": applied.filter(pl.col("kind").is_in(REFUNDS)).height,
            "lifecycle_events_applied": applied.filter(pl.col("kind").is_in(LIFECYCLE)).height,
            "events_waiting": events.filter(pl.coalesce("reason", "unread").is_not_null() & ~pl.col("excluded")).height,
        }
    )

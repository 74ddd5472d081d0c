"""What holds for any set of export files: order does not matter, folding twice is folding once, every row has one fate."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.phases.resolve import ChunkFrame, Resolved, ResolveSettings, StagedObject
from crm_pipelines.phases.reword import reworded, rewording
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines_tests.lib.contracts import kartra_contract
from crm_pipelines_tests.lib.staged_objects import TYPES, Row, as_rows, chunk, day, derive_with, resolved, staged

APART = dict.fromkeys(("one_off", "rebill", "failed"), "invoices")
DERIVE = derive_with(  # all that a route can ask for
    purchases={"phase_of": {"decision": "transactions", "options": {"orders": {}, "invoices": APART}}},
    products={"phase": "products", "key": "product:{name}"},
    deals={"from": "deals", "phase": "leads", "key": "deal_id", "contact": "contact_id", "email": "contact_email", "owner": "owner_email"},
)
SLOW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.sampled_from(["Acme", "ACME ", "Tea & Co", None])
addresses = st.sampled_from(["a@example.com", "A@Example.com", "b@example.com", "a+x@example.com", "bad@", "", None])
labels = st.none() | st.lists(st.sampled_from(["VIP", "vip", "new", "New"]), max_size=3)
contacts = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", "3", "10", None]),
        "email": addresses,
        "company": words,
        "tags": labels,
        "status": st.sampled_from(["Subscribed", "Unsubscribed", "Active", "Odd", None]),
        "gdpr_status": st.sampled_from(["0", "2", "3", "??", None]),
        "gdpr_status_date": st.none() | st.integers(1, 9).map(day),
        "date_joined": st.none() | st.integers(1, 9).map(day),
        "owner": st.sampled_from(["O@agency.example.com", "o@agency.example.com", None]),
    }
)
transactions = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["100", "101", "102", "103", "104", None]),
        "transaction_type": st.sampled_from(["Sale", "Rebill", "Failed", "Cancellation", "Refund", "Chargeback", "Odd", None]),
        "date": st.none() | st.integers(1, 9).map(day),
        "product": st.sampled_from(["Gold", "Tea", None]),
        "amount": st.sampled_from([Decimal(10), Decimal(-10), Decimal(0), None]),
        "currency": st.sampled_from(["USD", "USD", "EUR", None]),
        "lead_id": st.sampled_from(["1", "2", "10", "99", None]),
        "buyer_email": addresses,
        "subscription_id": st.sampled_from(["7", "8", None, "N/A"]),
    }
)
subscriptions = st.fixed_dictionaries(
    {
        "subscription_id": st.sampled_from(["7", "9", None]),
        "product_name": st.sampled_from(["Gold", None]),
        "subscription_lead_id": st.sampled_from(["1", "99", None]),
        "subscription_status": st.sampled_from(["Active", "cancelled", "Odd", None]),
    }
)
bookings = st.fixed_dictionaries(
    {
        "calendar_subscription_id": st.sampled_from(["5", "6", None]),
        "lead_email": addresses,
        "status": st.sampled_from(["cancelled", "completed", None]),
        "host_email_address": st.sampled_from(["o@agency.example.com", None]),
    }
)
partners = st.fixed_dictionaries(
    {
        "username": st.sampled_from(["p1", "p2", None]),
        "affiliate_id": st.none() | st.integers(1, 3),
        "lead_id": st.sampled_from(["1", "2", None]),
    }
)
deals = st.fixed_dictionaries(
    {
        "deal_id": st.sampled_from(["301", "302", "1000", None]),
        "contact_id": st.sampled_from(["1", "2", "99", None]),
        "contact_email": addresses,
        "owner_email": st.sampled_from(["O@agency.example.com", "p@agency.example.com", None]),
        "stage": st.sampled_from(["New", None]),
    }
)
decisions = st.fixed_dictionaries(
    {
        "companyless": st.sampled_from(["single_person", "none"]),
        "unusable_email": st.sampled_from(["keep_as_text", "queue"]),
        "rebills": st.sampled_from(["fold", "deal_each"]),
        "failed": st.sampled_from(["exclude", "lost_deal"]),
        "refunded": st.sampled_from(["lost", "won_minus_refund"]),
        "affiliates": st.sampled_from(["person_fields", "partner_organizations"]),
        "cancelled_bookings": st.sampled_from(["keep", "exclude"]),
        "transactions": st.sampled_from(["orders", "invoices"]),
    }
)


def files(rows: st.SearchStrategy[Row]) -> st.SearchStrategy[list[list[Row]]]:
    return st.lists(st.lists(rows, max_size=5), max_size=3)


exports = st.fixed_dictionaries(
    {
        "contacts": files(contacts),
        "transactions": files(transactions),
        "subscriptions": files(subscriptions),
        "calendars": files(bookings),
        "affiliates": files(partners),
        "deals": files(deals),
    }
)


keys = st.sampled_from(["1", "2", "3", "10", "77"])
client_maps = st.builds(
    ClientMap,
    same=st.fixed_dictionaries({}, optional={"contacts": st.lists(st.lists(keys, min_size=2, max_size=3, unique=True), max_size=2)}),
    leave_out=st.fixed_dictionaries(
        {}, optional={"contacts": st.lists(st.sampled_from(["no_email", "role_account", "bounced", "stale"]), max_size=3)}
    ),
    values=st.fixed_dictionaries(
        {},
        optional={
            "transactions.transaction_type": st.just({"odd": "Refund", "sale": "Rebill"}),
            "contacts.status": st.just({"odd": "Multiple soft bounces"}),
            "contacts.tags": st.just({"vip": "new"}),
        },
    ),
    tags=st.fixed_dictionaries({}, optional={"contacts.tags": st.just({"New": None})}),
    owners=st.fixed_dictionaries({}, optional={"o@agency.example.com": st.just("p@agency.example.com")}),
)


def reworded_objects(tables: dict[str, list[list[Row]]], client_map: ClientMap) -> list[StagedObject]:
    """Return the staged objects with the client's words, as they are read for the fold."""
    words = rewording(client_map, DERIVE, kartra_contract())
    return [
        StagedObject(one.name, [replace(each, frame=reworded(each.read().lazy(), words.get(one.name, {}))) for each in one.frames])
        for one in objects(tables)
    ]


def objects(tables: dict[str, list[list[Row]]]) -> list[StagedObject]:
    return [staged(name, *rows) for name, rows in tables.items()]


@given(exports, decisions, client_maps)
@SLOW
def test_every_staged_row_has_exactly_one_fate_and_every_record_a_row(
    tables: dict[str, list[list[Row]]], answers: dict[str, str], client_map: ClientMap
) -> None:
    settings_ = ResolveSettings(same=client_map.same.get("contacts", ()), leave_out=client_map.leave_out.get("contacts", ()))
    result = resolved(*reworded_objects(tables, client_map), derive=DERIVE, settings=settings_, **answers)
    for name, parts in tables.items():
        lines = result.fates[name]
        given_rows = Counter((place, row) for place, rows in enumerate(parts) for row in range(1, len(rows) + 1))
        assert Counter((int(line["chunk"].split("-")[1]), line["row"]) for line in lines.to_dicts()) == given_rows
        assert lines.filter((pl.col("fate") == "waiting") != pl.col("queue").is_not_null()).height == 0
    _left_out_with_their_contacts(result, tables)
    standing = pl.concat([result.fates[name] for name in tables]).filter(pl.col("fate").is_in(["record", "waiting", "folded", "merged"]))
    bought = result.frames["purchases"]
    homes = {
        "people": result.frames["contacts"],
        "deals": bought.filter(pl.col("home_phase") == "deals"),
        "invoices": bought.filter(pl.col("home_phase") == "invoices"),
        "leads": result.frames["deals"],
        "activities": result.frames["bookings"],
    }
    assert set(bought["home_phase"]) <= set(homes)
    for phase, frame in homes.items():
        primary = (
            standing.filter((pl.col("into_phase") == phase) & pl.col("fate").is_in(["record", "waiting"]))["into_key"]
            .drop_nulls()
            .to_list()
        )
        assert sorted(primary) == sorted(frame["key"].to_list())
        named = set(standing.filter(pl.col("into_phase") == phase)["into_key"].drop_nulls())
        assert named <= set(frame["key"])


def _left_out_with_their_contacts(result: Resolved, tables: dict[str, list[list[Row]]]) -> None:
    """Whoever is left out takes along what names the key instead of letting it wait; no record names a contact that does not move."""
    gone = set(result.fates["contacts"].filter(pl.col("reason").str.starts_with("left_out_"))["key"])
    for name, column in {"transactions": "lead_id", "deals": "contact_id", "subscriptions": "subscription_lead_id"}.items():
        lines = {(int(line["chunk"].split("-")[1]), line["row"]): line for line in result.fates[name].to_dicts()}
        for place, rows in enumerate(tables[name]):
            for number, row in enumerate(rows, 1):
                line = lines[place, number]
                assert line["reason"] != "no_contact" or row.get(column) not in gone
                assert gone or line["reason"] != "left_out_with_contact"
    for frame in ("purchases", "bookings", "deals", "companies"):
        if "contact_key" in result.frames.get(frame, pl.DataFrame()).columns:
            assert gone.isdisjoint(result.frames[frame]["contact_key"])


@given(exports, decisions)
@SLOW
def test_links_point_to_records(tables: dict[str, list[list[Row]]], answers: dict[str, str]) -> None:
    frames = resolved(*objects(tables), derive=DERIVE, **answers).frames
    sold = frames["purchases"].filter(pl.col("queue").is_null())
    assert set(sold["product_key"].drop_nulls()) == set(frames["products"]["key"])
    assert set(sold.filter(pl.col("product").is_null())["product_key"]) <= {None}
    for name in ("contacts", "purchases", "bookings", "deals"):
        for column, target in (("contact_key", "contacts"), ("company_key", "companies"), ("owner_key", "owners")):
            assert set(frames[name][column].drop_nulls()) <= set(frames[target]["key"])
    for frame in frames.values():
        assert frame["key"].n_unique() == frame.height
        assert frame["contributors"].list.len().min() in (None, *range(1, 20))


@given(exports, decisions, st.randoms(use_true_random=False))
@SLOW
def test_the_order_of_chunks_and_rows_never_matters(
    tables: dict[str, list[list[Row]]], answers: dict[str, str], rng: random.Random
) -> None:
    plain = objects(tables)
    shuffled = [StagedObject(one.name, [_shuffled(part, rng) for part in rng.sample(one.frames, len(one.frames))]) for one in plain]
    assert as_rows(resolved(*plain, derive=DERIVE, **answers)) == as_rows(resolved(*shuffled, derive=DERIVE, **answers))


def _shuffled(part: ChunkFrame, rng: random.Random) -> ChunkFrame:
    assert isinstance(part.frame, pl.DataFrame)
    order = rng.sample(range(part.frame.height), part.frame.height)
    return ChunkFrame(part.chunk, part.exported_at, part.columns, part.frame[order])


@given(files(contacts))
@SLOW
def test_folding_what_was_folded_changes_nothing(parts: list[list[Row]]) -> None:
    once = resolved(staged("contacts", *parts)).frames["contacts"]
    own = [name for name in once.columns if name in contacts_columns()]
    rows = [{name: value for name, value in row.items() if name in own} for row in once.to_dicts()]
    twice = resolved(StagedObject("contacts", [chunk("contacts", 0, rows)])).frames["contacts"]
    assert twice["key"].to_list() == once["key"].to_list()
    if rows:
        assert twice.select(own).to_dicts() == rows
    assert twice.filter(pl.col("aliases").list.len() > 0).height == 0


def contacts_columns() -> set[str]:
    return {"id", "email", "company", "tags", "status", "gdpr_status", "gdpr_status_date", "date_joined", "owner"} & {*TYPES, *_TEXTS}


_TEXTS = ("id", "email", "company", "status", "gdpr_status", "owner")


@given(st.lists(transactions, max_size=8))
@SLOW
def test_money_that_arrives_is_money_that_was_exported(rows: list[Row]) -> None:
    unique = {row["id"]: {**row, "date": row["date"] or day(1)} for row in rows if row["id"]}
    people = staged("contacts", [{"id": key, "email": f"c{key}@example.com"} for key in ("1", "2", "10")])
    result = resolved(people, staged("transactions", list(unique.values())))
    fates = {line["key"]: line for line in result.fates["transactions"].to_dicts()}
    paid: Counter[str] = Counter()
    for row in unique.values():
        if row["transaction_type"] in ("Sale", "Rebill") and fates[row["id"]]["into_key"] and row["amount"] is not None:
            paid[fates[row["id"]]["into_key"]] += row["amount"]
    for record in result.frames["purchases"].filter(pl.col("gross").is_not_null()).to_dicts():
        assert record["gross"] == paid[record["key"]]

"""Contacts that may not be worth moving: one line per rule."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from crm_pipelines.phases.resolve.emails import with_emails
from crm_pipelines.phases.resolve.suppress import Engaged, engaged, is_role_account, stale_limit, suppression
from crm_pipelines_tests.lib.staged_objects import derive_spec, staged

LIMIT = date(2024, 6, 9)
NOBODY = Engaged(pl.Series("key", [], pl.String), pl.Series("email", [], pl.String))
OLD, YOUNG = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)


def kinds_of(  # noqa: PLR0917 - one contact and what it is judged by
    email: str | None, status: str | None, joined: datetime | None, aliases: list[str], done: Engaged, others: tuple[str, ...] = ()
) -> set[str]:
    schema = {"date_joined": pl.Datetime("us", "UTC"), "_aliases": pl.List(pl.String), "_other_keys": pl.List(pl.String)}
    row = {"_key": ["1"], "email": [email], "status": [status], "date_joined": [joined], "_aliases": [aliases]}
    row["_other_keys"] = [list(others)]
    frame = with_emails(pl.DataFrame(row, schema_overrides={**schema, "email": pl.String, "status": pl.String}), "email")
    found = suppression(derive_spec(), frame, done, LIMIT, key="_key", aliases="_aliases")
    told = frame.select(**found).row(0, named=True)
    assert None not in told.values()
    return {name for name, holds in told.items() if holds}


@pytest.mark.parametrize(
    ("email", "status", "joined", "kinds"),
    [
        ("ana@example.com", "Subscribed", YOUNG, set()),
        (None, None, None, {"no_email"}),
        ("ana(at)example.com", None, YOUNG, {"unusable_email"}),
        ("Info@example.com", "Active", YOUNG, {"role_account"}),
        ("ventas+web@example.org", "Active", YOUNG, {"role_account"}),
        ("information@example.com", "Active", YOUNG, set()),
        ("info.smith@example.com", "Active", YOUNG, set()),
        ("ana@example.com", "multiple  SOFT bounces", YOUNG, {"bounced"}),
        ("ana@example.com", "Unsubscribed", YOUNG, {"unsubscribed"}),
        ("ana@example.com", "Spam complaint", YOUNG, {"complained"}),
        ("ana@example.com", "Active", OLD, {"stale"}),
        ("ana@example.com", "Active", datetime(2024, 6, 9, tzinfo=UTC), set()),
        ("ana@example.com", "Active", datetime(2024, 6, 8, tzinfo=UTC), {"stale"}),
        ("ana@example.com", "Active", None, set()),
    ],
)
def test_each_rule(email: str | None, status: str | None, joined: datetime | None, kinds: set[str]) -> None:
    assert kinds_of(email, status, joined, [], NOBODY) == kinds


@pytest.mark.parametrize(
    ("aliases", "keys", "emails"),
    [([], ["1"], []), (["7"], ["7"], []), ([], [], ["ana@example.com"])],
    ids=["key", "twin's key", "address"],
)
def test_whoever_bought_or_booked_is_not_stale(aliases: list[str], keys: list[str], emails: list[str]) -> None:
    done = Engaged(pl.Series("key", keys, pl.String), pl.Series("email", emails, pl.String))
    assert kinds_of("Ana@example.com", "Active", OLD, aliases, done) == set()


def test_who_booked_with_the_address_of_a_merged_twin_is_not_stale() -> None:
    done = Engaged(pl.Series("key", [], pl.String), pl.Series("email", ["ana.work@example.org"], pl.String))
    assert kinds_of("ana@example.com", "Active", OLD, ["7"], done, ("ana.work@example.org",)) == set()
    assert kinds_of("ana@example.com", "Active", OLD, ["7"], done, ("ana.home@example.org",)) == {"stale"}


def test_the_day_lies_months_before_the_newest_export() -> None:
    assert stale_limit(derive_spec(), datetime(2026, 2, 28, 23, 30, tzinfo=UTC)) == date(2024, 2, 28)
    assert stale_limit(derive_spec(), None) is None


def test_a_failed_payment_is_no_purchase_and_a_booking_names_its_guest_by_address() -> None:
    paid = {"id": "1", "transaction_type": "Sale", "lead_id": "5", "buyer_email": "Old@example.com"}
    failed = {"id": "2", "transaction_type": "failed", "lead_id": "6", "buyer_email": "six@example.com"}
    booked = {"calendar_subscription_id": "1", "lead_email": "guest@example.com", "status": "cancelled"}
    done = engaged(derive_spec(), {"transactions": staged("transactions", [paid, failed]), "calendars": staged("calendars", [booked])})
    assert set(done.keys) == {"5"}
    assert set(done.emails) == {"old@example.com", "guest@example.com"}


def test_role_accounts_never_leave_a_null() -> None:
    told = pl.DataFrame({"e": ["sales@example.com", None, "ana@example.com"]}).select(is_role_account(pl.col("e"))).to_series()
    assert told.to_list() == [True, False, False]

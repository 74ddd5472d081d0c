"""Kartra's own quirks: file names, the 57-column heading, aliases, N/A, dates in the account's zone, list cells."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines_tests.unit.sources.staging import KARTRA, reasons, said, stage

FIXTURES = Path(__file__).parents[2] / "fixtures" / "kartra"

TRANSACTIONS_HEAD = (
    "ID,Transaction_Type,Date,Product,Price_point,Quantity,Seller_username,Buyer_Username,Buyer_Name,Buyer_Company,Sales_Tax_ID,"
    "Buyer_Email,Buyer_Country,Buyer_State,Buyer_City,Buyer_ZIP,Buyer_Address,Buyer_Phone_Country,Buyer_Phone,Buyer_IP,Amount (USD),"
    "Base_Price (USD),Sales_tax (USD),Shipping_cost (USD),Coupon_code,Coupon_discount (USD),Revenue (USD),Affiliate_Username,"
    "Affiliate_Name,Affiliate_Email,Affiliate_Revenue (USD),JV_Username,JV_Name,JV_Email,JV_Revenue (USD),Your_Net_Profit (USD),"
    "Tracking_link,TrackingID1,TrackingID2,Landing_page,Processor,Processor_transaction_id,Processor_subscription_id,subscription_id,"
    "lead_id,affiliate_id,jv_id,Shipping_Name,Shipping_Address,Shipping_City,Shipping_ZIP,Shipping_Country,Shipping_State,Trial,"
    "Automatic_Cancellation,Subscription_payment_number,Rebill_reattempt"
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contacts_kartra_09-06-2026_6a2803f884d5c.csv", "contacts"),
        ("leads_kartra_01-06-2024_665a4b1c9a3f2.csv", "contacts"),
        ("Contacts (2).csv", "contacts"),
        ("transactions_2026.csv", "transactions"),
        ("subscriptions_kartra.csv", "subscriptions"),
        ("calendars_kartra.csv", "calendars"),
        ("appointments.csv", "calendars"),
        ("affiliates_x.csv", "affiliates"),
        ("deals_kartra_09-06-2026_6a2804701b2c3.csv", "deals"),
        ("custom_fields_x.csv", "custom_fields"),
        ("tags_x.csv", "tags"),
        ("contacts_1.xlsx", "contacts"),
        (".contacts_1.csv", None),
        ("~$contacts_1.xlsx", None),
        ("readme.txt", None),
        ("contacts_1.png", None),
    ],
)
def test_object_of_file_name(name: str, expected: str | None) -> None:
    assert KARTRA.object_of(name) == expected


def test_export_time_is_in_the_name() -> None:
    told = KARTRA.exported_at("contacts_kartra_09-06-2026_6a2803f884d5c.csv")
    assert told == datetime.fromtimestamp(0x6A2803F8, UTC).replace(microsecond=0x84D5C)
    assert str(told)[:10] == "2026-06-09"


def test_export_day_in_the_name_is_midnight_in_kartra_time() -> None:
    assert KARTRA.exported_at("contacts_09-06-2026.csv") == datetime(2026, 6, 9, 4, tzinfo=UTC)
    assert KARTRA.exported_at("contacts_2026-01-09.csv") == datetime(2026, 1, 9, 5, tzinfo=UTC)
    assert KARTRA.exported_at("contacts_99-99-2026.csv") is None
    assert KARTRA.exported_at("contacts_1.csv") is None
    assert KARTRA.exported_at("contacts_0000000000000.csv") is None


def test_all_57_columns_of_the_transactions_heading_are_known(tmp_path: Path) -> None:
    names = TRANSACTIONS_HEAD.split(",")
    chunk = stage(tmp_path, TRANSACTIONS_HEAD + "\n", "transactions")
    assert len(names) == 57
    assert [heading.canonical for heading in chunk.headings] == [name.removesuffix(" (USD)").lower() for name in names]
    assert chunk.currency == "USD"


def transactions(*rows: str, currency: str = "EUR") -> str:
    money = f"Amount ({currency}),Revenue ({currency})"
    head = f"ID,Transaction_Type,Date,Product,Buyer_Email,{money},subscription_id,lead_id,Trial,Rebill_reattempt"
    return "\n".join([head, *rows, ""])


def test_currency_comes_from_the_heading(tmp_path: Path) -> None:
    chunk = stage(tmp_path, transactions('1,Sale,2026-04-02 13:05:11,Gold,a@example.com,"1,234.50",-3,N/A,n/a,Yes,0'), "transactions")
    row = chunk.frame.row(0, named=True)
    assert (row["currency"], row["amount"], row["revenue"]) == ("EUR", Decimal("1234.5"), Decimal(-3))
    assert (row["subscription_id"], row["lead_id"], row["trial"], row["rebill_reattempt"]) == (None, None, True, False)
    assert row["date"] == datetime(2026, 4, 2, 17, 5, 11, tzinfo=UTC)
    assert chunk.cell_errors.is_empty()


def test_row_with_a_blank_id_is_quarantined(tmp_path: Path) -> None:
    chunk = stage(tmp_path, transactions("1,Sale,2026-04-02,Gold,,1,1,,,,", ",Sale,2026-04-02,Gold,a@example.com,1,1,,,,"), "transactions")
    assert reasons(chunk) == [(2, 3, 3, "missing_key")]
    assert chunk.bad_lines[0].raw.startswith(",Sale,")
    assert chunk.frame["id"].to_list() == [1]


def test_cells_that_do_not_parse_are_errors_with_their_text_beside(tmp_path: Path) -> None:
    row = "7,Sale,2026-13-45,Gold,a@example.com,(15.00),Free,,4.1E+06,maybe,1"
    chunk = stage(tmp_path, transactions(row), "transactions")
    assert chunk.cell_errors.select("column", "reason").rows() == [
        ("amount", "not_a_number"),
        ("date", "not_a_date"),
        ("lead_id", "scientific_notation"),
        ("revenue", "not_a_number"),
        ("trial", "not_yes_or_no"),
    ]
    assert chunk.cell_errors.select("row", "line").unique().rows() == [(1, 2)]
    assert chunk.frame.select("raw_amount", "raw_date", "raw_trial").row(0) == ("(15.00)", "2026-13-45", "maybe")
    assert chunk.frame.select("amount", "date", "trial").row(0) == (None, None, None)


@pytest.mark.parametrize(
    ("heading", "canonical"),
    [
        ("E-mail", "email"),
        ("Email", "email"),
        ("EMAIL ADDRESS", "email"),
        ("\u200bemail ", "email"),
    ],
)
def test_headings_have_many_spellings(tmp_path: Path, heading: str, canonical: str) -> None:
    chunk = stage(tmp_path, f"id,{heading},First Name,Date Joined,gdpr_lead_status,Details &amp; more\n1,a@example.com,Ann,,2,x\n")
    assert [one.canonical for one in chunk.headings] == ["id", canonical, "first_name", "date_joined", "gdpr_status", None]
    assert chunk.frame["details_more"].to_list() == ["x"]


def test_custom_fields_are_marked_and_kept_as_text(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email,favourite-fruit,other\n1,a@example.com,007,x\n", custom_fields=("favourite-fruit",))
    assert [(one.column, one.custom) for one in chunk.headings[2:]] == [("favourite_fruit", True), ("other", False)]
    assert chunk.frame["favourite_fruit"].to_list() == ["007"]


def test_reordered_columns_and_partial_exports(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "last_name,email,id\nDoe,a@example.com,5\n")
    assert chunk.frame.select("id", "email", "last_name").rows() == [(5, "a@example.com", "Doe")]
    assert "first_name" not in chunk.frame.columns


def test_zero_dates_and_words_for_nothing_are_null_without_error(tmp_path: Path) -> None:
    head = "subscription_id,product_name,lead_id,start_date,end_date,installments_left,status,Next_scheduled_payment_amount (GBP)\n"
    rows = "9,Gold,5,2021-01-07 11:14:00,0000-00-00 00:00:00,Until cancelled,Active,N/A\n10,Gold,6,2021-01-07,,3,Paused,49.00\n"
    chunk = stage(tmp_path, head + rows, "subscriptions")
    assert chunk.frame["subscription_end_date"].to_list() == [None, None]
    assert chunk.frame["subscription_installments_left"].to_list() == [None, 3]
    assert chunk.frame["subscription_next_scheduled_payment_amount"].to_list() == [None, Decimal(49)]
    assert (chunk.currency, chunk.frame["currency"][0]) == ("GBP", "GBP")
    assert chunk.cell_errors.is_empty()


def test_a_row_names_its_own_currency_before_the_heading_does(tmp_path: Path) -> None:
    head = "subscription_id,product_name,lead_id,start_date,status,Next_scheduled_payment_amount (GBP),currency\n"
    chunk = stage(tmp_path, head + "9,Gold,5,2021-01-07,Active,1,EUR\n10,Gold,6,2021-01-07,Paused,2,\n", "subscriptions")
    assert chunk.frame["currency"].to_list() == ["EUR", "GBP"]


def test_appointments_are_in_the_hosts_zone(tmp_path: Path) -> None:
    head = "calendar_subscription_id,calendar_name,event_start,vendor_timezone,status,lead_email\n"
    rows = [
        "1,Calls,2026-03-04 15:00:00,Europe/Paris,completed,a@example.com",
        "2,Calls,2026-03-04 15:00:00,,completed,a@example.com",
        "3,Calls,2026-03-04 15:00:00,Mars/Base,completed,a@example.com",
    ]
    chunk = stage(tmp_path, head + "\n".join(rows) + "\n", "calendars")
    assert [moment and moment.hour for moment in chunk.frame["event_start"]] == [14, 20, None]
    assert chunk.cell_errors.rows() == [(3, 4, "event_start", "unknown_time_zone")]


def test_clock_changes_follow_the_stated_rule_and_are_counted(tmp_path: Path) -> None:
    text = "id,email,date_joined\n1,a@example.com,2026-11-01 01:30:00\n2,b@example.com,2026-03-08 02:30:00\n"
    chunk = stage(tmp_path, text)
    assert chunk.frame["date_joined"].to_list() == [datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)]
    assert said(chunk, "1 local times come twice")
    assert said(chunk, "1 local times do not exist")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-04-02", "2026-04-02 00:00:00"),
        ("2026-04-02 13:05", "2026-04-02 13:05:00"),
        ("2026-04-02T13:05:11.250", "2026-04-02 13:05:11"),
        ("2026-04-02T13:05:11Z", "2026-04-02 13:05:11"),
        ("2026-04-02T13:05:11+02:00", "2026-04-02 11:05:11"),
        ("Tue, 09 Jun 2026, 10:00 PM", "2026-06-09 22:00:00"),
        (" 31-12-2025 ", "2025-12-31 00:00:00"),
    ],
)
def test_ways_of_writing_a_moment(tmp_path: Path, text: str, moment: str) -> None:
    chunk = stage(tmp_path, f'id,email,gdpr_status_date\n1,a@example.com,"{text}"\n', source_timezone="UTC")
    assert str(chunk.frame["gdpr_status_date"][0])[:19] == moment


@pytest.mark.parametrize("text", ["31/12/24", "2026-02-30", "13:05", "45292", "25/12/2024 13:05 PM", "31-31-2024"])
def test_what_is_no_moment(tmp_path: Path, text: str) -> None:
    chunk = stage(tmp_path, f"id,email,date_joined\n1,a@example.com,{text}\n")
    assert chunk.cell_errors["reason"].to_list() == ["not_a_date"]


def test_declared_order_marks_dates_that_contradict_it(tmp_path: Path) -> None:
    text = "id,email,date_joined\n1,a@example.com,25-12-2024\n2,b@example.com,03-04-2024\n"
    chunk = stage(tmp_path, text, date_order="mdy", source_timezone="UTC")
    assert chunk.cell_errors["reason"].to_list() == ["date_against_declared_order"]
    assert chunk.frame["date_joined"][1] == datetime(2024, 3, 4, tzinfo=UTC)


def test_each_separator_has_its_own_order(tmp_path: Path) -> None:
    dates = ["25-12-2024", "03-04-2024", "12/25/2024", "03/04/2024"]
    text = "id,email,date_joined\n" + "".join(f"{number},a@example.com,{date}\n" for number, date in enumerate(dates, 1))
    chunk = stage(tmp_path, text, source_timezone="UTC")
    assert [str(moment)[:10] for moment in chunk.frame["date_joined"]] == ["2024-12-25", "2024-04-03", "2024-12-25", "2024-03-04"]


@pytest.mark.parametrize(("separator", "other"), [(",", ";"), (";", ",")])
def test_tags_are_split_by_the_separator_of_the_file(tmp_path: Path, separator: str, other: str) -> None:
    cells = [f"VIP{separator} vip{separator}{separator}5K_Prelaunch_Start", f"A{separator}B", f"Member{other}ship", ""]
    body = "".join(f'{number},a@example.com,"{cell}"\n' for number, cell in enumerate(cells, 1))
    chunk = stage(tmp_path, "id,email,tags\n" + body)
    assert chunk.frame["tags"].to_list() == [["VIP", "vip", "5K_Prelaunch_Start"], ["A", "B"], [f"Member{other}ship"], None]


def test_inventory_and_quotes_keep_tags_with_the_separator_whole(tmp_path: Path) -> None:
    text = 'id,email,tags\n1,a@example.com,"Bought, then left, VIP"\n2,b@example.com,"""Red, hot"",VIP"\n3,c@example.com,"Bought, New"\n'
    chunk = stage(tmp_path, text, inventories={"tags": ("VIP", "Bought", "bought, then left", "Red, hot")})
    assert chunk.frame["tags"].to_list() == [["Bought, then left", "VIP"], ["Red, hot", "VIP"], ["Bought", "New"]]
    assert said(chunk, "tags: 1 names are not in the inventory")


def test_invisible_characters_go_at_the_ends_only(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id,email,first_name\n1,\u00a0a@example.com\u200b,👩\u200d💻\u00a0x\n2,b@example.com, Ann \n")
    assert chunk.frame["email"].to_list() == ["a@example.com", "b@example.com"]
    assert chunk.frame["first_name"].to_list() == ["👩\u200d💻\u00a0x", " Ann "]
    assert chunk.repairs == {"email": {"invisible": 1}}


def test_settings_by_object(tmp_path: Path) -> None:
    overrides = {"contacts": {"source_timezone": "UTC"}}
    chunk = stage(tmp_path, "id,email,date_joined\n1,a@example.com,2026-01-01 10:00:00\n", overrides=overrides)
    assert chunk.frame["date_joined"][0].hour == 10


def test_names_in_several_alphabets_pass_untouched(tmp_path: Path) -> None:
    names = ["José García", "Łukasz", "Мария", "محمد", "山田太郎", "Ângela Ãvila", "Zoë €uro", "ÐÐ"]
    body = "".join(f"{number},a@example.com,{name}\n" for number, name in enumerate(names, 1))
    chunk = stage(tmp_path, "id,email,first_name\n" + body)
    assert chunk.frame["first_name"].to_list() == names
    assert chunk.repairs == {}


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.csv")), ids=lambda path: path.name)
def test_fixture_files_read_without_a_loss(path: Path) -> None:
    object_name = KARTRA.object_of(path.name)
    assert object_name is not None
    from crm_pipelines.phases.stage import stage_file

    chunk = stage_file(KARTRA, object_name, path)
    assert chunk.adds_up
    assert chunk.frame.height > 0
    assert chunk.frame.schema["_row"] == pl.Int64


def test_deals_are_read_with_amounts_of_both_locales(tmp_path: Path) -> None:
    staged = stage(tmp_path, (FIXTURES / "deals_kartra_09-06-2026_6a2804701b2c3.csv").read_bytes(), "deals")
    assert staged.frame["amount"].to_list() == [Decimal("1234.56"), Decimal("1234.56"), Decimal("49"), Decimal("1234"), None, None]
    assert staged.frame["currency"].to_list() == ["USD", "EUR", "USD", "USD", None, None]
    assert staged.frame["close_date"].to_list()[:2] == [date(2025, 2, 28), None]
    assert staged.frame["created_date"][0] == datetime(2025, 1, 2, 15, tzinfo=UTC)
    assert staged.cell_errors.select("row", "column", "reason").rows() == [(6, "amount", "not_a_number")]


def test_an_amount_that_reads_both_ways_follows_the_file_s_setting(tmp_path: Path) -> None:
    text = 'deal_id,deal_name,stage,contact_email,amount\n1,a,b,a@example.com,"1,234"\n2,a,b,a@example.com,1.234\n'
    text += '3,a,b,a@example.com,"1,234.50"\n4,a,b,a@example.com,"1.234,50"\n'
    american, european = (stage(tmp_path, text, "deals", decimal_locale=locale).frame["amount"].to_list() for locale in ("us", "eu"))
    assert american == [Decimal("1234"), Decimal("1.234"), Decimal("1234.50"), Decimal("1234.50")]
    assert european == [Decimal("1.234"), Decimal("1234"), Decimal("1234.50"), Decimal("1234.50")]

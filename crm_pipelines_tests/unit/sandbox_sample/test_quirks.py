"""Every quirk is in the files as often as the report says, counted by reading the files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import ftfy
import phonenumbers
import pytest

from crm_pipelines.sandbox.sample import SampleReport, words
from crm_pipelines_tests.unit.sandbox_sample.reading import contact_rows, files_of, rows_of, text_of, truth_of

Row = dict[str, str]

IN_CONTACT_ROWS: dict[str, Callable[[Row], bool]] = {
    "phone_sci_notation": lambda row: re.fullmatch(r"[\d.]+E\+\d+", row["phone"]) is not None,
    "phone_two_numbers": lambda row: " / " in row["phone"],
    "phone_extension": lambda row: row["phone"].endswith(" x371"),
    "phone_tel_link": lambda row: row["phone"].startswith("tel:"),
    "phone_bidi_marks": lambda row: row["phone"].startswith("\u202a"),
    "phone_double_zero": lambda row: row["phone"].startswith("00"),
    "phone_guarded": lambda row: row["phone"].startswith("'+"),
    "phone_arabic_digits": lambda row: any("٠" <= char <= "٩" for char in row["phone"]),
    "phone_not_available": lambda row: row["phone"] == "n/a",
    "gdpr_as_code": lambda row: row["gdpr_status"].isdigit(),
    "gdpr_zero_date": lambda row: row["gdpr_status_date"].startswith("0000"),
    "joined_zero_date": lambda row: row["date_joined"].startswith("0000"),
    "tag_with_comma": lambda row: "paid, in full" in re.sub(r" +", " ", row["tags"]).casefold(),
    "address_line_break": lambda row: "\n" in row["address"],
    "owner_other_case": lambda row: row["owner"] != row["owner"].lower(),
    "plus_address": lambda row: "+" in row["email"],
    "role_account": lambda row: re.match(r"(info|sales|office)@", row["email"]) is not None,
    "email_missing": lambda row: row["email"].strip() in ("", "N/A"),
    "email_dressed": lambda row: (
        (
            row["email"].strip() != row["email"]
            or row["email"].startswith(("mailto:", "Jane Doe <"))
            or row["email"].endswith((".COM", ".ORG"))
        )
        and row["email"].strip() != ""
    ),
    "note_very_long": lambda row: len(row["notes"]) > 65_536,
    "note_html": lambda row: "<b" in row["notes"] or "<li>" in row["notes"],
    "note_formula_guard": lambda row: row["notes"].startswith(("'=", "'-")),
    "name_emoji": lambda row: any(one in row["first_name"] for one in words.EMOJI),
    "name_not_available": lambda row: row["last_name"].upper() == "N/A",
    "company_spaces": lambda row: "  " in row["company"],
    "tags_eighty": lambda row: len(re.split("[,;]", row["tags"])) >= 80,
}


@pytest.mark.parametrize("quirk", sorted(IN_CONTACT_ROWS))
def test_contact_quirks(quirk: str, five: SampleReport, rough: SampleReport) -> None:
    for report in (five, rough):
        found = sum(IN_CONTACT_ROWS[quirk](row) for row in contact_rows(report.exports))
        assert found == report.quirks.get(quirk, 0) > 0


def test_case_twins_and_contacts_in_two_files(five: SampleReport) -> None:
    rows = contact_rows(five.exports)
    times = Counter(row["id"] for row in rows)
    assert sum(count - 1 for count in times.values()) == five.quirks["contact_in_two_files"]
    ids_by_address: dict[str, set[str]] = {}
    for row in rows:
        if row["email"].strip() not in ("", "N/A"):
            ids_by_address.setdefault(row["email"].casefold(), set()).add(row["id"])
    twins = [ids for ids in ids_by_address.values() if len(ids) > 1]
    assert max(map(len, twins)) == 3, "one survivor has two twins"
    merged = [p for p in truth_of(five.truth)["records"]["people"].values() if "Merged Kartra IDs" in p["custom"]]
    assert len(merged) == len(twins)


def test_transactions_by_kind(five: SampleReport) -> None:
    rows = {row["ID"]: row for path in files_of(five.exports, "transactions") for row in rows_of(path) if row["ID"]}
    found = Counter("kind_" + row["Transaction_Type"].lower().rstrip(".").replace(" ", "_") for row in rows.values())
    assert found == {quirk: count for quirk, count in five.quirks.items() if quirk.startswith("kind_")}
    assert len(found) == 9


def test_refunds_have_both_signs_one_in_each_file(five: SampleReport) -> None:
    signs = []
    for path in sorted(files_of(five.exports, "transactions"), key=lambda path: path.name.rsplit("_", 1)[1]):
        refunds = [row for row in rows_of(path) if row["Transaction_Type"] in ("Refund", "Partial refund", "Chargeback")]
        signs.append({row["Amount (USD)"].startswith("-") for row in refunds})
    assert signs == [{False}, {True}]


def test_blank_lines(five: SampleReport) -> None:
    blank = sum(text_of(path).replace("\r", "").count("\n\n") for path in files_of(five.exports, "leads", "transactions"))
    in_notes = sum(row["notes"].replace("\r", "").count("\n\n") for row in contact_rows(five.exports))
    assert blank >= five.quirks["blank_line"] == 3
    assert blank - in_notes <= five.quirks["blank_line"]


def test_phones_mean_what_a_phone_library_reads(five: SampleReport, rough: SampleReport) -> None:
    for report in (five, rough):
        for person in truth_of(report.truth)["records"]["people"].values():
            for phone in person.get("phones", ()):
                assert phonenumbers.is_valid_number(phonenumbers.parse(phone["value"]))


def test_mojibake_can_be_repaired() -> None:
    for name in words.MOJIBAKE:
        assert ftfy.fix_encoding(name.encode().decode("cp1252")) == name


def test_the_mix_of_a_real_account_at_full_size(tmp_path_factory: pytest.TempPathFactory) -> None:
    from crm_pipelines.sandbox.sample import SampleConfig, generate

    report = generate(SampleConfig(contacts=2600, seed=7, out=tmp_path_factory.mktemp("full"), planted_queue="five"))
    kinds = {quirk: count for quirk, count in report.quirks.items() if quirk.startswith("kind_")}
    total = sum(kinds.values())
    assert 1480 <= total <= 1540
    assert abs(kinds["kind_rebill"] / total - 0.4965) < 0.01
    assert abs(kinds["kind_failed"] / total - 0.1830) < 0.01
    assert len(files_of(report.exports, "contacts", "leads")) == 2
    labels = {label for person in truth_of(report.truth)["records"]["people"].values() for label in person.get("label_ids", ())}
    assert len(labels) < 60
    assert report.records["activities"] == 149
    assert 380 <= report.records["notes"] <= 420
    assert report.seconds < 30

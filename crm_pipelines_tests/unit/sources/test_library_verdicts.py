"""What reading leans on, or leaves alone, among the libraries for messy data: one test for each finding that matters here.

Libraries that were tried and are not used (clevercsv, babel, price-parser, dateparser, tldextract ...) appear by what
they got wrong or were not needed for; the rules for names, phones and domains are tested with the mapping language.
"""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import requires
from pathlib import Path

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email

from crm_pipelines.sources.repair import repair_text
from crm_pipelines_tests.unit.sources.staging import stage


def amount(folder: Path, text: str, locale: str = "us") -> Decimal | None:
    head = "username,name,email,status,earned\n"
    chunk = stage(folder, f'{head}ann,Ann,a@example.com,approved,"{text}"\n', "affiliates", decimal_locale=locale)
    value: Decimal | None = chunk.frame["earned"][0]
    return value


@pytest.mark.parametrize(
    ("locale", "text", "value"),
    [
        ("us", "-15.00", Decimal(-15)),
        ("us", "1,204.50", Decimal("1204.5")),
        ("us", "+3", Decimal(3)),
        ("us", ".5", None),
        ("us", "12,04.50", None),
        ("us", "(15.00)", None),
        ("us", "Free", None),
        ("us", "$49.00", None),
        ("us", "1.23456", None),
        ("us", "49.0000000", Decimal(49)),
        ("us", "123456789012345678", None),
        ("eu", "1.204,50", Decimal("1204.5")),
        ("eu", "-15,00", Decimal(-15)),
        ("eu", "1.5", None),
    ],
)
def test_price_parser_and_babel_are_replaced_by_strict_forms_that_keep_the_sign(
    tmp_path: Path, locale: str, text: str, value: Decimal | None
) -> None:
    assert amount(tmp_path, text, locale) == value


def test_dateparser_would_guess_and_reading_does_not(tmp_path: Path) -> None:
    from crm_pipelines.errors import SourceError

    with pytest.raises(SourceError, match="date_order"):
        stage(tmp_path, "id,email,date_joined\n1,a@example.com,04.03.2024\n")
    zero = stage(tmp_path, "id,email,date_joined\n1,a@example.com,0000-00-00\n")
    assert zero.frame["date_joined"].to_list() == [None]
    assert zero.cell_errors.is_empty()


def test_charset_normalizer_is_only_asked_in_isolation(tmp_path: Path) -> None:
    names = ["Muñoz", "Peña", "García", "Núñez"]
    body = "".join(f"{number},a@example.com,{name}\n" for number, name in enumerate(names * 5, 1))
    chunk = stage(tmp_path, ("id,email,first_name\n" + body).encode("cp1252"))
    assert chunk.encoding == "cp1252"
    assert chunk.frame["first_name"].to_list() == names * 5


def test_clevercsv_is_not_needed_where_the_headings_are_known(tmp_path: Path) -> None:
    chunk = stage(tmp_path, "id;email;first_name\n1;a@example.com;Doe, Ann, MD, PhD\n2;b@example.com;a,b,c,d\n")
    assert chunk.delimiter == ";"


@pytest.mark.parametrize(
    ("text", "repaired"),
    [("JosÃ©", "José"), ("itâ€™s", "it’s"), ("“curly” ‘quotes’", "“curly” ‘quotes’"), ("ﬁne Ａ", "ﬁne Ａ")],
)
def test_ftfy_repairs_the_encoding_and_nothing_else(text: str, repaired: str) -> None:
    assert repair_text(text, is_human=True)[0] == repaired
    assert repair_text(text, is_human=False)[0] == text


@pytest.mark.parametrize("number", ["415-555-0123", "+442079460958", "+33199001234", "+61 491 570 156"])
def test_phone_numbers_of_the_samples_are_valid(number: str) -> None:
    assert phonenumbers.is_valid_number(phonenumbers.parse(number, "US"))


@pytest.mark.parametrize("number", ["+447700900219", "555-555-0100"])
def test_drama_numbers_are_not_valid_and_stay_out_of_samples(number: str) -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse(number, "US"))


def test_email_validator_keeps_the_local_part() -> None:
    assert validate_email("Ann.Doe@EXAMPLE.com", check_deliverability=False).normalized == "Ann.Doe@example.com"
    for refused in (" a@example.com", "mailto:a@example.com", "Ann <a@example.com>", "a@box.invalid"):
        with pytest.raises(EmailNotValidError):
            validate_email(refused, check_deliverability=False)


def test_libraries_that_were_left_out_stay_out() -> None:
    left_out = ("clevercsv", "babel", "price-parser", "dateparser", "nameparser", "probablepeople", "pycountry", "tldextract", "splink")
    assert [line for line in requires("crm_pipelines") or [] if line.lower().startswith(left_out)] == []

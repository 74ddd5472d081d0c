"""Likely duplicates: which pairs are offered, and which are not, by what a client could check on two rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.discovery.duplicates import LIMITS, SAID, WORTH, find_pairs
from crm_pipelines.discovery.plain_people import CROWD, PEOPLE_SCHEMA, SWITCHBOARD

Row = tuple[str | None, ...]
SMITH = ("Ann Smith", "02134", "Acme Ltd")
LINE = "+44 20 7946 0123"
OFFERED = {
    "the same in other letters": (SMITH, ("ANN SMITH", "02134", "ACME LTD"), "same_name"),
    "a company with and without its legal form": (SMITH, ("Ann Smith", None, "Acme"), "same_name"),
    "accents": (("José Núñez", "28013", None), ("Jose Nunez", "28013", None), "same_name"),
    "spaces in a postal code": (("Ann Smith", "SW1A 1AA", None), ("Ann Smith", "sw1a1aa", None), "same_name"),
    "a middle name": (SMITH, ("Ann Marie Smith", "02134", None), "middle_name"),
    "one letter of the last name": (SMITH, ("Ann Smitth", "02134", None), "last_name"),
    "the first letter of the last name": (SMITH, ("Ann Bmith", None, "Acme Ltd"), "last_name"),
    "one letter of the first name": (("Michael Smith", "02134", None), ("Micheal Smith", "02134", None), "first_name"),
    "a title": (SMITH, ("Dr. Ann Smith", "02134", None), "same_name"),
    "the last name first": (SMITH, ("Smith, Ann", "02134", None), "same_name"),
    "an initial": (SMITH, ("A. Smith", "02134", None), "initial"),
    "one of two last names": (("Ana Ruiz Mora", "28013", None), ("Ana Ruiz", "28013", None), "shorter"),
    "an umlaut written as two letters": (("Jörg Müller", "80331", None), ("Joerg Mueller", "80331", None), "same_name"),
    "a leading zero that a spreadsheet took": (SMITH, ("Ann Smith", "2134", None), "same_name"),
    "ZIP+4": (SMITH, ("Ann Smith", "02134-1001", None), "same_name"),
    "two legal forms, and a sign for a word": (("Ann Smith", None, "Fox & Co. KG"), ("Ann Smith", None, "Fox"), "same_name"),
    "the last name first, without a comma": (("Heike Moser", "17404", None), ("Moser Heike", "17404", None), "turned"),
    "two last names first": (("Ana Ruiz Mora", "28013", None), ("Ruiz Mora Ana", "28013", None), "turned"),
    "a short form": (("Robert Quiggle", "02134", "Acme"), ("Bob Quiggle", "02134", "Acme"), "short_name"),
    "a short form in German": (("Katharina Moser", None, "Fox AG"), ("Käthe Moser", None, "Fox AG"), "short_name"),
    "a slip in each name": (("Bernd Fuchs", "71135", None), ("Berrnd Fuch", "71135", None), "two_slips"),
    "a middle initial beside two last names": (("Ana Ruiz Mora", "28013", None), ("Ana M. Ruiz Mora", "28013", None), "middle_name"),
    "one letter of the second last name but one": (("Ana Ruiz Mora", "28013", None), ("Ana Ruis Mora", "28013", None), "between"),
    "a title of two words": (SMITH, ("Dipl.-Ing. Ann Smith", "02134", None), "same_name"),
    "a hyphen": (("Anna-Lena Moser", "80331", None), ("Annalena Moser", "80331", None), "same_name"),
    "an accent written as a letter of its own": (("Jose\u0301 Ruiz", "28013", None), ("José Ruiz", "28013", None), "same_name"),
    "the same telephone number": (("Ann Smith", "02134", None, LINE), ("Ann Smith", None, None, "020 7946 0123"), "same_name"),
    "a slip at one telephone number": (("Ann Smith", None, None, LINE), ("Ann Smitth", None, None, LINE), "last_name"),
    "another telephone number": (("Ann Smith", "02134", None, LINE), ("Ann Smith", "02134", None, "020 7946 0999"), "same_name"),
    "another company": (SMITH, ("Ann Smith", "02134", "Beta Ltd"), "same_name"),
    "another postal code": (SMITH, ("Ann Smith", "90210", "Acme Ltd"), "same_name"),
}
KEPT_APART = {
    "another postal code and company": (SMITH, ("Ann Smith", "90210", "Beta Ltd")),
    "other middle names": (("Ann Jo Smith", "02134", None), ("Ann Mary Smith", "02134", None)),
    "a father and his son": (("John Smith", "02134", None), ("John Smith Jr.", "02134", None)),
    "a family": (("Jan Novak", "02134", None), ("Jana Novak", "02134", None)),
    "colleagues": (SMITH, ("Bob Miller", None, "Acme Ltd")),
    "the same name and nothing else": (("Ann Smith", "02134", None), ("Ann Smith", None, "Acme Ltd")),
    "no last name": (("Ann", "02134", None), ("Ann", "02134", None)),
    "no name": ((None, "02134", None), (None, "02134", None)),
    "a family at one telephone number": (("Karl Moser", "02134", None, LINE), ("Anna Moser", "02134", None, LINE)),
    "a telephone number and nothing of the name": (("Karl Moser", None, None, LINE), ("Bob Miller", None, None, LINE)),
    "an extension for a number": (("Ann Smith", None, None, "123"), ("Ann Smith", None, None, "123")),
    "two of a family with one initial": (("J. Moser", "02134", None), ("Karl Moser", "02134", None)),
    "a first name and a double one": (("Karin Moser", "75001", None), ("Karin-Eva Moser", "75001", None)),
    "other words that are all in one of the two": (("Ann Jo Smith", "02134", None), ("Ann Mary Lee Smith", "02134", None)),
    "names of one character each": (("王 伟", "100000", None), ("王 刚", "100000", None)),
    "first names of two letters": (("Al Moser", "02134", None), ("Bo Moser", "02134", None)),
    "two letters apart": (SMITH, ("Ann Smythe", "02134", None)),
}


def pairs(tmp_path: Path, *rows: Row) -> list[tuple[str, str, str]]:
    found = found_among(tmp_path, *rows)
    return [(min(one, other), max(one, other), rule) for one, other, rule in found.select("first", "second", "rule").iter_rows()]


def found_among(tmp_path: Path, *rows: Row) -> pl.DataFrame:
    people = [dict(zip(PEOPLE_SCHEMA, (str(number), *row, None), strict=False)) for number, row in enumerate(rows)]
    pl.DataFrame(people, schema=PEOPLE_SCHEMA).write_parquet(tmp_path / "people.parquet")
    return find_pairs(tmp_path / "people.parquet", tmp_path / "found.parquet")


@pytest.mark.parametrize("case", OFFERED)
def test_people_who_look_like_one_are_offered(case: str, tmp_path: Path) -> None:
    first, second, rule = OFFERED[case]
    assert pairs(tmp_path, first, second) == [("0", "1", rule)]


@pytest.mark.parametrize("case", KEPT_APART)
def test_people_with_something_against_it_are_not(case: str, tmp_path: Path) -> None:
    first, second = KEPT_APART[case]
    assert pairs(tmp_path, first, second) == []


def test_a_first_name_that_many_carry_is_no_slip_of_another(tmp_path: Path) -> None:
    crowd = [(name, f"{number:05}", None) for number in range(60) for name in (f"Marie Other{number}", f"Maria Other{number}x")]
    assert pairs(tmp_path, ("Marie Smith", "02134", None), ("Maria Smith", "02134", None), *crowd) == []
    assert len(pairs(tmp_path, ("Marie Smith", "02134", None), ("Marje Smith", "02134", None), *crowd)) == 1


def test_a_common_name_in_a_large_place_is_no_sign(tmp_path: Path) -> None:
    crowd = [(name, f"{n:05}", None) for n in range(50) for name in (f"Kim{n} Smith", f"Ann Only{n}x")]
    common, rare = ("Ann Smith", "02134", None), ("Xanthe Quiggle", "02134", None)
    assert pairs(tmp_path, common, common, *crowd) == []
    assert pairs(tmp_path, rare, rare, *crowd) == [("0", "1", "same_name")]


def test_each_pair_comes_once_however_many_ways_lead_to_it(tmp_path: Path) -> None:
    assert sorted(pairs(tmp_path, SMITH, SMITH, SMITH)) == [("0", "1", "same_name"), ("0", "2", "same_name"), ("1", "2", "same_name")]


def test_every_rule_is_worded_and_has_a_worth() -> None:
    assert LIMITS.keys() == WORTH.keys() == SAID.keys()


def test_an_initial_that_fits_two_of_a_family_is_neither_of_them(tmp_path: Path) -> None:
    joan, jeffrey = ("Joan Moser", "02134", None), ("Jeffrey Moser", "02134", None)
    assert pairs(tmp_path, ("J. Moser", "02134", None), joan) == [("0", "1", "initial")]
    assert pairs(tmp_path, ("J. Moser", "02134", None), joan, jeffrey) == []


def test_a_switchboard_is_no_sign_and_a_shared_line_is_one(tmp_path: Path) -> None:
    ann, slip = ("Ann Moser", None, None, LINE), ("Ann Mosher", None, None, LINE)
    names = [chr(97 + number % 26) * 4 + chr(97 + number // 26) * 4 for number in range(SWITCHBOARD)]
    colleagues = [(f"{name} {name}", None, None, LINE) for name in names]
    assert pairs(tmp_path, ann, slip, *colleagues) == []
    assert pairs(tmp_path, ann, slip, *colleagues[:3]) == [("0", "1", "last_name")]


def test_a_name_of_thousands_of_letters_is_a_name_like_any(tmp_path: Path) -> None:
    endless = "x" * 3000
    rows = (
        (f"{endless} Smith", "02134", None),
        (f"{endless} Smith", "02134", None),
        (f"Ann {endless}", "02134", None),
        (endless, None, endless),
    )
    assert pairs(tmp_path, *rows) == [("0", "1", "same_name")]


def test_what_two_records_share_is_told(tmp_path: Path) -> None:
    found = found_among(tmp_path, (*SMITH, LINE), ("Ann Smith", "02134", "Beta Ltd", LINE))
    assert found.select("same_postcode", "same_company", "same_phone").rows() == [(True, False, True)]


def test_a_company_of_thousands_is_a_placeholder_and_says_nothing(tmp_path: Path) -> None:
    crowd = [(f"Ann{number} Smith", None, "Private") for number in range(CROWD)]
    assert pairs(tmp_path, ("Zoe Miller", None, "Private"), ("Zoe Miller", None, "Private"), *crowd) == []

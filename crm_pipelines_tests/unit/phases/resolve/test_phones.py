"""Telephone numbers of contacts that are one person: every number once, each read where it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from crm_pipelines.phases.resolve import ResolveSettings
from crm_pipelines_tests.lib.staged_objects import Row, resolved, row_of, staged

LONDON, LONDON_READ = {"phone": "020 7946 0123", "phone_country_code": "+44"}, "+442079460123"
AUSTIN, AUSTIN_READ = {"phone": "(415) 555-0123", "country": "United States"}, "+14155550123"


def person(*rows: Row, same: tuple[tuple[str, ...], ...] = ()) -> dict[str, Any]:
    numbered = [{"id": str(number), "email": "ann@example.com", **row} for number, row in enumerate(rows, 1)]
    return row_of(resolved(staged("contacts", numbered), settings=ResolveSettings(same=same)).frames["contacts"], "1")


CASES = [
    # what the merged rows say, and what the person has: first number, other numbers, texts that are no number
    ("two numbers", [LONDON, AUSTIN], (LONDON_READ, [AUSTIN_READ], None)),
    ("a twin's number, another country", [{"country": "United States"}, LONDON], (LONDON_READ, None, None)),
    (
        "a number without a country is left to what the person says",
        [{"phone": "020 7946 0123"}, {"country": "GB"}],
        ("020 7946 0123", None, None),
    ),
    ("one number, written twice", [LONDON, {"phone": "+44 (0)20 7946 0123"}], (LONDON_READ, None, None)),
    ("three rows", [{}, AUSTIN, {**LONDON}, {**AUSTIN}], (AUSTIN_READ, [LONDON_READ], None)),
    ("one cannot be read", [{"phone": "ask Maria"}, LONDON], (LONDON_READ, None, ["ask Maria"])),
    ("none can be read", [{"phone": "ask Maria"}, {"phone": "12"}, {"phone": "12"}], ("ask Maria", None, ["12"])),
    ("no number at all", [{}, {"phone": ""}], (None, None, None)),
    ("alone", [LONDON], ("020 7946 0123", None, None)),
]


@pytest.mark.parametrize(("rows", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_number_of_merged_contacts_is_kept_once(rows: list[Row], expected: tuple[object, ...]) -> None:
    one = person(*({"phone": None, "phone_country_code": None, "country": None, **row} for row in rows))
    assert (one["phone"], one["other_phones"], one["unread_phones"]) == expected


def test_declared_ones_keep_their_numbers_too_and_the_first_named_comes_first() -> None:
    rows = [{**LONDON, "email": "a@example.com", "country": None}, {**AUSTIN, "email": "b@example.com"}]
    numbered = [{"id": str(number), **row} for number, row in enumerate(rows, 1)]
    result = resolved(staged("contacts", numbered), settings=ResolveSettings(same=(("2", "1"),)))
    one = row_of(result.frames["contacts"], "2")
    assert (one["phone"], one["other_phones"]) == (AUSTIN_READ, [LONDON_READ])

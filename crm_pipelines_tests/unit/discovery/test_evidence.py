"""What values look like: kind by kind, with values that only resemble it."""

from __future__ import annotations

import pytest

from crm_pipelines.discovery.evidence import likenesses

SURE = [
    ("email", ("ann@example.com", "b.lee@example.org")),
    ("phone", ("+1 415 555 0123", "020 7946 0111", "(415) 555-0199")),
    ("mobile", ("0171 3920012", "+44 7700 900123")),
    ("url", ("https://acme.example.com/a", "www.example.org")),
    ("linkedin", ("https://www.linkedin.com/in/example-ann",)),
    ("country", ("DE", "Deutschland", "Estados Unidos", "France")),
    ("postal_code", ("78701", "SW1A 1AA", "K1A 0B1")),
    ("money", ("1.200,00", "$ 3,400.50", "98,00 €")),
    ("date", ("2024-05-06", "06.05.2024", "5/6/2024", "6 mai 2024")),
    ("datetime", ("2024-05-06T10:00:00Z", "06.05.2024 09:15")),
    ("boolean", ("ja", "nein", "ja")),
    ("full_name", ("Ann Ashcroft", "Lee, Robert", "Frau Kaluza")),
    ("company", ("Müller GmbH", "Durand SARL", "Mendia Textil S.L.", "Acme Inc.")),
    ("percent", ("20 %", "55%")),
    ("currency", ("EUR", "USD", "Euro")),
    ("language", ("de-DE", "English", "français")),
    ("tax_id", ("DE123456789", "FR00000000011")),
    ("range", ("11-50", "51-200", "> 500")),
    ("street", ("Hauptstr. 9", "27 avenue Foch", "C/ Luna 3", "5 Kiln Lane")),
    ("list", ("vip;newsletter", "a|b")),
    ("ip", ("192.0.2.1", "2001:db8:0:0::1")),
    ("hash", ("3da541559918a808c2402bba5012f6c6",)),
    ("uuid", ("123e4567-e89b-12d3-a456-426614174000",)),
    ("birthday", ("1970-02-01", "1986-09-13")),
    ("job_title", ("Geschäftsführer", "Sales manager", "Directrice")),
]


@pytest.mark.parametrize(("kind", "values"), SURE, ids=[kind for kind, _ in SURE])
def test_values_are_known_by_their_kind(kind: str, values: tuple[str, ...]) -> None:
    assert likenesses(values)[kind] >= 0.85


UNLIKE = [
    ("phone", ("2024-05-06", "1.200,00", "12", "192.0.2.1")),
    ("email", ("ann at example.com", "@ann")),
    ("birthday", ("2024-05-06", "2023-01-01")),
    ("full_name", ("Müller GmbH", "Sales manager", "Hauptstr. 9")),
    ("country", ("no", "in", "hello")),
    ("company", ("Ann Lee", "Berlin")),
    ("tax_id", ("ann", "2024-05-06")),
]


@pytest.mark.parametrize(("kind", "values"), UNLIKE, ids=[kind for kind, _ in UNLIKE])
def test_values_that_only_resemble_a_kind_are_not_taken_for_it(kind: str, values: tuple[str, ...]) -> None:
    assert likenesses(values).get(kind, 0.0) <= 0.25


def test_a_likeness_is_the_share_of_the_filled_values() -> None:
    found = likenesses(("ann@example.com", "", "bob@example.org", "none", "   ", "tba"))
    assert found["email"] == 0.5


def test_an_empty_column_is_like_nothing() -> None:
    assert likenesses(()) == {}
    assert likenesses(("", "  ")) == {}


def test_a_column_of_few_words_reads_as_a_choice() -> None:
    assert likenesses(("M", "L", "S", "M") * 10)["enum"] > 0.8
    assert likenesses(tuple(f"word {number}" for number in range(40))).get("enum", 0.0) == 0.0

"""Headings read into canonical words: cases, accents, abbreviations, prefixes, compounds."""

from __future__ import annotations

import pytest

from crm_pipelines.discovery.headings import fold, read_heading
from crm_pipelines.discovery.lexicon import load_lexicon

READ = [
    ("PhoneNumber", ("phone", "number")),
    ("phone_number", ("phone", "number")),
    ("CUST_TEL_NO", ("cust", "telephone", "number")),
    ("Tel.-Nr.", ("telephone", "number")),
    ("E-Mail-Adresse", ("email", "address")),
    ("e_mail", ("email",)),
    ("N° de TVA", ("number", "tva")),
    ("C.P.", ("cp",)),
    ("Straße und Hausnr.", ("street", "hausnummer")),
    ("Handynummer", ("mobile", "number")),
    ("Geburtsdatum", ("geburt", "date")),
    ("Closing dt", ("closing", "date")),
    ("Opt-In", ("optin",)),
    ("of the", ("of", "the")),
]


@pytest.mark.parametrize(("heading", "words"), READ, ids=[heading for heading, _ in READ])
def test_a_heading_is_read_into_canonical_words(heading: str, words: tuple[str, ...]) -> None:
    assert read_heading(heading, load_lexicon().words).words == words


def test_units_and_the_object_before_a_colon_are_set_aside() -> None:
    said = read_heading("Contact: Duration [min]", load_lexicon().words)
    assert (said.words, said.units, said.prefix) == (("duration",), ("minutes",), ("contact",))


def test_folding_forgets_case_and_accents() -> None:
    assert fold("Größe ÉTÉ Ñandú") == "grosse ete nandu"
    assert fold("R&amp;D") == "r&d"

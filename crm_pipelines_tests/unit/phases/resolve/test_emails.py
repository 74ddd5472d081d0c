"""What an e-mail cell says: the address that is sent, the key it matches by, and what is wrong with it."""

from __future__ import annotations

import polars as pl
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipelines.phases.resolve.emails import plain_email, with_emails

NBSP, ZERO_WIDTH = "\u00a0", "\u200b"

CELLS = [
    # cell, address that is sent, match key, problem
    ("Ann@Example.COM", "Ann@example.com", "ann@example.com", None),
    (f" {ZERO_WIDTH}ann@example.com{NBSP} ", "ann@example.com", "ann@example.com", None),
    ("mailto:Ann@example.com", "Ann@example.com", "ann@example.com", None),
    ("MAILTO:ann@example.com?subject=hi", "ann@example.com", "ann@example.com", None),
    ("Ann Lee <Ann@Example.com>", "Ann@example.com", "ann@example.com", None),
    ("<mailto:ann@example.com>", "ann@example.com", "ann@example.com", None),
    ("ann+news@example.com", "ann+news@example.com", "ann+news@example.com", None),
    ("Info@example.com", "Info@example.com", "info@example.com", None),
    ("STRASSE@example.com", "STRASSE@example.com", "strasse@example.com", None),
    ("Straße@example.com", "Straße@example.com", "straße@example.com", None),  # another mailbox than strasse
    ("info@Fußball.example.com", "info@fußball.example.com", "info@fußball.example.com", None),  # another domain than fussball (IDNA 2008)
    ("JÖRG@example.com", "JÖRG@example.com", "jörg@example.com", None),
    ("ann@@example.com", None, None, "unusable_email"),
    ("ann@example", None, None, "unusable_email"),
    ("ann.example.com", None, None, "unusable_email"),
    ("a@b.com, c@d.com", None, None, "unusable_email"),
    ("ann@site.invalid", None, None, "unusable_email"),
    ("", None, None, "no_email"),
    (f" {NBSP}", None, None, "no_email"),
    ("N/A", None, None, "no_email"),
    (None, None, None, "no_email"),
]


def judged(cells: list[str | None]) -> list[tuple[object, ...]]:
    frame = with_emails(pl.DataFrame({"email": cells}, schema={"email": pl.String}), "email")
    return frame.select("email_normal", "email_match_key", "email_problem").rows()


@pytest.mark.parametrize(("cell", "address", "match_key", "problem"), CELLS)
def test_a_cell_is_an_address_or_says_why_not(cell: str | None, address: str | None, match_key: str | None, problem: str | None) -> None:
    assert judged([cell]) == [(address, match_key, problem)]


def test_a_file_without_the_column_has_no_addresses() -> None:
    frame = with_emails(pl.DataFrame({"id": [1]}), "email")
    assert frame["email_problem"].to_list() == ["no_email"]


ALPHABET = "aZ9.-_+@x"
ADDRESSES = st.one_of(
    st.text(ALPHABET, max_size=24),
    st.builds("{}@{}".format, st.text("aB.-_+'", min_size=1, max_size=70), st.text("aB9.-", min_size=1, max_size=70)),
    st.builds("{}.{}".format, st.emails(), st.sampled_from(["test", "Local", "onion", "co.uk", "x", "c0m"])),
    st.emails(),
)


@settings(deadline=None)  # the library compiles its tables on first use
@given(st.lists(ADDRESSES, min_size=1, max_size=20))
def test_the_fast_way_never_takes_what_the_library_refuses(texts: list[str]) -> None:
    taken = pl.DataFrame({"text": texts}).filter(plain_email(pl.col("text")))["text"].to_list()
    for text in taken:
        try:
            found = validate_email(text, check_deliverability=False)
        except EmailNotValidError:
            pytest.fail("the fast way took an address that the library refuses")
        assert found.domain == text.rpartition("@")[2].lower()

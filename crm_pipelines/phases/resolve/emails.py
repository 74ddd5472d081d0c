"""E-mail addresses: the form that is sent, and the key by which two of them are one person.

Belongs here: unwrapping, syntax, normal form, match key. Not here: which contact an address belongs to (links),
what waits because of it (contacts). A plain ASCII address takes a regular expression that accepts only what
email_validator accepts too; everything else goes to the library, once per distinct text.
"""

from __future__ import annotations

import re

import polars as pl
from email_validator import EmailNotValidError, validate_email

OUTER = " \t\r\n\u00a0\u200b\u200c\u200d\u2060\ufeff"
# A subset of what email_validator 2.4 takes: a dot-atom, labels without "--" (IDNA), a top level of letters.
# The domain is at most 63 characters, so no label can be longer; the special-use names are left to the library.
PLAIN = r"^[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+(?:\.[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,}$"
SPECIAL_USE = r"(?i)\.(?:arpa|invalid|local|localhost|onion|test)$"
LOCAL_MAX, DOMAIN_MAX = 64, 63
WRAPPED = re.compile(r"^[^<>]*<\s*([^<>]+?)\s*>$")


def plain_email(expr: pl.Expr) -> pl.Expr:
    """Tell which texts are addresses beyond doubt; false leaves the question open."""
    local, domain = expr.str.extract("^([^@]*)@", 1), expr.str.extract("@(.*)$", 1)
    short = (local.str.len_chars() <= LOCAL_MAX) & (domain.str.len_chars() <= DOMAIN_MAX)
    return (expr.str.contains(PLAIN) & short & ~expr.str.contains(SPECIAL_USE)).fill_null(value=False)


def unwrapped(text: str) -> str:
    """Return an address without outer spaces, `mailto:` and the display form around it."""
    bare = text.strip(OUTER)
    if found := WRAPPED.match(bare):
        bare = found.group(1).strip(OUTER)
    return bare[7:].partition("?")[0].strip(OUTER) if bare.casefold().startswith("mailto:") else bare


def normal_email(text: str) -> str | None:
    """Return the address with its domain lower-cased and its local part kept; None when it is unusable."""
    bare = unwrapped(text)
    try:
        validate_email(bare, check_deliverability=False)
    except EmailNotValidError:
        return None
    local, _, domain = bare.rpartition("@")
    return f"{local}@{domain.lower()}"


def with_emails(frame: pl.DataFrame, source: str) -> pl.DataFrame:
    """Add `email_normal`, `email_match_key` and `email_problem` (null, `no_email` or `unusable_email`) of the texts in `source`."""
    bare = pl.col("_text").str.strip_chars(OUTER)
    lowered = pl.concat_str([bare.str.extract("^([^@]*@)", 1), bare.str.extract("@(.*)$", 1).str.to_lowercase()])
    texts = pl.col(source).cast(pl.String()) if source in frame.columns else pl.lit(None, dtype=pl.String())
    marked = frame.with_columns(texts.alias("_text")).with_columns(plain_email(bare).alias("_plain"))
    doubtful = marked.filter(~pl.col("_plain") & pl.col("_text").is_not_null())["_text"].unique().to_list()
    normals = {text: normal_email(text) for text in doubtful}
    keys = {text: normal.lower() if normal is not None else None for text, normal in normals.items()}  # casefold makes one of ß and ss
    blank = pl.col("_text").is_null() | (bare == "") | (bare.str.to_lowercase() == "n/a")
    return (
        marked.with_columns(
            pl.when("_plain").then(lowered).otherwise(_looked_up(normals)).alias("email_normal"),
            pl.when("_plain").then(lowered.str.to_lowercase()).otherwise(_looked_up(keys)).alias("email_match_key"),
        )
        .with_columns(
            pl.when(blank)
            .then(pl.lit("no_email"))
            .when(pl.col("email_normal").is_null())
            .then(pl.lit("unusable_email"))
            .alias("email_problem")
        )
        .drop("_text", "_plain")
    )


def _looked_up(table: dict[str, str | None]) -> pl.Expr:
    if not table:
        return pl.lit(None, dtype=pl.String())
    return pl.col("_text").replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.String())

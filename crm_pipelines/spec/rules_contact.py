"""Rules over names, addresses, e-mail and telephone numbers.

Belongs here: what people are called and how they are reached. Not here: making two spellings one person
(phases.resolve), country names (countries).
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
import polars as pl

from crm_pipelines.spec import countries
from crm_pipelines.spec.rules import rule
from crm_pipelines.spec.rules_text import SPACES, filled

SPREADSHEET_NUMBER = re.compile(r"^\d[.,]\d+E\+?\d+$", re.IGNORECASE)
"""What a spreadsheet makes of a long number: its digits are lost."""
DISGUISE = re.compile("^\\s*tel:|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", re.IGNORECASE)
"""What copied numbers carry along: a link's scheme, invisible marks of direction."""
BETWEEN_NUMBERS = re.compile(r"[/;,|&\n]|\b(?:or|and)\b", re.IGNORECASE)
LEAST_DIGITS = 6
"""Fewer digits than this are no telephone number of their own (an extension, a code)."""
SCHEME = r"^[A-Za-z0-9+,.-]+:"
"""What counts as the scheme of an address (`https:`), unless nothing but digits follows: then it is host and port."""
EMAIL = r"^[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\.]{2,}$"


@rule("text", gives="text")
def full_name(*columns: pl.Expr) -> pl.Expr:
    """The parts of a name that are not empty, joined by one space; inner spaces collapsed, case kept."""
    joined = pl.concat_str([filled(column) for column in columns], separator=" ", ignore_nulls=True)
    return filled(joined.str.replace_all(SPACES, " "))


@rule("text", gives="text")
def email(column: pl.Expr) -> pl.Expr:
    """An e-mail address: `mailto:` and `Name <a@b>` unwrapped, the domain in small letters; empty when it is no address."""
    inner = filled(column).str.replace(r"(?is)^.*<([^<>]*)>.*$", "${1}").str.strip_chars().str.replace(r"(?i)^mailto:", "")
    parts = inner.str.strip_chars().str.splitn("@", 2)
    address = pl.concat_str([parts.struct.field("field_0"), parts.struct.field("field_1").str.to_lowercase()], separator="@")
    usable = address.str.contains(EMAIL) & ~address.str.contains(r"\.\.|\.@|@\.|^\.|@-")
    return pl.when(usable).then(address)


@rule("text", gives="text")
def mailbox(column: pl.Expr) -> pl.Expr:
    """An e-mail address as lists of refusals keep it: in small letters; what stands before the @ keeps its case where it holds letters
    beyond plain ASCII."""
    local, domain = filled(column).str.extract("^(.*)@", 1), filled(column).str.extract("@([^@]*)$", 1)
    box = pl.when(local.str.len_chars() == local.str.len_bytes()).then(local.str.to_lowercase()).otherwise(local)
    return pl.concat_str([box, domain.str.to_lowercase()], separator="@")


@rule("text", gives="address")
def address(*columns: pl.Expr, parts: list[str]) -> pl.Expr:
    """A postal address: one line of all that is not empty, joined by commas, and its parts. `parts` names the part that each
    column is (`value`: only in the line)."""
    cells = [filled(column.str.replace_many(["\r\n", "\n", "\r"], [" ", " ", " "])) for column in columns]
    line = pl.concat_str(cells, separator=", ", ignore_nulls=True)
    named = [cell.alias(part) for cell, part in zip(cells, parts, strict=True) if part != "value"]
    return pl.when(line != "").then(pl.struct([line.alias("value"), *named]))


@rule("text", gives="text")
def country_code(column: pl.Expr) -> pl.Expr:
    """The ISO code of a country, `GB`, from its code or English name as exported; empty when it is not known."""
    return filled(column).map_batches(_codes, return_dtype=pl.String, is_elementwise=True)


def _codes(names: pl.Series) -> pl.Series:
    distinct = names.drop_nulls().unique().to_list()
    return names.replace_strict(distinct, [countries.country_code(name) for name in distinct], default=None, return_dtype=pl.String)


@rule("text", gives="text")
def web_address(column: pl.Expr) -> pl.Expr:
    """A web address as it stands, with `http://` in front when it names no scheme. `example.com:8080` is host and port;
    an empty query or fragment goes with its mark then."""
    value = filled(column)
    has_scheme = value.str.contains(SCHEME) & ~value.str.contains(SCHEME + "[0-9]+$")
    bare = value.str.replace(r"^([^#]*)#$", "${1}").str.replace(r"^([^?#]*)\?(#|$)", "${1}${2}").str.replace("^//", "")
    prefix = pl.when(bare.str.contains("^(?:$|[?#])")).then(pl.lit("http:")).otherwise(pl.lit("http://"))
    return pl.when(has_scheme).then(value).otherwise(pl.concat_str([prefix, bare]))


@rule("text", gives="text")
def phone(number: pl.Expr, calling_code: pl.Expr, country: pl.Expr) -> pl.Expr:
    """A telephone number in international form, +442079460123, an extension as ` x371`. With + or 00 it stands as written; else the
    calling code tells the country, else the country's name. Empty when it is not exactly one possible number."""
    cells = pl.struct(filled(number).alias("number"), filled(calling_code).alias("code"), filled(country).alias("country"))
    return cells.map_batches(_phones, return_dtype=pl.String, is_elementwise=True)


def _phones(cells: pl.Series) -> pl.Series:
    frame = cells.struct.unnest()
    columns = (frame[name].to_list() for name in ("number", "code", "country"))
    numbers = [None if number is None else international(number, code, country) for number, code, country in zip(*columns, strict=True)]
    return pl.Series(numbers, dtype=pl.String)


@lru_cache(maxsize=65_536)
def international(number: str, calling_code: str | None, country: str | None) -> str | None:
    """Return one number in E.164 with its extension, or None."""
    if SPREADSHEET_NUMBER.match(number.replace(" ", "")) or _holds_several(number):
        return None
    written = re.sub(r"^\s*(?:\(\s*)?00(?=[\s\d(])", "+", DISGUISE.sub("", number))
    is_international = written.lstrip(" (").startswith("+")
    region = None if is_international else _region(calling_code, country)
    if region is None and not is_international:
        return None
    try:
        parsed = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    e164 = str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    return f"{e164} x{parsed.extension}" if parsed.extension else e164


def _holds_several(number: str) -> bool:
    pieces = BETWEEN_NUMBERS.split(number)
    return sum(len(re.sub(r"\D", "", piece)) >= LEAST_DIGITS for piece in pieces) > 1


@lru_cache(maxsize=4096)
def _region(calling_code: str | None, country: str | None) -> str | None:
    """Return the region that a calling code (`+44`, `44`, `0044`, `GB`) names, else the country's."""
    digits = re.sub(r"\D", "", calling_code or "").lstrip("0")
    if digits:
        region = str(phonenumbers.region_code_for_country_code(int(digits)))
        if region not in ("ZZ", "001"):
            return region
    return countries.country_code(calling_code) or countries.country_code(country)

"""How text survives a spreadsheet: characters that XML forbids, and text that a spreadsheet would take for a formula.

Belongs here: encoding and decoding of single texts. Not here: files.
"""

from __future__ import annotations

import re

# "_xHHHH_" stands for a character that cannot be written, "_x005F_" for an underscore that would start such a word: ECMA-376 part 1,
# 22.9.2.19 ST_Xstring. A bare CR is escaped too, since XML parsers turn it into LF.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")

# What a spreadsheet runs: OWASP "CSV Injection", read 2026-11; full-width signs and blanks before the sign count too.
_FORMULA = re.compile("\\s*[=+\\-@＝＋－＠]|[\t\r\n]")
_QUOTABLE = re.compile(f"'*(?:{_FORMULA.pattern})")


def is_like_formula(text: str) -> bool:
    """Whether a spreadsheet might run a text instead of showing it."""
    return _FORMULA.match(text) is not None


def to_xml(text: str) -> str:
    """Return a text with every character that a workbook's XML cannot hold written as `_xHHHH_`."""
    return _FORBIDDEN.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def from_xml(text: str) -> str:
    """Return the text that `to_xml` was given; also what spreadsheets themselves wrote so."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def to_csv(text: str) -> str:
    """Return a text with one apostrophe before it if a spreadsheet might run it, or if it looks like one so quoted."""
    return f"'{text}" if _QUOTABLE.match(text) else text


def from_csv(text: str) -> str:
    """Return the text that `to_csv` was given: one apostrophe less, where one stands before a text it would have quoted."""
    return text[1:] if text.startswith("'") and _QUOTABLE.match(text) else text

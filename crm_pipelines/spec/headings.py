"""When two headings are one: the form in which headings are compared and columns are named.

Belongs here: text -> name. Not here: which column of a contract a heading is (sources.headings, ObjectContract.column_of).
"""

from __future__ import annotations

import html
import re
import unicodedata

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
NOT_A_NAME = re.compile(r"[^\w]+")
RAW_PREFIX = "raw_"
"""Prefix of columns that hold a cell's text as it stood in the file."""


def normalise_heading(raw: str) -> str:
    """Reduce a heading to lower snake case: entities, invisible characters, case and punctuation go."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", html.unescape(raw)))
    return NOT_A_NAME.sub("_", text.casefold()).strip("_")


def plain_heading(raw: str) -> str:
    """Return a heading without entities, invisible characters and outer spaces."""
    return INVISIBLE.sub("", html.unescape(raw)).strip()


def column_name(raw: str) -> str:
    """Return the name under which an unknown heading's column stands in a staged frame, where no other has it."""
    name = normalise_heading(raw) or "column"
    return f"column_{name}" if name.startswith(RAW_PREFIX) else name

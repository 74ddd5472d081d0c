"""Words of the planted contacts: names, companies and places of four languages, heads first.

Belongs here: reading twins_words.txt. Not here: how often each word is drawn, and what is done to it (twins_planted, twins_slips).
"""

from __future__ import annotations

import re
from pathlib import Path

LANGUAGES = ("en", "de", "es", "fr")
WORDS = Path(__file__).with_name("twins_words.txt")
WITH_BLANKS = ("trades", "places", "legal", "no_company", "titles")


def _read() -> dict[str, list[str]]:
    """Read the words of each section."""
    parts = re.split(r"^\[(.+)\]$", WORDS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {name: _split(name, body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _split(name: str, body: str) -> list[str]:
    has_blanks = name.partition(".")[0] in WITH_BLANKS
    return [" ".join(word.split()) for word in (body.split(",") if has_blanks else body.split())]


SECTIONS = _read()


def _of_each(kind: str) -> dict[str, list[str]]:
    return {language: SECTIONS[f"{kind}.{language}"] for language in LANGUAGES}


GIVEN, FAMILY, FAMILY_STARTS, FAMILY_ENDS = (_of_each(kind) for kind in ("given", "family", "family_starts", "family_ends"))
TRADES, PLACES, LEGAL, NO_COMPANY, TITLES = (_of_each(kind) for kind in WITH_BLANKS)
COMPANY_STARTS, COMPANY_ENDS = SECTIONS["company_starts"], SECTIONS["company_ends"]
ALIKE, NICKNAMES, HEARD = SECTIONS["alike"], SECTIONS["nicknames"], SECTIONS["heard"]

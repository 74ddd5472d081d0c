"""What a heading says: accents and case folded, words apart, abbreviations written out, units and object prefixes set aside.

Belongs here: text to canonical words. Not here: the tables of words (lexicon, aliases/words.yaml), how like two headings are (names),
matching headings to the columns of a source (sources.headings).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

CAMEL = re.compile(r"(?<=[a-zà-öø-ÿ0-9])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")
DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}")
NUMERO = re.compile(r"(?:\bn|\bno)\s*[°º]\.?|#", re.IGNORECASE)
E_MAIL = re.compile(r"\be[\s_.-]?mail", re.IGNORECASE)
PREFIX = re.compile(r"^\s*([\w .'-]{2,30}?)\s*(?:::|:|>|/(?=\s)|\|)\s*(?=\S)")
UNIT = re.compile(r"[\[({]([^\])}]*)[\])}]")
JOINED = {
    "opt in": "optin",
    "opt out": "optout",
    "linked in": "linkedin",
    "web site": "website",
    "zip code": "zip",
    "post code": "postcode",
    "t shirt": "tshirt",
    "sub scribed": "subscribed",
    "pay pal": "paypal",
    "what s app": "whatsapp",
    "u st id nr": "ustid",
    "u st id": "ustid",
    "ust id nr": "ustid",
    "ust id": "ustid",
    "ust idnr": "ustid",
}
LINKS = ("s", "es", "n", "en", "e", "")
SHORT_PARTS = frozenset({"nr", "id", "no", "tel", "ort", "art", "job", "zip", "tag", "typ", "url", "day", "dat", "nom"})
SQUEEZED = SHORT_PARTS | set(
    re.findall(
        r"\w+",
        "ac ad cd co cp cod cli emp fec fon geb grp iva kto kz lkz mgr mob mwst num nbr no opp org plz pos qty qte raz rep seg "
        "soc ste str tfn ust vat web amt bez cat cnt cty dep dte eml fam fax fee fld frm got grp hdy ind lbl len loc mod nam pct "
        "prc prd prj pst ref reg rev src stg sts tax ttl tva unt usr vrn wrg yr ",
    )
)
"""Parts of names that a database squeezed together (`CTRYCD`); looked for only in words that nobody knows as a whole."""
SHORTENED = re.compile(r"([^\W\d_]+)\.(?!\w{2,3}\b\.)")
PART_MIN, WHOLE_MIN, SQUEEZED_MIN = 4, 7, 5


@dataclass(frozen=True)
class Words:
    """The vocabulary that headings are read with."""

    same: Mapping[str, str]
    """Other spelling -> canonical word."""
    stop: Collection[str]
    known: Collection[str]
    """Words that long compounds are taken apart into."""


@dataclass(frozen=True)
class Said:
    """One heading, read."""

    text: str
    """Folded, with spaces; nothing expanded or dropped."""
    words: tuple[str, ...]
    """Canonical words, stop words dropped."""
    units: tuple[str, ...] = ()
    """Words that stood in brackets."""
    prefix: tuple[str, ...] = ()
    """Words before a colon, which name the object: `Contact: Phone`."""
    short: frozenset[str] = frozenset()
    """Words that end in a full stop, which shortens them: `Observ.`."""


def fold(text: str) -> str:
    """Return text in lower case without accents; ß becomes ss."""
    if text.isascii() and "&" not in text:
        return text.casefold()
    plain = unicodedata.normalize("NFKD", html.unescape(text).replace("ß", "ss").replace("ẞ", "ss").replace("’", "'"))
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def read_heading(heading: str, words: Words) -> Said:
    """Read a heading into canonical words.

    Shape: `words` has what is left of stop words; a heading of stop words only keeps them.
    """
    prefix, rest = _prefix(heading)
    units = tuple(word for found in UNIT.findall(rest) for word in _canonical(_split(found), words))
    bare = UNIT.sub(" ", rest).strip() or rest
    short = frozenset(fold(found) for found in SHORTENED.findall(DOTTED.sub(" ", rest)))
    return Said(" ".join(_split(rest)), _canonical(_split(bare), words), units, _canonical(_split(prefix), words), short)


def _prefix(heading: str) -> tuple[str, str]:
    found = PREFIX.match(heading)
    return (found.group(1), heading[found.end() :]) if found else ("", heading)


def _split(text: str) -> list[str]:
    """Return the folded words of a text, camelCase and snake_case taken apart."""
    spelled = E_MAIL.sub(lambda found: "Email" if found.group()[0] == "E" else "email", NUMERO.sub(" number ", text))
    spelled = DOTTED.sub(lambda found: found.group().replace(".", "") + " ", spelled)
    folded = fold(CAMEL.sub(" ", spelled).replace("%", " percent "))
    tokens = re.findall(r"[^\W_]+", folded)
    return _joined(tokens)


def _joined(tokens: list[str]) -> list[str]:
    """Put words together that are written apart by taste (opt in, web site)."""
    text = f" {' '.join(tokens)} "
    for apart, together in JOINED.items():
        text = text.replace(f" {apart} ", f" {together} ")
    return text.split()


def _canonical(tokens: list[str], words: Words) -> tuple[str, ...]:
    made: list[str] = []
    for token in tokens:
        for part in (token,) if token in words.same else _parts(token, words.known):
            made.append(words.same.get(part, part))
    kept = [word for word in made if word not in words.stop]
    return tuple(dict.fromkeys(kept or made))


def _parts(token: str, known: Collection[str]) -> tuple[str, ...]:
    """Take a compound apart into known words (`firmenname` -> firmen, name); one that is not made of them stays whole."""
    if token not in known and len(token) >= SQUEEZED_MIN and (squeezed := _squeezed(token, known)):
        return squeezed
    if len(token) < WHOLE_MIN:
        return (token,)
    for at in range(len(token) - 2, 2, -1):
        head, tail = token[:at], token[at:]
        if not _is_part(tail, known):
            continue
        if (stem := _stem(head, known)) is not None:
            return (stem, tail)
    return (token,)


def _squeezed(token: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the two or three known words that a word is put together from without any link, longest tail first."""
    for at in range(2, len(token) - 1):
        head, tail = token[:at], token[at:]
        if not _is_squeezed(tail, known):
            continue
        if _is_squeezed(head, known):
            return (head, tail)
        if len(head) >= SQUEEZED_MIN and (before := _squeezed(head, known)):
            return (*before, tail)
    return ()


def _is_squeezed(text: str, known: Collection[str]) -> bool:
    return text in SQUEEZED or (len(text) >= PART_MIN and text in known)


def _stem(head: str, known: Collection[str]) -> str | None:
    for link in LINKS:
        if head.endswith(link) and _is_part(stem := head[: len(head) - len(link)], known):
            return stem
    return None


def _is_part(text: str, known: Collection[str]) -> bool:
    return text in known and (len(text) >= PART_MIN or text in SHORT_PARTS)

"""Name cells: several alphabets, and what exports do to them.

Belongs here: the four name columns and the company column. Not here: which contact gets which trouble (people).
"""

from __future__ import annotations

import random
from collections.abc import Callable

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.world import Cell, plain

Names = dict[str, Cell]
NBSP, ZERO_WIDTH = "\u00a0", "\u200b"


def usual(rng: random.Random) -> Names:
    """Return a first and last name, now and then a middle name or a second surname."""
    names = {"first_name": plain(rng.choice(words.FIRST)), "last_name": plain(rng.choice(words.LAST))}
    if rng.random() < 0.06:
        names["middle_name"] = plain(rng.choice(words.MIDDLE))
    if rng.random() < 0.05:
        names["last_name2"] = plain(rng.choice(words.SECOND_LAST))
    return names


def other_script(rng: random.Random) -> Names:
    """Return a name in Cyrillic, Greek, Georgian, Armenian or Devanagari."""
    return _pair(*rng.choice(words.OTHER_SCRIPTS))


def rtl_or_cjk(rng: random.Random) -> Names:
    """Return a name written from right to left, or in CJK characters."""
    return _pair(*rng.choice(words.RTL_OR_CJK))


def emoji(rng: random.Random) -> Names:
    """Return a first name that ends in an emoji."""
    names = usual(rng)
    names["first_name"] = plain(f"{names['first_name'].text} {rng.choice(words.EMOJI)}")
    return names


def mojibake(rng: random.Random) -> Names:
    """Return a name whose UTF-8 was once read as cp1252."""
    name = rng.choice(words.MOJIBAKE)
    names = usual(rng)
    names["first_name"] = Cell(name.encode().decode("cp1252"), name)
    return names


def entity(rng: random.Random) -> Names:
    """Return a surname with HTML entities."""
    text, meaning = rng.choice(words.ENTITIES)
    return {**usual(rng), "last_name": Cell(text, meaning)}


def no_last_name(rng: random.Random) -> Names:
    """Return only a first name, as opt-in forms ask for."""
    return {"first_name": plain(rng.choice(words.FIRST))}


def whole_in_first(rng: random.Random) -> Names:
    """Return the whole name in the first column."""
    return {"first_name": plain(f"{rng.choice(words.FIRST)} {rng.choice(words.LAST)}")}


def none_at_all(_: random.Random) -> Names:
    """Return no name; the e-mail has to do."""
    return {}


def shouted(rng: random.Random) -> Names:
    """Return a name in capitals; case is kept."""
    return {"first_name": plain(rng.choice(words.FIRST).upper()), "last_name": plain(rng.choice(words.LAST).upper())}


def spaced(rng: random.Random) -> Names:
    """Return a name with stray NBSP, zero-width and doubled spaces."""
    first, last = rng.choice(words.FIRST), rng.choice(words.LAST)
    return {
        "first_name": Cell(f"{NBSP}{first}  Ann ", f"{first} Ann"),
        "last_name": Cell(f"{ZERO_WIDTH}{last}{NBSP}", last),
    }


def not_available(rng: random.Random) -> Names:
    """Return a name whose last part says N/A."""
    return {"first_name": plain(rng.choice(words.FIRST)), "last_name": Cell(rng.choice(("N/A", "n/a")), None)}


KINDS: dict[str, Callable[[random.Random], Names]] = {
    "emoji": emoji,
    "entity": entity,
    "mojibake": mojibake,
    "in_capitals": shouted,
    "not_available": not_available,
    "without_last": no_last_name,
    "missing": none_at_all,
    "other_script": other_script,
    "rtl_or_cjk": rtl_or_cjk,
    "stray_spaces": spaced,
    "whole_in_first": whole_in_first,
}


def company_pool(rng: random.Random, count: int) -> list[str]:
    """Return `count` different company names, at most as many as the words give."""
    every = [f"{first} {second}" for first in words.COMPANY_FIRST for second in words.COMPANY_SECOND]
    return rng.sample(every, min(count, len(every)))


def company_cell(rng: random.Random, name: str) -> tuple[Cell, str]:
    """Return one spelling of a company, and which kind of spelling it is."""
    draw = rng.random()
    if draw < 0.04:
        return plain(name.upper()), "company_in_capitals"
    if draw < 0.08:
        return plain(name.lower()), "company_in_small_letters"
    if draw < 0.12:
        return Cell(f" {name.replace(' ', '  ', 1)} ", name), "company_spaces"
    if draw < 0.14:
        return Cell(name.replace("&", "&amp;"), name), "company_entity" if "&" in name else ""
    return plain(name), ""


def _pair(first: str, last: str) -> Names:
    return {"first_name": plain(first), "last_name": plain(last)}

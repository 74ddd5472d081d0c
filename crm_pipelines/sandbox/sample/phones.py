"""Phone cells in every style that exports hold, each with the number it means.

Belongs here: styles and number ranges. Not here: which contact gets which (people).
The ranges are reserved for fiction and pass phonenumbers' validity check: US 555-01xx, UK 020 7946 0xxx (Ofcom drama
range), France 01 99 00 xx xx (Arcep), Australia 0491 570 xxx (ACMA).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from crm_pipelines.sandbox.sample.world import EMPTY, Cell, Phone, plain

COUNTRIES = {"US": "United States", "GB": "United Kingdom", "FR": "France", "AU": "Australia"}
DIAL = {"US": "1", "GB": "44", "FR": "33", "AU": "61"}
TRUNK = {"US": "", "GB": "0", "FR": "0", "AU": "0"}
AUSTRALIAN = ("006", "156", "157", "158", "159", "110", "313", "737")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
USUAL_STYLES = (
    ("code_trunk", 30), ("code_no_trunk", 12), ("international", 25), ("double_zero", 6), ("bracket_zero", 4),
    ("tel_link", 3), ("extension", 4), ("bidi_marks", 2), ("guarded", 3), ("arabic_digits", 1), ("spelled_code", 10),
)  # fmt: skip
UNUSABLE = ("call reception", "see website", "12", "ask Maria", "unknown")


@dataclass(frozen=True)
class PhoneCells:
    """The three cells that say a phone number together, and the style they show."""

    code: Cell
    phone: Cell
    style: str


def country_cell(rng: random.Random, region: str) -> Cell:
    """Return a country by full name, sometimes by its ISO code."""
    return plain(COUNTRIES[region] if rng.random() < 0.85 else region)


def phone_cells(rng: random.Random, region: str, style: str) -> PhoneCells:
    """Return a phone in one of the styles; the contact's country is `region`."""
    groups = _number(rng, region)
    e164 = f"+{DIAL[region]}{''.join(groups)}"
    separator = rng.choice((" ", "-", ".", ""))
    joined = separator.join(groups)
    national = f"{TRUNK[region]}{joined}"
    code = _code(rng, region, style)
    text, e164 = _styled(style, region, joined, national, e164)
    return PhoneCells(code, Cell(text, Phone(e164, text)), style)


def bad_phone(rng: random.Random, region: str) -> PhoneCells:
    """Return a text that is no phone number, or two of them."""
    if rng.random() < 0.3:
        first, second = (" ".join(_number(rng, region)) for _ in range(2))
        text = f"{TRUNK[region]}{first} / {TRUNK[region]}{second}"
        return PhoneCells(EMPTY, Cell(text, Phone(None, text)), "two_numbers")
    text = rng.choice(UNUSABLE)
    return PhoneCells(EMPTY, Cell(text, Phone(None, text)), "unusable")


def sci_phone(rng: random.Random) -> PhoneCells:
    """Return what Excel makes of a long number: its digits are lost."""
    text = f"4.4207946{rng.randint(0, 9)}E+11"
    return PhoneCells(EMPTY, Cell(text, Phone(None, text)), "sci_notation")


def homeless_phone(rng: random.Random) -> PhoneCells:
    """Return a national number for a contact with neither code nor country: nobody can tell where it rings."""
    text = f"0{' '.join(_number(rng, 'GB'))}"
    return PhoneCells(EMPTY, Cell(text, Phone(None, text)), "national_no_country")


def _number(rng: random.Random, region: str) -> tuple[str, ...]:
    if region == "US":
        return rng.choice(("212", "312", "415", "206")), "555", f"01{rng.randint(0, 99):02d}"
    if region == "GB":
        return "20", "7946", f"0{rng.randint(0, 999):03d}"
    if region == "FR":
        return "1", "99", "00", f"{rng.randint(0, 99):02d}", f"{rng.randint(0, 99):02d}"
    return "491", "570", rng.choice(AUSTRALIAN)


def _code(rng: random.Random, region: str, style: str) -> Cell:
    if style == "national_no_code":
        return EMPTY
    if style == "spelled_code":
        return Cell(region, region)
    if style in {"code_trunk", "code_no_trunk", "extension"}:
        return plain(rng.choice((f"+{DIAL[region]}", DIAL[region], f"00{DIAL[region]}")))
    return plain(f"+{DIAL[region]}") if rng.random() < 0.3 else EMPTY


def _styled(style: str, region: str, joined: str, national: str, e164: str) -> tuple[str, str]:
    dial = DIAL[region]
    texts = {
        "code_no_trunk": joined,
        "international": f"+{dial} {joined}",
        "double_zero": f"00{dial} {joined}",
        "bracket_zero": f"+{dial} ({TRUNK[region]}){joined}" if TRUNK[region] else f"+{dial} {joined}",
        "tel_link": f"tel:{e164}",
        "bidi_marks": f"\u202a+{dial} {joined}\u202c",
        "guarded": f"'+{dial} {joined}",
        "arabic_digits": e164.translate(ARABIC),
    }
    if style == "extension":
        return f"{national} x371", f"{e164} x371"
    return texts.get(style, national), e164

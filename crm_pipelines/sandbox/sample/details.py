"""The columns of a contact that are neither name, e-mail, phone, company nor labels.

Belongs here: places, consent, account figures, links, custom fields. Not here: the contact as a whole (people).
"""

from __future__ import annotations

import random
from datetime import datetime

from crm_pipelines.sandbox.sample import phones, words
from crm_pipelines.sandbox.sample.times import EVENTS_END, ZERO_DATE, between, written
from crm_pipelines.sandbox.sample.world import EMPTY, Cell, CustomField, World, pick, plain

Row = dict[str, Cell]
GDPR_WEIGHTS = (14, 12, 48, 6, 12, 8)
CONSENT_START = datetime(2021, 3, 1)  # noqa: DTZ001 - local time of the account
CUSTOM_FIELDS = (
    CustomField(1, "favourite_author", "input_field"),
    CustomField(2, "about_you", "text_area"),
    CustomField(3, "shirt_size", "drop_down", ("S", "M", "L", "XL"), ("11", "12", "13", "14")),
    CustomField(4, "newsletter-format", "radio_button", ("html", "plain text"), ("21", "22")),
    CustomField(5, "favourite_fruit", "checkbox", ("apple", "pear", "plum", "açaí"), ("31", "32", "33", "34")),
)
AUTHORS = ("Ursula K. Le Guin", "Borges", "Зощенко", "Agatha Christie", "42")
ABOUT = ("Two studios in town.\nOpen on Sundays.", "Yoga teacher – ten years", "Likes data & tea")


def place_cells(rng: random.Random, region: str) -> Row:
    """Return address columns; a third of the contacts have none but the country."""
    row: Row = {"country": phones.country_cell(rng, region) if rng.random() < 0.9 else EMPTY}
    if rng.random() < 0.35:
        return row
    city, state, code = rng.choice(words.PLACES[region])
    street = rng.choice(words.STREETS)
    if rng.random() < 0.05:
        broken = "Old Mill\n2nd floor"
        row["address"] = Cell(broken, broken, ("address_line_break",))
    else:
        row["address"] = plain(street)
    row |= {"city": plain(city), "state": plain(state), "zip": plain(code)}
    if rng.random() < 0.02:
        row["state"] = Cell("N/A", None)
    return row


def consent_cells(world: World, rng: random.Random) -> Row:
    """Return mailing status, blacklist and GDPR columns."""
    code = rng.choices(range(6), GDPR_WEIGHTS)[0]
    word = words.GDPR_WORDS[code]
    has_date = code in (2, 3, 5) and rng.random() < 0.85
    moment = between(rng, CONSENT_START, EVENTS_END) if has_date else None
    row: Row = {
        "status": plain(pick(rng, words.STATUSES)),
        "blacklisted": Cell("1", 1) if rng.random() < 0.015 else Cell("0", 0),
        "gdpr_status": _gdpr_cell(rng, code, word) if rng.random() < 0.9 else EMPTY,
        "gdpr_status_date": Cell(written(moment), moment) if moment else _no_date(rng),
        "gdpr_status_ip": plain("203.0.113.7") if has_date else EMPTY,
        "gdpr_communications": plain(rng.choice(("0", "1"))) if code else EMPTY,
    }
    return row


def _gdpr_cell(rng: random.Random, code: int, word: str) -> Cell:
    text = rng.choice((str(code), word, word, word.upper(), word.lower()))
    if code == 0 and rng.random() < 0.4:
        text = "GDPR off"
    return Cell(text, word, ("gdpr_as_code",) if text.isdigit() else ("gdpr_as_label",))


def _no_date(rng: random.Random) -> Cell:
    return Cell(ZERO_DATE, None, ("gdpr_zero_date",)) if rng.random() < 0.7 else EMPTY


def account_cells(world: World, rng: random.Random) -> Row:
    """Return score, source and the other figures Kartra keeps."""
    score = rng.randint(-20, 150)
    row: Row = {
        "score": Cell(str(score), float(score)) if rng.random() < 0.8 else EMPTY,
        "source": plain(rng.choice(words.SOURCES)) if rng.random() < 0.9 else Cell("N/A", None),
        "source_id": plain(str(rng.randint(1, 90))),
        "referring_id": plain(str(rng.randint(100, 999))) if rng.random() < 0.1 else Cell("0", None),
        "lead_preferred_time_zone": plain(rng.choice(words.ZONES)),
        "lead_picture": plain("https://pictures.example.com/a.png") if rng.random() < 0.2 else EMPTY,
        "ip": plain(rng.choice(("198.51.100.4", "2001:db8::7"))),
        "ip_country": plain("United States"),
        "business_type": EMPTY,
    }
    return row


def web_cells(rng: random.Random) -> Row:
    """Return web addresses and the tax id, mostly empty."""
    number = rng.randint(1, 999)
    wanted = {
        "website": rng.choice((f"https://site{number}.example.com", f"site{number}.example.org/", "N/A")),
        "facebook": f"https://facebook.example.com/p{number}",
        "twitter": f"@person{number}",
        "linkedin": f"https://linkedin.example.com/in/p{number}",
        "instagram": f"p{number}.insta",
        "sales_tax_id": f"GB{number:09d}",
    }
    return {name: _maybe(rng, text) for name, text in wanted.items()}


def _maybe(rng: random.Random, text: str) -> Cell:
    if rng.random() >= 0.12:
        return EMPTY
    return Cell(text, None) if text == "N/A" else plain(text)


def custom_cells(world: World, rng: random.Random) -> Row:
    """Return a cell for each of the account's custom fields, about half of them empty."""
    return {field.identifier: _custom_cell(rng, field) if rng.random() < 0.5 else EMPTY for field in world.custom_fields}


def _custom_cell(rng: random.Random, field: CustomField) -> Cell:
    if field.kind == "input_field":
        return plain(rng.choice(AUTHORS))
    if field.kind == "text_area":
        return plain(rng.choice(ABOUT))
    count = rng.randint(1, 3) if field.kind == "checkbox" else 1
    chosen = sorted(rng.sample(range(len(field.options)), count))
    uses_ids = rng.random() < 0.2
    pieces = [(field.option_ids if uses_ids else field.options)[i] for i in chosen]
    labels = [field.options[i] for i in chosen]
    text = rng.choice((", ", "|", ",")).join(pieces)
    return Cell(text, sorted(labels) if field.kind == "checkbox" else labels[0], ("custom_as_option_id",) if uses_ids else ())

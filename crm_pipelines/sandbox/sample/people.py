"""Contacts: the bulk of a sample, each with its cells and what they mean.

Belongs here: one contact and its troubles. Not here: contacts that meet again in a later file or under the same
address (twins), what they bought or booked (purchases, bookings).
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from crm_pipelines.sandbox.sample import emails, labels, names, phones, words
from crm_pipelines.sandbox.sample.config import CHUNK, OWNERS, UNKNOWN_OWNER, SampleConfig
from crm_pipelines.sandbox.sample.details import account_cells, consent_cells, custom_cells, place_cells, web_cells
from crm_pipelines.sandbox.sample.times import DST_EDGES, EVENTS_START, HISTORY_START, ZERO_DATE, safe, written
from crm_pipelines.sandbox.sample.world import EMPTY, Cell, Contact, Deck, World, pick, plain, share

FIRST_ID = 4_174_086
LONG_NOTE_CHARS = 70_000
Row = dict[str, Cell]


def plant_people(world: World) -> None:
    """Fill the world with contacts, one row each, spread over the contact files."""
    config, rng = world.config, world.random("people")
    sizes = chunk_sizes(config)
    number, joined = FIRST_ID, HISTORY_START
    companies = names.company_pool(world.random("companies"), max(6, config.contacts // 7))
    for file, size in enumerate(sizes):
        for _ in range(size):
            number += rng.randint(1, 3)
            joined += timedelta(days=2600 / config.contacts * rng.random() * 2)
            row = usual_row(world, rng, number, file, companies)
            row["date_joined"] = joined_cell(safe(min(joined, EVENTS_START + timedelta(days=840)), rng))
            world.contacts.append(Contact(number, {file: row}))
    _spoil(world, rng)
    _plant_queues(world, rng)


def chunk_sizes(config: SampleConfig) -> list[int]:
    """Return how many new contacts each file holds, so that none passes 2,500 with its overlap."""
    room = CHUNK - round(CHUNK * config.rates.file_overlap)
    count = config.chunks or -(-config.contacts // room)
    if config.chunks is None:
        return [min(room, config.contacts - start) for start in range(0, config.contacts, room)]
    return [config.contacts // count + (i < config.contacts % count) for i in range(count)]


def separator_of(config: SampleConfig, file: int) -> str:
    """Return what separates tags in a contacts file: commas in the first, semicolons later."""
    return ";" if config.encodings == "mixed" and file % 2 else ","


def row_of(contact: Contact) -> Row:
    """Return the first row of a contact."""
    return contact.rows[min(contact.rows)]


def usual_row(world: World, rng: random.Random, number: int, file: int, companies: list[str]) -> Row:
    """Return an ordinary contact's row without its date."""
    region = pick(rng, (("US", 55), ("GB", 25), ("FR", 12), ("AU", 8)))
    row: Row = {"id": Cell(str(number), number), "email": emails.usable(emails.address(rng, number))}
    row |= names.usual(rng)
    row |= place_cells(rng, region)
    row |= _phone_row(phones.phone_cells(rng, region, pick(rng, phones.USUAL_STYLES))) if rng.random() < 0.75 else {}
    row |= _company_row(world, rng, companies)
    row |= _owner_row(world, rng) if rng.random() < world.config.rates.owned else {}
    row |= consent_cells(world, rng) | account_cells(world, rng) | web_cells(rng) | custom_cells(world, rng)
    separator = separator_of(world.config, file)
    row["tags"] = labels.tag_cell(rng, labels.some_tags(rng), separator)
    row["lists"] = labels.list_cell(rng, labels.some_lists(rng), separator)
    row["_region"] = Cell("", region)
    return row


def _phone_row(cells: phones.PhoneCells) -> Row:
    return {"phone": cells.phone.marked(f"phone_{cells.style}"), "phone_country_code": cells.code}


def _company_row(world: World, rng: random.Random, companies: list[str]) -> Row:
    if rng.random() >= world.config.rates.companies:
        return {"company": Cell("N/A", None)} if rng.random() < 0.05 else {}
    cell, quirk = names.company_cell(rng, rng.choice(companies))
    return {"company": cell.marked(quirk) if quirk else cell}


def _owner_row(world: World, rng: random.Random) -> Row:
    owner = rng.choice(OWNERS[: world.config.owners])
    if rng.random() < 0.05:
        return {"owner": Cell(owner.title(), owner, ("owner_other_case",))}
    return {"owner": Cell(owner, owner)}


def joined_cell(moment: datetime) -> Cell:
    """Return the cell of a date_joined."""
    return Cell(written(moment), moment)


def _spoil(world: World, rng: random.Random) -> None:
    """Give each kind of trouble to its share of the contacts."""
    rates, count = world.config.rates, len(world.contacts)
    by_name = Deck(rng, world.contacts)
    given = {"mojibake": rates.mojibake, "entity": rates.entities, "emoji": rates.emoji, "rtl_or_cjk": rates.rtl_or_cjk}
    given |= {"without_last": rates.no_last_name, "other_script": 0.05}
    for kind, make in names.KINDS.items():
        for contact in by_name.take(share(count, given.get(kind, 0.006))):
            _replace_names(contact, make(rng), f"name_{kind}")
    _spoil_emails(world, rng)
    _spoil_phones(world, rng)
    _spoil_notes(world, rng)
    _spoil_rest(world, rng)


def _replace_names(contact: Contact, cells: names.Names, quirk: str) -> None:
    row = row_of(contact)
    for column in ("first_name", "middle_name", "last_name", "last_name2"):
        row[column] = cells.get(column, EMPTY)
    row["first_name"] = row["first_name"].marked(quirk)


def _spoil_emails(world: World, rng: random.Random) -> None:
    rates, count = world.config.rates, len(world.contacts)
    named = [contact for contact in world.contacts if row_of(contact).get("first_name", EMPTY).means]
    deck = Deck(rng, named)
    partners = deck.take(share(count, rates.plus_addresses))
    for contact, other in zip(deck.take(share(count, rates.plus_addresses)), partners, strict=False):
        _put(contact, "email", emails.plus(rng, row_of(other)["email"].means.address), "plus_address")
    for contact in deck.take(share(count, rates.role_accounts)):
        _put(contact, "email", emails.role(rng, contact.id), "role_account")
    for contact in deck.take(share(count, rates.bad_emails)):
        _put(contact, "email", emails.bad(rng, contact.id), "email_unusable")
    for contact in deck.take(share(count, rates.dressed_emails)):
        _put(contact, "email", emails.dressed(rng, row_of(contact)["email"].text), "email_dressed")


def _spoil_phones(world: World, rng: random.Random) -> None:
    rates, count = world.config.rates, len(world.contacts)
    deck = Deck(rng, world.contacts)
    for contact in deck.take(share(count, rates.bad_phones)):
        _replace_phone(contact, phones.bad_phone(rng, row_of(contact)["_region"].means))
    for contact in deck.take(share(count, rates.sci_phones)):
        _replace_phone(contact, phones.sci_phone(rng))
    for contact in deck.take(share(count, rates.national_phones)):
        region = row_of(contact)["_region"].means
        row_of(contact)["country"] = phones.country_cell(rng, region)
        _replace_phone(contact, phones.phone_cells(rng, region, "national_no_code"))
    for contact in deck.take(share(count, 0.004)):
        row_of(contact)["country"] = EMPTY
        _replace_phone(contact, phones.homeless_phone(rng))
    for contact in deck.take(share(count, 0.004)):
        row_of(contact).update(phone=Cell("n/a", None, ("phone_not_available",)), phone_country_code=EMPTY)


def _replace_phone(contact: Contact, cells: phones.PhoneCells) -> None:
    row_of(contact).update(_phone_row(cells))


def _spoil_notes(world: World, rng: random.Random) -> None:
    deck = Deck(rng, world.contacts)
    count = share(len(world.contacts), world.config.rates.notes)
    for contact in deck.take(1):
        text = "Long transcript, line after line. " * (LONG_NOTE_CHARS // 34)
        _put(contact, "notes", plain(text.strip()), "note_very_long")
    for contact in deck.take(share(count, 0.03)):
        _put(contact, "notes", Cell(*rng.choice(words.GUARDED_NOTES)), "note_formula_guard")
    for contact in deck.take(share(count, 0.1)):
        _put(contact, "notes", plain(rng.choice(words.HTML_NOTES)), "note_html")
    for contact in deck.take(share(count, 0.2)):
        newline = rng.choice(("\n", "\n", "\r\n", "\n\n"))
        text = newline.join(rng.sample(words.NOTES, rng.randint(2, 4)))
        _put(contact, "notes", plain(text), "note_multi_line")
    for contact in deck.take(max(1, count - share(count, 0.33))):
        _put(contact, "notes", plain(rng.choice(words.NOTES)), "note_plain")
    for contact in deck.take(2):
        _put(contact, "notes", Cell("N/A", None), "note_not_available")


def _spoil_rest(world: World, rng: random.Random) -> None:
    deck = Deck(rng, world.contacts)
    for contact in deck.take(1):
        file = min(contact.rows)
        _put(contact, "tags", labels.crowded_cell(rng, separator_of(world.config, file)), "tags_eighty")
    for contact in deck.take(share(len(world.contacts), 0.002)):
        _put(contact, "date_joined", Cell(ZERO_DATE, None), "joined_zero_date")
    for moment, contact in zip(DST_EDGES, deck.take(len(DST_EDGES)), strict=True):
        _put(contact, "date_joined", joined_cell(moment), "joined_at_dst_edge")
    holders = [c for c in world.contacts if words.TWIN_TAG in (row_of(c)["tags"].means or ()) and words.TWIN_TAG in row_of(c)["tags"].text]
    for contact in holders[5::6]:  # at most one in six, so that the other spelling stays the most frequent
        cell = row_of(contact)["tags"]
        twisted = Cell(cell.text.replace(words.TWIN_TAG, words.TWIN_SPELLING), cell.means)
        _put(contact, "tags", twisted, "tag_rare_spelling")


def _plant_queues(world: World, rng: random.Random) -> None:
    """Plant contacts that must wait; nothing refers to them."""
    five, rates, count = world.config.planted_queue == "five", world.config.rates, len(world.contacts)
    ordinary = [c for c in world.contacts if row_of(c)["email"].means.address and row_of(c).get("first_name", EMPTY).means]
    deck = Deck(rng, ordinary)
    for contact in deck.take(1 if five else share(count, rates.without_email)):
        contact.queue = ("remediation", "no_email")
        _put(contact, "email", Cell(rng.choice(("", "N/A", " ")), None), "email_missing")
        row_of(contact)["company"] = plain(f"Remediation Works {contact.id}")
    for contact in deck.take(1 if five else share(count, rates.unknown_owners)):
        contact.queue = ("owner", "no_user")
        _put(contact, "owner", Cell(UNKNOWN_OWNER, UNKNOWN_OWNER), "owner_unknown")
    if not five:
        _plant_unknown_options(world, deck)
    for contact in (c for c in world.contacts if c.queue):
        row_of(contact)["notes"] = EMPTY


def _plant_unknown_options(world: World, deck: Deck) -> None:
    for contact in deck.take(1):
        contact.queue = ("decision", "unknown_option")
        _put(contact, "gdpr_status", Cell("Maybe", "Maybe"), "gdpr_unknown_word")
    for field in (one for one in world.custom_fields if one.kind == "drop_down"):
        for contact in deck.take(1):
            contact.queue = ("decision", "unknown_option")
            _put(contact, field.identifier, Cell("Gigantic", "Gigantic"), "custom_unknown_option")


def _put(contact: Contact, column: str, cell: Cell, quirk: str) -> None:
    row_of(contact)[column] = cell.marked(quirk)

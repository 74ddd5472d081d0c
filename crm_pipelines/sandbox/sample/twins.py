"""Contacts that come twice: in a later export with newer values, or under the same address in another case.

Belongs here: second rows and second contacts. Not here: the contact itself (people), which value wins (truth).
Twins are planted so that filling a gap column by column says what both rows meant: a phone number is never paired
with another contact's country code, and an unusable phone or address never meets a usable one.
"""

from __future__ import annotations

import random

from crm_pipelines.sandbox.sample import emails, labels, phones, words
from crm_pipelines.sandbox.sample.config import OWNERS
from crm_pipelines.sandbox.sample.details import consent_cells
from crm_pipelines.sandbox.sample.people import Row, row_of, separator_of
from crm_pipelines.sandbox.sample.world import EMPTY, Cell, Contact, Deck, World, plain, share

CLEARABLE = ("middle_name", "website", "city", "source", "score", "notes", "phone_country_code", "linkedin")
LEFT_OUT_LATER = ("lead_picture", "business_type")  # columns that later exports do not have
FROM_SURVIVOR = ("first_name", "last_name", "country")


def plant_twins(world: World) -> None:
    """Turn a share of the contacts into e-mail twins of an earlier contact; one survivor has two of them."""
    rng = world.random("twins")
    count = share(len(world.contacts), world.config.rates.email_twins)
    places = {contact.id: place for place, contact in enumerate(world.contacts)}
    deck = Deck(rng, [contact for contact in world.contacts if _may_be_twin(contact)])
    for number in range(count):
        group = sorted(deck.take(3 if number == 0 else 2), key=lambda contact: places[contact.id])
        for twin in group[1:]:
            _make_twin(world, rng, group[0], twin)


def _may_be_twin(contact: Contact) -> bool:
    row = row_of(contact)
    address, phone = row["email"].means.address if row["email"].means else None, row.get("phone", EMPTY)
    has_bad_phone = phone.text != "" and (phone.means is None or phone.means.e164 is None)
    is_plain = address is not None and row["email"].text == address and "+" not in address
    return is_plain and not has_bad_phone and not contact.queue and row["date_joined"].means is not None


def _make_twin(world: World, rng: random.Random, survivor: Contact, twin: Contact) -> None:
    first, row = row_of(survivor), row_of(twin)
    row["email"] = emails.case_twin(first["email"].text).marked("email_case_twin")
    for column in FROM_SURVIVOR:
        row[column] = first.get(column, EMPTY)
    for column in ("middle_name", "last_name2", "phone", "phone_country_code"):
        row[column] = EMPTY
    if first.get("phone", EMPTY).text == "" or rng.random() < 0.5:
        row["phone"] = phones.phone_cells(rng, row["_region"].means, "international").phone.marked("phone_international")
    if first.get("notes", EMPTY).text:
        row["notes"] = EMPTY
    row["referring_id"] = Cell("0", None)  # whether a survivor's 0 is a gap to fill is nobody's to say
    survivor.flags.add("survivor")
    twin.flags.add("twin")


def plant_overlap(world: World) -> None:
    """Let the end of each contacts file come again in the next one, with newer values in some columns."""
    rng = world.random("overlap")
    files = sorted({min(contact.rows) for contact in world.contacts})
    for file in files[:-1]:
        held = [c for c in world.contacts if min(c.rows) == file and not c.queue]
        count = share(len(held), world.config.rates.file_overlap)
        chosen = {contact.id for contact in rng.sample(held, count)}
        for contact in held:
            if contact.id in chosen:
                contact.rows[file + 1] = newer_row(world, rng, contact, file + 1)
                world.quirks["contact_in_two_files"] += 1


def newer_row(world: World, rng: random.Random, contact: Contact, file: int, *, is_delta: bool = False) -> Row:
    """Return what a later export says about a contact: a few changes, and cells that went empty and clear nothing.

    A delta changes only what may still change after a load: not the address others link by, consent, or the company.
    """
    old = contact.rows[max(contact.rows)]
    row = {column: cell for column, cell in old.items() if column not in LEFT_OUT_LATER}
    for column in rng.sample(CLEARABLE, 2):
        row[column] = EMPTY
    separator = separator_of(world.config, file)
    names = list(old["tags"].means or [])
    more = [tag for tag in labels.some_tags(rng) if tag not in names]
    row["tags"] = labels.tag_cell(rng, names + more[:2], separator) if rng.random() < 0.8 else EMPTY
    row["lists"] = labels.list_cell(rng, list(old["lists"].means or []), separator)
    score = rng.randint(151, 300) + 200 * is_delta
    row["score"] = Cell(str(score), float(score))
    if rng.random() < 0.15:
        owner = rng.choice(OWNERS[: world.config.owners])
        row["owner"] = Cell(owner, owner)
    if not is_delta:
        _change(world, rng, contact, row)
    return row


def _change(world: World, rng: random.Random, contact: Contact, row: Row) -> None:
    if rng.random() < 0.3:
        row |= consent_cells(world, rng)
    if rng.random() < 0.2 and not contact.flags:
        row["phone"] = phones.phone_cells(rng, row["_region"].means, "international").phone.marked("phone_international")
    if rng.random() < 0.15:
        row["company"] = plain(f"{rng.choice(words.COMPANY_FIRST)} {rng.choice(words.COMPANY_SECOND)}")
    if rng.random() < 0.1 and not contact.flags and _address(row):
        row["email"] = emails.usable(emails.address(rng, contact.id * 10)).marked("email_changed_later")
        contact.flags.add("email_changed")


def _address(row: Row) -> str | None:
    cell = row.get("email", EMPTY)
    return cell.means.address if cell.means else None

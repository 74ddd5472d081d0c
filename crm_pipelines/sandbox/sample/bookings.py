"""Appointments and affiliates: the two small exports that refer to contacts.

Belongs here: calendar bookings in their own time zones, affiliates and their link to a contact. Not here: the
contacts (people), what becomes of them (truth).
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.config import OWNERS
from crm_pipelines.sandbox.sample.times import EVENTS_END, HISTORY_START, between
from crm_pipelines.sandbox.sample.world import Affiliate, Booking, Contact, World, pick, share

FIRST_BOOKING = 5_521
FIRST_AFFILIATE = 881
ZONES = (("America/New_York", 50), ("America/Detroit", 15), ("Europe/London", 15), ("Asia/Kolkata", 8), ("", 12))
STATUSES = (("completed", 60), ("subscribed", 25), ("cancelled", 15))
MINUTES = (15, 30, 45, 60, 90)
AFFILIATE_STATUSES = (("approved", 70), ("pending", 20), ("declined", 10))


def plant_bookings(world: World) -> None:
    """Fill the world with appointments; one of them, at least, is of somebody unknown."""
    rng = world.random("bookings")
    guests = [contact for contact in world.free_contacts() if contact.newest("email").address]
    count = max(8, round(world.config.contacts * 150 / 2600))
    strangers = 1 if world.config.planted_queue == "five" else share(count, 0.01)
    number = FIRST_BOOKING
    for place in range(count):
        number += rng.randint(1, 3)
        guest = None if place < strangers else rng.choice(guests)
        world.bookings.append(_booking(world, rng, number, guest))


def _booking(world: World, rng: random.Random, number: int, guest: Contact | None) -> Booking:
    calendar, is_call = rng.choice(words.CALENDARS)
    zone = str(pick(rng, ZONES))
    day = date(2024, 1, 8) + timedelta(days=rng.randint(0, 900))
    start = datetime.combine(day, time(rng.choice((7, 9, 11, 14, 16, 20, 22)), rng.choice((0, 15, 30))))
    minutes = rng.choice(MINUTES) if rng.random() < 0.85 else None
    end = "" if minutes is None else _text(start + timedelta(minutes=minutes))
    address = f"stranger.{number}@example.org" if guest is None else guest.newest("email").address
    host = rng.choice(OWNERS[: world.config.owners]) if rng.random() < 0.8 else None
    return Booking(
        number, guest, calendar, rng.choice(words.CLASSES), _text(start), end,
        start.replace(tzinfo=ZoneInfo(zone or world.config.timezone)).astimezone(UTC),
        None if minutes is None else f"{minutes // 60:02d}:{minutes % 60:02d}:00", zone, host, str(pick(rng, STATUSES)),
        address.upper() if guest and rng.random() < 0.1 else address, rng.choice(words.LOCATIONS), is_call,
        ("review", "no_contact") if guest is None else None,
    )  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def plant_affiliates(world: World) -> None:
    """Fill the world with affiliates, each one contact's; unless five rows are to wait, two cannot be placed."""
    rng = world.random("affiliates")
    people = _one_each(world, rng)
    for place in range(max(4, round(world.config.contacts * 25 / 2600))):
        world.affiliates.append(_affiliate(rng, place, people[place]))
    if world.config.planted_queue is None:
        stranger = _affiliate(rng, len(world.affiliates), None)
        second = _affiliate(rng, len(world.affiliates) + 1, world.affiliates[0].contact)
        stranger.queue, second.queue = ("review", "no_contact"), ("review", "second_affiliate")
        world.affiliates += [stranger, second]


def _one_each(world: World, rng: random.Random) -> list[Contact]:
    """Return contacts in random order, one for each address."""
    found = {contact.newest("email").match_key: contact for contact in world.free_contacts() if contact.newest("email").address}
    people = list(found.values())
    rng.shuffle(people)
    return people


def _affiliate(rng: random.Random, place: int, contact: Contact | None) -> Affiliate:
    username = f"partner{place}{rng.choice(('jane', 'max', 'lou'))}"
    email = f"{username}@partners.example.com" if contact is None else contact.newest("email").address
    link = rng.choice(("lead_id", "email")) if contact else "nobody"
    joined = between(rng, HISTORY_START, EVENTS_END)
    status = str(pick(rng, AFFILIATE_STATUSES))
    earned = Decimal(rng.randint(0, 500_000)) / 100
    number = FIRST_AFFILIATE + place * 3 if rng.random() < 0.9 else None
    return Affiliate(number, username, f"Partner Nº {place}", email, status, earned, contact, link, joined)

"""Kartra's own deals: names, amounts in two formats, stages, and every way in which a row names its contact.

Belongs here: what a deals file says, first and later. Not here: purchases (purchases), columns (columns), what becomes
of a deal (truth_odoo_deals). Everything is drawn from a generator of its own, so that a sample without deals stays as it was.
"""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.config import OWNERS, UNKNOWN_OWNER, ZERO_DECIMALS
from crm_pipelines.sandbox.sample.times import DELTA_START, EVENTS_END, EVENTS_START, between
from crm_pipelines.sandbox.sample.world import EMPTY, Cell, Contact, Deck, KartraDeal, World, pick, plain, share

FIRST_DEAL = 30_101
STAGES = ("New enquiry", "Qualified", "Proposal Sent", "Négociation €", "Contract out")  # Odoo has a stage "Qualified" itself
PIPELINES = (("Sales", 70), ("Coaching & Retreats", 20), ("", 10))
STATUSES = (("open", 45), ("won", 33), ("lost", 22))
LINKS = (("lead_id", 60), ("email", 25), ("email_unknown_id", 5), ("old_email", 10))
SUBJECTS = ("onboarding", "renewal 2026", "site licence", "Été intensif", "team of 12", "50% upfront", "<pilot>")
NAMES = (
    Cell("Rock &amp; Roll retreat", "Rock & Roll retreat"),
    Cell("\u00a0Studio fit-out ", "Studio fit-out"),
    Cell("'=SUM of three courses", "=SUM of three courses"),
    plain("改装プロジェクト 🚀"),
)
DAYS_AHEAD = 60


def plant_deals(world: World) -> None:
    """Fill the world with deals; the first ones are open, so that the stages appear in one order however deals are counted."""
    rng = world.random("deals")
    count = max(3 * len(STAGES), share(len(world.contacts), world.config.rates.deals))
    for place, contact in enumerate(_contacts_of(world, rng, count)):
        one = _deal(world, rng, place, contact)
        if place < len(STAGES):
            one.stage, one.status = STAGES[place], "open"
        world.deals.append(one)
    _plant_rarities(world)
    if world.config.planted_queue is None:
        _plant_waiting(world, rng)


def _contacts_of(world: World, rng: random.Random, count: int) -> list[Contact]:
    """Return whose deals they are: a few twins for sure, and one contact in fifteen a second time."""
    twins = [contact for contact in world.free_contacts() if "twin" in contact.flags][:3]
    deck = Deck(rng, [contact for contact in world.free_contacts() if contact not in twins])
    once = [*deck.take(max(count - len(twins) - count // 15, 1)), *twins]
    rng.shuffle(once)
    return once + once[: count - len(once)]


def _deal(world: World, rng: random.Random, place: int, contact: Contact | None) -> KartraDeal:
    status = str(pick(rng, STATUSES))
    created = between(rng, EVENTS_START, EVENTS_END - timedelta(days=30))
    amount = _amount(rng, world.config.currency) if rng.random() < 0.93 else None
    has_end = status != "open" or rng.random() < 0.7
    one = KartraDeal(
        FIRST_DEAL + place * 2 + rng.randint(0, 1), contact, _name(rng, contact), str(pick(rng, PIPELINES)),
        rng.choice(STAGES), status, amount, amount_text(rng, amount, world.config.currency), created,
        created.date() + timedelta(days=rng.randint(5, DAYS_AHEAD)) if has_end else None,
        _owner(world, rng), _notes(rng), "nobody", f"stranger.deal{place}@example.org",
    )  # fmt: skip
    if contact is not None:
        _link(rng, one, contact)
    return one


def _amount(rng: random.Random, currency: str) -> Decimal:
    units = rng.choice((0, 450, 980, 1_500, 4_200, 12_000, 48_750, 1_234_567)) + rng.randint(0, 400)
    return Decimal(units) if currency in ZERO_DECIMALS else Decimal(units) + rng.choice((Decimal("0.00"), Decimal("0.56"), Decimal("0.50")))


def amount_text(rng: random.Random, amount: Decimal | None, currency: str) -> str:
    """Write an amount: US (1,234.56), EU (1.234,56) or plain; without decimals always plain, since 1.234 could be either."""
    if amount is None:
        return ""
    american = f"{amount:,.2f}"
    if currency in ZERO_DECIMALS:
        return f"{amount:f}"
    european = american.translate(str.maketrans(",.", ".,"))
    return str(pick(rng, ((american, 35), (european, 40), (f"{amount:.2f}", 25))))


def _name(rng: random.Random, contact: Contact | None) -> Cell:
    if rng.random() < 0.08:
        return rng.choice(NAMES)
    who = contact.newest("company") if contact else None
    return plain(f"{' '.join(who.split()) if who else rng.choice(words.COMPANY_FIRST)} – {rng.choice(SUBJECTS)}")


def _owner(world: World, rng: random.Random) -> Cell:
    if rng.random() < 0.25:
        return EMPTY
    owner = rng.choice(OWNERS[: world.config.owners])
    return Cell(owner.upper(), owner) if rng.random() < 0.06 else plain(owner)


def _notes(rng: random.Random) -> Cell:
    draw = rng.random()
    if draw < 0.55:
        return EMPTY
    if draw < 0.65:
        return plain(rng.choice(words.HTML_NOTES))
    if draw < 0.85:
        return plain(rng.choice(("\n", "\r\n", "\n\n")).join(rng.sample(words.NOTES, rng.randint(2, 3))))
    return plain(rng.choice(words.NOTES))


def _link(rng: random.Random, one: KartraDeal, contact: Contact) -> None:
    """Decide how the row names its contact; twins are named by their own id, which is an alias of the survivor."""
    email = contact.newest("email")
    link = str(pick(rng, LINKS))
    if "twin" in contact.flags:
        link = "alias"
    elif not email.address:
        link = "lead_id"
    one.link = link
    one.email = f"former.{one.id}@example.org" if link == "old_email" else email.address or email.text
    if rng.random() < 0.1 and email.address and link != "old_email":
        one.email = one.email.upper()


def _plant_rarities(world: World) -> None:
    """Make sure that even a small sample has an e-mail link, a deal without an amount, and one that is worth nothing."""
    usual = [one for one in world.deals if one.contact and one.link == "lead_id" and one.contact.newest("email").address]
    for one in usual[:1]:
        one.link = "email"
    for one in world.deals[5:6]:
        one.amount, one.amount_text = None, ""
    for one in world.deals[6:7]:
        one.amount, one.amount_text = Decimal(0), "0" if world.config.currency in ZERO_DECIMALS else "0,00"


def _plant_waiting(world: World, rng: random.Random) -> None:
    """Plant deals of nobody, and one whose owner has no user."""
    for _ in range(share(len(world.deals), world.config.rates.orphan_deals)):
        stranger = _deal(world, rng, len(world.deals), None)
        stranger.queue = ("review", "no_contact")
        world.deals.append(stranger)
    contact = rng.choice([contact for contact in world.free_contacts() if contact.newest("email").address])
    departed = _deal(world, rng, len(world.deals), contact)
    departed.owner, departed.queue = Cell(UNKNOWN_OWNER, UNKNOWN_OWNER), ("owner", "no_user")
    world.deals.append(departed)


def change_deals(world: World, joined: list[Contact]) -> list[KartraDeal]:
    """Move, close and re-price some deals as a few weeks would, add new ones, and return those that a later export holds."""
    rng = world.random("deals_delta")
    moving = [one for one in world.deals if one.status == "open" and one.queue is None]
    chosen = rng.sample(moving, min(len(moving), max(4, len(world.deals) // 20)))
    for place, one in enumerate(chosen):
        _change(world, rng, one, place)
    made = [_new(world, rng, contact) for contact in joined[: max(2, len(world.deals) // 40)]]
    world.quirks["delta_deal_changed"] += len(chosen)
    world.quirks["delta_deal_new"] += len(made)
    return sorted([*chosen, *made], key=lambda one: one.id)


def _change(world: World, rng: random.Random, one: KartraDeal, place: int) -> None:
    one.is_delta = True
    end = DELTA_START.date() + timedelta(days=rng.randint(0, 8))
    if place % 4 == 0:
        one.status, one.closes = "won", end
    elif place % 4 == 1:
        one.status, one.closes = "lost", end
    elif place % 4 == 2:
        one.stage = STAGES[(STAGES.index(one.stage) + 1) % len(STAGES)]
    else:
        one.amount = (one.amount or Decimal(0)) + 100
        one.amount_text = amount_text(rng, one.amount, world.config.currency)


def _new(world: World, rng: random.Random, contact: Contact) -> KartraDeal:
    place = (max(one.id for one in world.deals) - FIRST_DEAL) // 2 + 1
    one = _deal(world, rng, place, contact)
    one.created, one.closes, one.status, one.is_delta = between(rng, DELTA_START, DELTA_START + timedelta(days=5)), None, "open", True
    world.deals.append(one)
    return one

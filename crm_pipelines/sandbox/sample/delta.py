"""A later export: what changed at the client between the first load and the cutover.

Belongs here: new and changed contacts, new purchases, late refunds, subscriptions that ended. Not here: the first
export. Organizations never lose their last contact here, and nothing changes that the destination takes only once.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from crm_pipelines.sandbox.sample import columns, names, words
from crm_pipelines.sandbox.sample.csvfile import ExportFile, Line
from crm_pipelines.sandbox.sample.deals import change_deals
from crm_pipelines.sandbox.sample.exports import contact_header, contact_line, deals_file, styled, transaction_line
from crm_pipelines.sandbox.sample.people import joined_cell, usual_row
from crm_pipelines.sandbox.sample.purchases import number_transactions, sale
from crm_pipelines.sandbox.sample.subscriptions import add_event
from crm_pipelines.sandbox.sample.times import DELTA_EXPORT, DELTA_START, between
from crm_pipelines.sandbox.sample.twins import newer_row
from crm_pipelines.sandbox.sample.world import Contact, Subscription, World, share

FIRST_DELTA_TRANSACTION = 900_001
END = DELTA_START + timedelta(days=9)


def plant_delta(world: World) -> list[ExportFile]:
    """Change the world as a few weeks would, and return the files of the later export."""
    rng = world.random("delta")
    file = max(file for contact in world.contacts for file in contact.rows) + 1
    changed = _changed_contacts(world, rng, file)
    joined = _new_contacts(world, rng, file)
    ended = _ended_subscriptions(world, rng)
    _new_purchases(world, rng, joined)
    number_transactions(world, FIRST_DELTA_TRANSACTION)
    files = [_contacts_file(world, file, [*changed, *joined]), _transactions_file(world), _subscriptions_file(world, ended)]
    if world.config.has_deals:
        files.append(deals_file(world, DELTA_EXPORT + timedelta(minutes=12), change_deals(world, joined), "delta"))
    return files


def _changed_contacts(world: World, rng: random.Random, file: int) -> list[Contact]:
    free = world.free_contacts()
    chosen = rng.sample(free, share(len(free), 0.03))
    for contact in chosen:
        contact.rows[file] = newer_row(world, rng, contact, file, is_delta=True)
    world.quirks["delta_contact_changed"] += len(chosen)
    return chosen


def _new_contacts(world: World, rng: random.Random, file: int) -> list[Contact]:
    number = max(contact.id for contact in world.contacts)
    companies = names.company_pool(rng, 20)
    made = []
    for _ in range(max(3, share(len(world.contacts), 0.02))):
        number += rng.randint(1, 3)
        row = usual_row(world, rng, number, file, companies)
        row["date_joined"] = joined_cell(between(rng, DELTA_START, END))
        made.append(Contact(number, {file: row}))
    world.contacts += made
    world.quirks["delta_contact_new"] += len(made)
    return made


def _ended_subscriptions(world: World, rng: random.Random) -> list[Subscription]:
    """Cancel two subscriptions in the newer subscriptions file, and one by an event that only the transactions tell."""
    told = {one.subscription.id for one in world.transactions if one.subscription and (one.is_late or one.kind == "Request Can.")}
    paid = {one.subscription.id for one in world.transactions if one.subscription and one.kind in {"Sale", "Rebill"}}
    open_ones = [one for one in world.subscriptions if one.is_in_file and one.status == "Active" and one.id in paid - told]
    for one in open_ones[:2]:
        one.later_status, one.later_end = "Cancelled", between(rng, DELTA_START, END)
    for one in open_ones[2:3]:
        event = add_event(world, one, "Cancellation", between(rng, DELTA_START, END))
        event.is_late = event.is_delta = True
        world.quirks["delta_late_cancellation"] += 1
    world.quirks["delta_subscription_ended"] += len(open_ones[:2])
    return open_ones[:2]


def _new_purchases(world: World, rng: random.Random, joined: list[Contact]) -> None:
    """Plant new sales to new contacts, rebills, and refunds of sales from the first export."""
    made = [sale(world, rng, contact, words.ONE_OFF_PRODUCTS[0], 2) for contact in joined[:5]]
    refunded = {id(one.parent) for one in world.transactions if one.parent is not None}
    touched = {one.subscription.id for one in world.transactions if one.subscription and (one.parent is not None or one.is_late)}
    payments = {one.subscription.id: one for one in world.transactions if one.subscription and one.kind in {"Sale", "Rebill"}}
    steady = [one for number, one in payments.items() if number not in touched][:10]
    made += [replace(one, kind="Rebill", processor_id=f"ch_{rng.getrandbits(48):012x}") for one in steady]
    sales = [one for one in world.transactions if one.kind == "Sale" and one.subscription is None and not one.queue]
    old = [one for one in sales if one.processor_id and one.amount > 0 and id(one) not in refunded][:3]
    refunds = [replace(one, kind="Refund", parent=one, coupon="") for one in old]
    for one in made:
        one.coupon, one.product_text, one.says_subscription = "", "", True
    for one in [*made, *refunds]:
        one.id, one.at, one.is_delta, one.link = 0, between(rng, DELTA_START, END), True, "lead_id"
    world.transactions += [*made, *refunds]
    world.quirks["delta_refund"] += len(refunds)


def _contacts_file(world: World, file: int, contacts: list[Contact]) -> ExportFile:
    header = contact_header(world, file)
    lines = [contact_line(contact, file, header) for contact in contacts]
    return styled(world, ExportFile("contacts", DELTA_EXPORT, header, lines=lines), file)


def _transactions_file(world: World) -> ExportFile:
    header = columns.transactions_header(world.config.currency)
    rows = sorted((one for one in world.transactions if one.is_delta), key=lambda one: (one.at, one.id))
    lines = [transaction_line(one, "delta", is_negative=False) for one in rows]
    return styled(world, ExportFile("transactions", DELTA_EXPORT + timedelta(minutes=6), header, lines=lines), 0)


def _subscriptions_file(world: World, ended: list[Subscription]) -> ExportFile:
    rows = [(one.id, columns.subscription_row(one, world.config.currency, is_later=True)) for one in ended]
    lines = [Line(row, owner=("subscriptions", number, "delta")) for number, row in rows]
    return styled(world, ExportFile("subscriptions", DELTA_EXPORT + timedelta(minutes=9), columns.SUBSCRIPTIONS, lines=lines), 0)

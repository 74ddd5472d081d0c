"""The records of the route to Odoo, phase by phase, and the schema they need.

Belongs here: putting the phases together, fields with their types, deals and appointments. Not here: partners
(truth_odoo_people), orders and invoices (truth_odoo_sales), rows and queues (truth).
Field names are those of docs/routes/kartra_to_odoo.md; links are source keys, labels are names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from crm_pipelines.sandbox.sample import truth_odoo_people, truth_odoo_sales
from crm_pipelines.sandbox.sample.times import utc_text
from crm_pipelines.sandbox.sample.truth_deals import Deals
from crm_pipelines.sandbox.sample.truth_odoo_people import paragraph
from crm_pipelines.sandbox.sample.truth_people import People, Record, set_only
from crm_pipelines.sandbox.sample.world import Booking, KartraDeal, World

MONEY = {"orders": ("amount", "state"), "invoices": ("amount", "state"), "deals": ("expected_revenue", "status")}
WON_STAGE = "Won"  # the one that a new Odoo has
DEAL_FIELDS = {"Kartra deal ID": "char", "Kartra created date": "datetime", "Kartra pipeline": "char", "Kartra stage": "char"}
BOOKING_FIELDS = {"Kartra booking status": "char"}


def records(world: World, people: People, deals: Deals) -> dict[str, dict[str, Record]]:
    """Return every record of every phase but the users."""
    organizations = truth_odoo_people.organization_records(world, people)
    sales = truth_odoo_sales.purchase_records(world, deals)
    return {
        "organizations": organizations,
        "people": truth_odoo_people.person_records(world, people),
        "opt_outs": truth_odoo_people.opt_out_records(people),
        "products": truth_odoo_sales.product_records(deals),
        **sales,
        "deals": {one.key: _deal(world, people, one) for one in settled(world, people) if one.queue is None},
        "activities": _activities(world, people),
    }


def schema(world: World, found: dict[str, dict[str, Record]]) -> dict[str, Any]:
    """Return custom fields by phase with their types, and the stages of open and lost deals in order of appearance."""
    fields: dict[str, dict[str, str]] = {
        "organizations": {"Kartra created date": "datetime"},
        "people": truth_odoo_people.field_types(world),
        "orders": truth_odoo_sales.ORDER_FIELDS,
        "deals": DEAL_FIELDS,
        "activities": BOOKING_FIELDS,
    }
    if "invoices" in found:
        fields["invoices"] = truth_odoo_sales.INVOICE_FIELDS
    stages = list(dict.fromkeys(one["stage"] for one in found["deals"].values() if one["status"] != "won"))
    return {"fields": fields, "stages": stages, "won_stage": WON_STAGE}


def settled(world: World, people: People) -> Iterable[KartraDeal]:
    """Return the deals, with the decision about owners without a user applied to their queues."""
    decided = world.config.decided
    for one in world.deals:
        is_taken_over = one.queue == ("owner", "no_user") and decided["owners"] == "default_user"
        yield replace(one, queue=None, owner=replace(one.owner, means=decided["default_owner"])) if is_taken_over else one


def _deal(world: World, people: People, one: KartraDeal) -> Record:
    assert one.contact is not None  # noqa: S101 - deals of strangers wait
    is_closed = one.status != "open" and one.closes is not None
    return set_only(
        {
            "name": one.name.means,
            "description": paragraph(one.notes.means) if one.notes.means else None,
            "partner_id": people.of_contact[one.contact.id].key,
            "user_id": one.owner.means,
            "status": one.status,
            "stage": WON_STAGE if one.status == "won" else one.stage,
            "expected_revenue": None if one.amount is None else float(one.amount),
            "currency": None if one.amount is None else world.config.currency,
            "date_deadline": f"{one.closes}" if one.closes else None,
            "date_closed": f"{one.closes}T00:00:00Z" if is_closed else None,
            "custom": _deal_custom(world, one),
        }
    )


def _deal_custom(world: World, one: KartraDeal) -> Record:
    found = {"Kartra deal ID": one.key, "Kartra created date": utc_text(one.created, world.config.timezone)}
    return set_only({**found, "Kartra pipeline": one.pipeline or None, "Kartra stage": one.stage})


def _activities(world: World, people: People) -> dict[str, Record]:
    is_kept = world.config.decided["cancelled_bookings"] == "keep"
    wanted = [one for one in world.bookings if one.contact is not None and (is_kept or one.status != "cancelled")]
    return {one.key: _activity(people, one) for one in wanted}


def _activity(people: People, one: Booking) -> Record:
    assert one.contact is not None  # noqa: S101 - bookings of strangers wait
    name = f"{one.calendar} - {one.class_name}" if one.class_name else one.calendar
    hours, minutes, seconds = (int(part) for part in (one.duration or "0:0:0").split(":"))
    stop = one.start_utc + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return set_only(
        {
            "name": f"Cancelled: {name}" if one.status == "cancelled" else name,
            "start": f"{one.start_utc:%Y-%m-%dT%H:%M:%SZ}",
            "stop": f"{stop:%Y-%m-%dT%H:%M:%SZ}",
            "attendees": sorted([people.of_contact[one.contact.id].key, *([one.host] if one.host else [])]),
            "user_id": one.host,
            "location": one.location or None,
            "description": f"<p>Kartra booking {one.id}</p>",
            "custom": {"Kartra booking status": one.status},
        }
    )

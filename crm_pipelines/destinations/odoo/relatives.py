"""What must go with a change to a person, so that the company and its other contacts keep what is theirs.

Belongs here: the ways in which `_fields_sync` (res_partner.py, 19.0) spreads a write, and what stops each. Not here: creates
(write, finishing), other changes (changing).

An address: a contact of type Contact takes its company's when it comes under it, and gives its own to a company without one; a later
change of it goes to the company and from there to every other contact of that type. One of type Other Address does none of this.

A VAT number: it is the company's for all of its contacts, whatever their type. One that a person has would become the company's and
every sibling's, or be replaced by the company's. So such a person is not put under a company: nothing is lost, and a person can do
it; a contact that changes companies leaves the former one's number behind.

What remains: a person without one gets the company's VAT number, industry and registry (`_commercial_fields`; installed modules add
terms of payment and pricelist), as anybody has who is put under a company by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_pipelines.destinations.odoo import listing
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.finishing import ADDRESS
from crm_pipelines.destinations.odoo.models import Model

HAS_VAT = "has_vat: parent_id"
SPREADING = frozenset({"parent_id", "type", *ADDRESS})


async def keep_apart(api: Api, model: Model, changes: Mapping[int, dict[str, Any]]) -> dict[int, str]:
    """Complete what is written to persons, id -> columns, in place.

    Shape: id -> what was left out of it, and why.
    """
    asked = sorted(number for number, vals in changes.items() if SPREADING & vals.keys())
    if model.phase != "people" or not asked:
        return {}
    there = await listing.records(api, model, asked, ["parent_id", "type", "vat", *ADDRESS])
    return {record["id"]: reason for record in there if (reason := _apart(record, changes[record["id"]]))}


def _apart(record: Mapping[str, Any], vals: dict[str, Any]) -> str:
    reason = ""
    if record["vat"] and vals.get("parent_id") and vals["parent_id"] != record["parent_id"]:
        if record["parent_id"]:
            vals["vat"] = False
        else:
            reason = HAS_VAT
            del vals["parent_id"]
    new = {**record, **vals}
    if new["parent_id"] and new["type"] == "contact" and any(new[name] for name in ADDRESS):
        vals["type"] = "other"
    return reason

"""What must go with a change to a person, so that the company and its other contacts keep what is theirs.

Belongs here: the ways in which `_fields_sync` (res_partner.py, 19.0) spreads a write, and what stops each. Not here: creates
(write, finishing), other changes (changing).

A state goes with its country: one that is of another is emptied.

An address: a contact of type Contact takes its company's when it comes under it, and gives its own to a company without one; a later
change of it goes to the company and from there to every other contact of that type. One of type Other Address does none of this.

A VAT number, and terms (industry, registry, terms of payment, pricelist, limits: `_commercial_fields`): they are the company's for all
of its contacts, whatever their type. What a person has of their own would be replaced by the company's, in every company of the
database, where an empty one replaces it too; a VAT number would become the company's and every sibling's. So a person with a VAT number
or terms that the company has not is not put under it: nothing is lost, and a person can do it. A contact that changes companies leaves
the former one's behind.

What remains: a person without any gets the company's, as anybody has who is put under a company by hand. Companies of the database that
the key's user may not enter cannot be read: terms that a person has there alone are not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_pipelines.destinations.odoo import listing
from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.finishing import ADDRESS
from crm_pipelines.destinations.odoo.models import Model

HAS_VAT = "has_vat: parent_id"
HAS_TERMS = "has_own_terms: parent_id"
SYNCED = frozenset({"vat", "specific_property_product_pricelist"})
"""Fields that a contact gives to its company (`_synced_commercial_fields`)."""
SPREADING = frozenset({"parent_id", "type", *ADDRESS})
TERMS = (
    "company_registry", "industry_id", "credit_limit", "property_account_payable_id", "property_account_receivable_id",
    "property_account_position_id", "property_payment_term_id", "property_supplier_payment_term_id", "specific_property_product_pricelist",
    "nrc", "branch_code", "sst_registration_number", "ttx_registration_number", "l10n_latam_identification_type_id",
    "l10n_ar_afip_responsibility_type_id", "l10n_cl_sii_taxpayer_type", "l10n_cl_activity_description", "l10n_eg_building_no",
    "l10n_hu_group_vat", "l10n_in_gst_treatment", "l10n_in_pan_entity_id", "l10n_in_tan", "l10n_ke_exemption_number",
    "l10n_my_identification_type", "l10n_my_identification_number", "l10n_my_edi_malaysian_tin", "l10n_my_edi_industrial_classification",
    "l10n_sa_edi_building_number", "l10n_sa_edi_plot_identification", "l10n_sa_edi_additional_identification_scheme",
    "l10n_sa_edi_additional_identification_number", "l10n_tw_edi_require_paper_format",
)  # fmt: skip
"""Fields that are the company's for all of its contacts; a database has some. Source: `_commercial_fields` of every module of 19.0."""


async def keep_apart(api: Api, model: Model, changes: Mapping[int, dict[str, Any]], states: Mapping[int, int]) -> dict[int, str]:
    """Complete what is written to persons, id -> columns, in place. `states` tells the country of each state.

    Shape: id -> what was left out of it, and why.
    """
    asked = sorted(number for number, vals in changes.items() if SPREADING & vals.keys())
    if model.phase != "people" or not asked:
        return {}
    terms = await _terms(api, model) if any(vals.get("parent_id") for vals in changes.values()) else []
    there = await listing.records(api, model, asked, ["parent_id", "type", "vat", *(SYNCED & {*terms}), *ADDRESS])
    adopted = {record["id"]: changes[record["id"]].get("parent_id") for record in there if not record["parent_id"]}
    special = await _with_terms(api, model, {number: int(parent) for number, parent in adopted.items() if parent}, terms)
    return {record["id"]: reason for record in there if (reason := _apart(record, changes[record["id"]], special, states))}


async def _terms(api: Api, model: Model) -> list[str]:
    known = await api.call("list.terms", model.name, "fields_get", allfields=list(TERMS), attributes=["type"])
    return [name for name in TERMS if name in known]


async def _with_terms(api: Api, model: Model, parents: Mapping[int, int], fields: Sequence[str]) -> set[int]:
    """Return the persons with terms of their own that the company they are to come under has not, in any company of the database."""
    if not parents or not fields:
        return set()
    companies = await api.search_read("list.companies", "res.company", [], ["name"])
    numbers, found = sorted({*parents, *parents.values()}), set()
    for company in companies:
        context = {**listing.NO_ACTIVE_TEST, "allowed_company_ids": [company["id"]]}
        rows = await api.call("list.terms", model.name, "read", ids=numbers, fields=fields, context=context, load=None)
        terms = {row["id"]: row for row in rows}
        found |= {number for number, parent in parents.items() if _has_own(terms.get(number, {}), terms.get(parent, {}), fields)}
    return found


def _has_own(person: Mapping[str, Any], company: Mapping[str, Any], fields: Iterable[str]) -> bool:
    return any(person.get(name) and person[name] != company.get(name) for name in fields)


def _apart(record: Mapping[str, Any], vals: dict[str, Any], with_terms: Iterable[int], states: Mapping[int, int]) -> str:
    reason = ""
    if vals.get("parent_id") and vals["parent_id"] != record["parent_id"]:
        if record["parent_id"]:
            vals.update({name: False for name in SYNCED if record.get(name)})
        elif record["vat"] or record["id"] in with_terms:
            reason = HAS_VAT if record["vat"] else HAS_TERMS
            del vals["parent_id"]
    new = {**record, **vals}
    if vals.get("country_id") and new["state_id"] and states.get(new["state_id"]) != vals["country_id"]:
        vals["state_id"] = False  # Odoo's own form empties it, too: there is no California in Germany
    if new["parent_id"] and new["type"] == "contact" and any(new[name] for name in ADDRESS):
        vals["type"] = "other"
    return reason

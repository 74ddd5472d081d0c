"""What the comparison leaves alone in Odoo, and why.

Belongs here: every column that a person could see and no truth can know. Not here: how the others are compared (judge).
"""

from __future__ import annotations

from crm_pipelines.sandbox.compare.verdict import NotCompared

_OWN = {
    "id": "the database numbers its records itself",
    "create_date, create_uid, write_date, write_uid": "Odoo's clock and the user of the key; no API sets them",
}
_PARTNER = {
    **_OWN,
    "complete_name, commercial_*, email_normalized, phone_sanitized, partner_share": "computed by Odoo from what is compared",
    "customer_rank, supplier_rank": "counted by Odoo when orders and invoices arrive",
    "color, signup_type, autopost_bills, trust, peppol_*, invoice_*, property_*": "the account's defaults",
    "partner_latitude, partner_longitude": "set by a geolocation app only",
}
NOT_COMPARED: NotCompared = {
    "organizations": _PARTNER,
    "people": _PARTNER,
    "opt_outs": _OWN,
    "products": {
        **_OWN,
        "categ_id, uom_id, sale_ok, purchase_ok, expense_policy, service_*": "the account's defaults",
        "invoice_policy": "seen in what orders ask for: none of a product of ours is to be invoiced",
        "taxes_id": "the company's default taxes for later sales; the migrated lines carry none, which is compared",
    },
    "orders": {
        **_OWN,
        "name": "Odoo's own sequence (S00001)",
        "validity_date, access_token, require_*, prepayment_percent": "the account's defaults for quotations",
        "pricelist_id (in the company's currency)": "the account's default pricelist",
        "team_id, journal_id, fiscal_position_id, payment_term_id, note": "the account's defaults",
        "invoice_status (of products that were there before), currency_rate": "computed by Odoo",
        "currency (of an order without an amount)": "the company's currency",
    },
    "invoices": {
        **_OWN,
        "name, sequence_*, payment_reference": "Odoo's own sequence (INV/2024/00001)",
        "journal_id, invoice_payment_term_id, fiscal_position_id, team_id, narration": "the account's defaults",
        "commercial_partner_id": "computed by Odoo: the customer's company",
        "payment_state, amount_residual": "computed by Odoo; that no payment was registered is compared",
        "journal items other than the product line": "computed by Odoo from it",
    },
    "deals": {
        **_OWN,
        "team_id, color, priority, lead_properties": "the account's defaults",
        "email_from, phone, street, city, partner_name, contact_name and the like": "filled in by Odoo from the partner",
        "probability (of an open deal), automated_probability, prorated_revenue": "computed by Odoo",
        "crm_lead_scoring_frequency": "Odoo's own counters of deals won and lost",
        "date_open, date_last_stage_update, day_open, day_close": "Odoo's clock; the originals are in custom fields",
    },
    "activities": {
        **_OWN,
        "privacy, show_as, access_token": "the account's defaults",
        "duration, start_date, stop_date": "computed by Odoo from start and stop",
        "attendees' state and availability": "nobody is asked; Odoo takes the user of the key for present",
    },
    "users": {"all but that the owner has an active user": "users are never created or changed; one that appears is told"},
}

"""Which model of Odoo holds a phase, which column a logical field is, and the quirks of each, as data.

Belongs here: names, kinds, constants, context keys. Not here: values (shape), requests (write, listing), what a map may
name (contract). Source of the quirks: the models' own code in Odoo 19.0, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from crm_pipelines.destinations.base import Capabilities

BATCH_ROWS = 500  # a batch must end within the server's limit_time_cpu, 60 s: orders take 13 ms each, invoices 21
PARTNER_ROWS = 1_000  # of partners, at 1 to 6 ms each: a tenth less CPU a record than 500 (measured)
READ_ROWS = 5_000  # a third less CPU a record than at 1,000 (measured); 5,000 records of 40 fields are about 5 MB
WRITE_ROWS = 250  # web_save_multi: 2,275 light rows a second at 250 (measured)

Kind = Literal["char", "text", "html", "float", "boolean", "date", "datetime", "selection", "link"]
"""How a value is written and read; those with a rule of their own have a name of their own in `Column.role`."""


@dataclass(frozen=True)
class Column:
    """Where a logical field stands."""

    name: str
    """Technical name of the field in Odoo."""
    kind: Kind
    role: Literal["", "labels", "country", "state", "attendees", "status", "stage", "currency", "line", "customer", "due"] = ""
    """What decides its value beside the kind: `line` stands on the one order line, not on the record."""


@dataclass(frozen=True)
class Model:
    """One phase's model."""

    phase: str
    name: str
    columns: Mapping[str, Column]
    constants: Mapping[str, str] = field(default_factory=dict)
    """Cells that every record of ours carries."""
    explicit: tuple[str, ...] = ()
    """Logical fields whose column is sent empty too: Odoo would fill it itself."""
    context: Mapping[str, object] = field(default_factory=dict)
    lines: str = ""
    """Field that holds the lines of an order or invoice."""
    amount: str = ""
    """Field that tells the record's amount."""
    addresses: tuple[str, ...] = ()
    """Fields that hold an address of the customer: Odoo would take the company's for a contact with an address of its own."""
    batch_rows: int = BATCH_ROWS
    """Records that one call makes."""


def _chars(*names: str) -> dict[str, Column]:
    return {name: Column(name, "char") for name in names}


def _link(name: str) -> Column:
    return Column(name, "link")


_PARTNER = {
    **_chars("name", "email", "phone", "street", "street2", "city", "zip", "website", "ref"),
    "country": Column("country_id", "link", "country"),
    "state": Column("state_id", "link", "state"),
    "comment": Column("comment", "html"),
    "user_id": _link("user_id"),
    "category_id": Column("category_id", "link", "labels"),
}
_LINE = {
    "product": Column("product_id", "link", "line"),
    "description": Column("name", "text", "line"),
    "amount": Column("price_unit", "float", "line"),
}
_QUIET = {"mail_create_nosubscribe": True, "mail_create_nolog": True, "mail_notrack": True, "mail_auto_subscribe_no_notify": True}
# tracking_disable (always sent) skips chatter and the followers that mail.thread adds; these cover what models add themselves

_PARTNERS = {"default_tz": False, "active_test": False}
# res_partner.py fills `tz` from the context's zone; without the active test an insert costs a tenth less (measured), nothing else differs

ORGANIZATIONS = Model(
    "organizations",
    "res.partner",
    {**_PARTNER, "vat": Column("vat", "char")},
    {"is_company": "1"},
    context=_PARTNERS,
    batch_rows=PARTNER_ROWS,
)
PEOPLE = Model(
    "people",
    "res.partner",
    {**_PARTNER, "parent_id": _link("parent_id"), "type": Column("type", "selection"), "function": Column("function", "char")},
    explicit=("user_id",),  # a contact without a salesperson would get its company's
    context=_PARTNERS,
    batch_rows=PARTNER_ROWS,
)
OPT_OUTS = Model("opt_outs", "mail.blacklist", _chars("email"))
PRODUCTS = Model(
    "products",
    "product.product",
    {**_chars("name", "default_code"), "list_price": Column("list_price", "float")},
    {"type": "service", "list_price": "0"},
    # nothing is ever delivered of a history, so that no confirmed order asks to be invoiced; a default, as only the app Sales has the field
    context={"default_invoice_policy": "delivery"},
)
ORDERS = Model(
    "orders",
    "sale.order",
    {
        **_chars("client_order_ref"),
        "partner_id": Column("partner_id", "link", "customer"),
        "date_order": Column("date_order", "datetime"),
        "state": Column("state", "selection"),
        "user_id": _link("user_id"),
        **_LINE,
        "currency": Column("pricelist_id", "link", "currency"),  # currency_id follows the pricelist; one that is given is ignored
    },
    explicit=("user_id", "currency"),  # Odoo takes the customer's salesperson, else the API's own user, and the customer's pricelist
    context={
        **_QUIET,
        "sale_no_log_for_new_lines": True,  # else "Extra line with ..." in the chatter of confirmed orders
        "skip_procurement": True,  # sale_stock/models/sale_order_line.py: else an order in state sale starts a real delivery
    },
    lines="order_line",
    amount="amount_total",
    addresses=("partner_invoice_id", "partner_shipping_id"),
)
INVOICES = Model(
    "invoices",
    "account.move",
    {
        **_chars("ref"),
        "partner_id": Column("partner_id", "link", "customer"),
        # due on the day of the import, else (_compute_invoice_date_due)
        "invoice_date": Column("invoice_date", "date", "due"),
        "state": Column("state", "selection", "status"),  # "You cannot create a move already in the posted state"
        "invoice_user_id": _link("invoice_user_id"),
        **_LINE,
        "currency": Column("currency_id", "link", "currency"),
    },
    {"move_type": "out_invoice"},
    explicit=("invoice_user_id",),
    context=_QUIET,
    lines="invoice_line_ids",
    amount="amount_total",
    addresses=("partner_shipping_id",),
)
DEALS = Model(
    "deals",
    "crm.lead",
    {
        **_chars("name"),
        "description": Column("description", "html"),
        "partner_id": _link("partner_id"),
        "user_id": _link("user_id"),
        "status": Column("won_status", "selection", "status"),
        "stage": Column("stage_id", "link", "stage"),
        "expected_revenue": Column("expected_revenue", "float"),
        "currency": Column("company_currency", "link", "currency"),
        "date_deadline": Column("date_deadline", "date"),
        "date_closed": Column("date_closed", "datetime"),
    },
    {"type": "opportunity"},
    explicit=("user_id",),  # default: the API's own user
    context={**_QUIET, "default_iap_enrich_done": True},  # crm_iap_enrich sends e-mail domains of new open leads to a third party
    amount="expected_revenue",
)
ACTIVITIES = Model(
    "activities",
    "calendar.event",
    {
        **_chars("name", "location"),
        "start": Column("start", "datetime"),
        "stop": Column("stop", "datetime"),
        "user_id": _link("user_id"),
        "attendees": Column("partner_ids", "link", "attendees"),
        "description": Column("description", "html"),
    },
    explicit=("user_id",),  # default: the API's own user
    context={
        **_QUIET,
        "no_mail_to_attendees": True,  # calendar_attendee.py: no invitation
        "skip_contact_description": True,  # else the organizer's name and phone are written into the description
        "dont_notify": True,  # no alarms
        "no_document": True,
        # google_calendar, microsoft_calendar: not marked to be sent out (fields of these names exist only with those apps)
        "default_need_sync": False,
        "default_need_sync_m": False,
    },
)

MODELS: Mapping[str, Model] = {
    model.phase: model for model in (ORGANIZATIONS, PEOPLE, OPT_OUTS, PRODUCTS, ORDERS, INVOICES, DEALS, ACTIVITIES)
}
UNION = {"organizations": frozenset({"category_id"}), "people": frozenset({"category_id"})}
SECONDS_PER_RECORD = {
    # CPU seconds of server and PostgreSQL together, one connection, measured on 19.0 with every field of the Kartra map
    "organizations": 0.0010,
    "people": 0.0065,  # of which 0.003 go to companies: Odoo writes to each one's contacts apart
    "opt_outs": 0.0004,
    "products": 0.0020,
    "orders": 0.010,
    "invoices": 0.030,
    "deals": 0.0035,
    "activities": 0.0015,
}


def capabilities(concurrency: int, apply_within_s: float) -> Capabilities:
    """Return what the phases need to know of Odoo."""
    return Capabilities(
        burst_requests=concurrency,  # no rate limit of the server's own: its workers are the limit
        burst_window_s=1.0,
        concurrency=concurrency,
        list_page=READ_ROWS,
        visible_token_phases=frozenset(),
        create_only_fields={},
        union_fields=UNION,
        added_to_fields=UNION,  # labels travel as commands that add: see Changing._vals
        can_empty=True,
        apply_within_s=apply_within_s,
        label_phases=frozenset({"organizations", "people"}),
        batch_rows=BATCH_ROWS,
        seconds_per_record=SECONDS_PER_RECORD,
    )

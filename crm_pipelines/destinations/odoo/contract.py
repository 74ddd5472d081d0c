"""What Odoo accepts, phase by phase: the contract that a mapping spec is held against.

Belongs here: the fields that a map may name, with their types, what is required, limits on names. Not here: models and
columns (models), values (shape), requests (write). Source: fields_get and the models of Odoo 19.0 Community, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crm_pipelines.spec.contract import CUSTOM_ACCEPTS, DestinationContract, FieldContract, PhaseContract

TEXT = FieldContract("text")
NAME = FieldContract("text", required=True)
NUMBER = FieldContract("number")
DATE = FieldContract("date")
MOMENT = FieldContract("datetime")
USER = FieldContract("text", link="users")
CONTACT = FieldContract("text", link="people")
PRODUCT = FieldContract("text", link="products")
CATEGORIES = FieldContract("texts")
ADDRESS = dict.fromkeys(("street", "street2", "city", "zip", "state", "country"), TEXT)
"""`country` is an ISO code, `state` a code or name within it."""
PARTNER = {"name": NAME, "email": TEXT, "phone": TEXT, **ADDRESS, "website": TEXT, "ref": TEXT, "comment": TEXT, "user_id": USER}


def _meaning(fields: Mapping[str, FieldContract], **concepts: str) -> dict[str, FieldContract]:
    """Return fields with the concept of targets.csv that each stands for."""
    return {name: replace(field, concept=concepts.get(name, "")) for name, field in fields.items()}


USERS = PhaseContract(
    match_only=True,  # a user takes a paid seat at odoo.com and a password anywhere
    fields={"email": NAME, "name": TEXT},
)

ORGANIZATIONS = PhaseContract(
    custom_fields=True,
    native_key=True,
    labels="category_id",
    fields=_meaning(
        {**PARTNER, "category_id": CATEGORIES, "vat": TEXT},
        name="org.name",
        phone="org.phone",
        street="org.street",
        city="org.city",
        country="org.country",
        website="org.website",
        user_id="org.owner",
        vat="org.tax_id",
    ),
)

PEOPLE = PhaseContract(
    custom_fields=True,
    native_key=True,
    labels="category_id",
    fields=_meaning(
        {
            **PARTNER,
            "parent_id": FieldContract("text", link="organizations"),
            "type": FieldContract("text", choices=("contact", "other", "invoice", "delivery")),
            "function": TEXT,
            "category_id": CATEGORIES,
        },
        name="person.full_name",
        email="person.email",
        phone="person.phone",
        street="person.street",
        city="person.city",
        state="person.state",
        zip="person.postal_code",
        country="person.country",
        website="person.website",
        comment="person.notes",
        user_id="person.owner",
        function="person.job_title",
        category_id="person.tags",
    ),
)

OPT_OUTS = PhaseContract(native_key=True, fields={"email": NAME})

PRODUCTS = PhaseContract(
    native_key=True,
    custom_fields=True,
    fields=_meaning(
        {"name": NAME, "default_code": TEXT, "list_price": NUMBER},
        name="product.name",
        default_code="product.code",
        list_price="product.price",
    ),
)

ORDERS = PhaseContract(
    custom_fields=True,
    native_key=True,
    amount="amount",
    currency="currency",
    status="state",
    fields=_meaning(
        {
            "client_order_ref": TEXT,
            "partner_id": FieldContract("text", link="people", required=True),
            "date_order": MOMENT,
            "state": FieldContract("text", choices=("draft", "sent", "sale", "cancel")),
            "user_id": USER,
            "product": PRODUCT,  # of the one order line
            "description": TEXT,  # text of that line
            "amount": NUMBER,  # its price
            "currency": TEXT,
        },
        date_order="deal.close_date",
        state="deal.status",
        user_id="deal.owner",
        amount="deal.value",
        currency="deal.currency",
    ),
)

INVOICES = PhaseContract(
    custom_fields=True,
    native_key=True,
    amount="amount",
    currency="currency",
    status="state",
    fields=_meaning(
        {
            "ref": TEXT,
            "partner_id": FieldContract("text", link="people", required=True),
            "invoice_date": DATE,
            "state": FieldContract("text", choices=("draft", "posted", "cancel")),
            "invoice_user_id": USER,
            "product": PRODUCT,
            "description": TEXT,
            "amount": NUMBER,
            "currency": TEXT,
        },
        invoice_date="deal.close_date",
        state="deal.status",
        invoice_user_id="deal.owner",
        amount="deal.value",
        currency="deal.currency",
    ),
)

DEALS = PhaseContract(
    custom_fields=True,
    native_key=True,
    amount="expected_revenue",
    currency="currency",
    status="status",
    stage="stage",
    fields=_meaning(
        {
            "name": NAME,
            "description": TEXT,
            "partner_id": CONTACT,
            "user_id": USER,
            "status": FieldContract("text", choices=("open", "won", "lost")),
            "stage": TEXT,
            "expected_revenue": NUMBER,
            "currency": TEXT,
            "date_deadline": DATE,
            "date_closed": MOMENT,
        },
        name="deal.title",
        user_id="deal.owner",
        status="deal.status",
        stage="deal.stage",
        expected_revenue="deal.value",
        currency="deal.currency",
        date_deadline="deal.close_date",
    ),
)

ACTIVITIES = PhaseContract(
    custom_fields=True,
    native_key=True,
    fields=_meaning(
        {
            "name": NAME,
            "start": FieldContract("datetime", required=True),
            "stop": FieldContract("datetime", required=True),
            "user_id": USER,
            "attendees": CONTACT,
            "location": TEXT,
            "description": TEXT,
        },
        name="activity.subject",
        start="activity.due_date",
        user_id="activity.owner",
        location="activity.location",
        description="activity.note",
    ),
)

CONTRACT = DestinationContract(
    name="odoo",
    phases={
        "users": USERS,
        "organizations": ORGANIZATIONS,
        "people": PEOPLE,
        "opt_outs": OPT_OUTS,
        "products": PRODUCTS,
        "orders": ORDERS,
        "invoices": INVOICES,
        "deals": DEALS,
        "activities": ACTIVITIES,
    },
    field_name_max=60,  # x_ and the name within PostgreSQL's 63; longer: "Custom fields must have a name of at most 63"
    option_label_max=255,  # selection values are varchar without a limit; what a form still shows
    options_max=10_000,
    custom_types=frozenset(CUSTOM_ACCEPTS) - {"set", "address"},
    custom_text_max=None,  # char is varchar without a limit
)

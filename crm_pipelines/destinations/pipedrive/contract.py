"""What Pipedrive accepts, phase by phase: the contract that a mapping spec is held against.

Belongs here: standard fields with their types, what is required, what only a create call takes, limits on names. Not here:
requests (shape, entities), prices (costs). Source: OpenAPI v2 add-requests and v1 addNote, read 2026-11, unless told.
"""

from __future__ import annotations

from crm_pipelines.spec.contract import DestinationContract, FieldContract, PhaseContract

TITLE_MAX = 255  # varchar; a longer title is refused
OWNER = FieldContract("text", link="users")
ORGANIZATION = FieldContract("text", link="organizations")
LABELS = FieldContract("texts")

USERS = PhaseContract(
    match_only=True,  # inviting a user takes a paid seat: support.pipedrive.com, user pricing, read 2026-11
    fields={"email": FieldContract("text", required=True), "name": FieldContract("text")},
)

ORGANIZATIONS = PhaseContract(
    custom_fields=True,
    labels="label_ids",
    fields={
        "name": FieldContract("text", required=True, max_length=TITLE_MAX),
        "owner_id": OWNER,
        "add_time": FieldContract("datetime", create_only=True),  # in addOrganization, not in updateOrganization
        "label_ids": LABELS,
        "address": FieldContract("address"),
        "website": FieldContract("text"),
        "linkedin": FieldContract("text"),
        "annual_revenue": FieldContract("number"),
        "employee_count": FieldContract("number"),
    },
)

PEOPLE = PhaseContract(
    custom_fields=True,
    labels="label_ids",
    fields={
        "name": FieldContract("text", required=True, max_length=TITLE_MAX),
        "emails": FieldContract("texts"),
        "phones": FieldContract("texts"),
        "owner_id": OWNER,
        "org_id": ORGANIZATION,
        "add_time": FieldContract("datetime", create_only=True),
        "label_ids": LABELS,
        # "only allowed once to change from an old status to a new one"; without a valid e-mail it stays no_consent (addPerson)
        "marketing_status": FieldContract("text", create_only=True, choices=("no_consent", "unsubscribed", "subscribed", "archived")),
    },
)

DEALS = PhaseContract(
    custom_fields=True,
    labels="label_ids",
    amount="value",
    currency="currency",
    status="status",
    pipeline="pipeline",
    stage="stage",
    fields={
        "title": FieldContract("text", required=True, max_length=TITLE_MAX),
        "value": FieldContract("number"),
        "currency": FieldContract("text"),
        "status": FieldContract("text", choices=("open", "won", "lost")),
        "won_time": FieldContract("datetime"),
        "lost_time": FieldContract("datetime"),
        "lost_reason": FieldContract("text"),
        "expected_close_date": FieldContract("date"),
        "probability": FieldContract("number"),
        "pipeline": FieldContract("text"),
        "stage": FieldContract("text"),
        "owner_id": OWNER,
        "person_id": FieldContract("text", link="people"),
        "org_id": ORGANIZATION,
        "label_ids": LABELS,
    },
)

ACTIVITIES = PhaseContract(
    types="type",
    fields={
        "subject": FieldContract("text", required=True, max_length=TITLE_MAX),
        "type": FieldContract("text", required=True),
        "owner_id": OWNER,
        "deal_id": FieldContract("text", link="deals"),
        "org_id": ORGANIZATION,
        # person_id is read-only (400): people arrive as participants
        "participants": FieldContract("text", link="people"),
        "due_date": FieldContract("date"),
        "due_time": FieldContract("text"),
        "duration": FieldContract("text"),
        "done": FieldContract("boolean"),
        "busy": FieldContract("boolean"),
        "location": FieldContract("text"),
        "note": FieldContract("text", max_length=100_000),  # 100 KB: changelog 2025-09-21
        "public_description": FieldContract("text"),
        "priority": FieldContract("number"),
    },
)

NOTES = PhaseContract(
    fields={
        "content": FieldContract("text", required=True, max_length=100_000),  # undocumented for notes; the activity's limit
        "person_id": FieldContract("text", link="people"),
        "org_id": ORGANIZATION,
        "deal_id": FieldContract("text", link="deals"),
        "add_time": FieldContract("datetime"),
    },
)

CONTRACT = DestinationContract(
    name="pipedrive",
    phases={
        "users": USERS,
        "organizations": ORGANIZATIONS,
        "people": PEOPLE,
        "deals": DEALS,
        "activities": ACTIVITIES,
        "notes": NOTES,
    },
    field_name_max=255,  # addDealField: field_name 1-255
    option_label_max=255,
    options_max=10_000,  # pipedrive.readme.io/docs/working-with-labels, updated 2026-04-27
)

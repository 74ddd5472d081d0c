"""What Pipedrive accepts, phase by phase: the contract that a mapping spec is held against.

Belongs here: standard fields with their types, what is required, what only a create call takes, limits on names. Not here:
requests (shape, entities), prices (costs). Source: OpenAPI v2 add-requests and v1 addNote, read 2026-11, unless told.
"""

from __future__ import annotations

from dataclasses import replace

from crm_pipelines.spec.contract import DestinationContract, FieldContract, PhaseContract

TITLE_MAX = 255  # varchar; a longer title is refused
OWNER = FieldContract("text", link="users")
ORGANIZATION = FieldContract("text", link="organizations")
LABELS = FieldContract("texts")
MARKETING = ("no_consent", "unsubscribed", "subscribed", "archived")

USERS = PhaseContract(
    match_only=True,  # inviting a user takes a paid seat: support.pipedrive.com, user pricing, read 2026-11
    fields={"email": FieldContract("text", required=True), "name": FieldContract("text")},
)

ORGANIZATIONS = PhaseContract(
    custom_fields=True,
    labels="label_ids",
    fields={
        "name": FieldContract("text", required=True, max_length=TITLE_MAX, concept="org.name"),
        "owner_id": replace(OWNER, concept="org.owner"),
        "add_time": FieldContract("datetime", create_only=True),  # in addOrganization, not in updateOrganization
        "label_ids": LABELS,
        "address": FieldContract("address", concept="org.street"),
        "website": FieldContract("text", concept="org.website"),
        "linkedin": FieldContract("text"),
        "annual_revenue": FieldContract("number", concept="org.annual_revenue"),
        "employee_count": FieldContract("number", concept="org.employee_count"),
    },
)

PEOPLE = PhaseContract(
    custom_fields=True,
    labels="label_ids",
    fields={
        "name": FieldContract("text", required=True, max_length=TITLE_MAX, concept="person.full_name"),
        "emails": FieldContract("texts", concept="person.email"),
        "phones": FieldContract("texts", concept="person.phone"),
        "owner_id": replace(OWNER, concept="person.owner"),
        "org_id": ORGANIZATION,
        "add_time": FieldContract("datetime", create_only=True, concept="person.created_at"),
        "label_ids": replace(LABELS, concept="person.tags"),
        # "only allowed once to change from an old status to a new one"; without a valid e-mail it stays no_consent (addPerson)
        "marketing_status": FieldContract("text", create_only=True, choices=MARKETING, concept="person.opt_in_status"),
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
        "title": FieldContract("text", required=True, max_length=TITLE_MAX, concept="deal.title"),
        "value": FieldContract("number", concept="deal.value"),
        "currency": FieldContract("text", concept="deal.currency"),
        "status": FieldContract("text", choices=("open", "won", "lost"), concept="deal.status"),
        "won_time": FieldContract("datetime"),
        "lost_time": FieldContract("datetime"),
        "lost_reason": FieldContract("text", concept="deal.lost_reason"),
        "expected_close_date": FieldContract("date", concept="deal.close_date"),
        "probability": FieldContract("number", concept="deal.probability"),
        "pipeline": FieldContract("text", concept="deal.pipeline"),
        "stage": FieldContract("text", concept="deal.stage"),
        "owner_id": replace(OWNER, concept="deal.owner"),
        "person_id": FieldContract("text", link="people"),
        "org_id": ORGANIZATION,
        "label_ids": LABELS,
    },
)

ACTIVITIES = PhaseContract(
    types="type",
    fields={
        "subject": FieldContract("text", required=True, max_length=TITLE_MAX, concept="activity.subject"),
        "type": FieldContract("text", required=True, concept="activity.type"),
        "owner_id": replace(OWNER, concept="activity.owner"),
        "deal_id": FieldContract("text", link="deals"),
        "org_id": ORGANIZATION,
        # person_id is read-only (400): people arrive as participants
        "participants": FieldContract("text", link="people"),
        "due_date": FieldContract("date", concept="activity.due_date"),
        "due_time": FieldContract("text"),
        "duration": FieldContract("text", concept="activity.duration"),
        "done": FieldContract("boolean", concept="activity.done"),
        "busy": FieldContract("boolean"),
        "location": FieldContract("text", concept="activity.location"),
        "note": FieldContract("text", max_length=100_000, concept="activity.note"),  # 100 KB: changelog 2025-09-21
        "public_description": FieldContract("text"),
        "priority": FieldContract("number"),
    },
)

NOTES = PhaseContract(
    fields={
        "content": FieldContract(
            "text", required=True, max_length=100_000, concept="person.notes"
        ),  # undocumented for notes; the activity's limit
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

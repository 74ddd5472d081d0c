"""The fields every account has before anybody adds one.

Belongs here: names, codes and types of the vendor's own fields. Not here: custom fields (fields).
Source: S2 get*Fields; activities show `done` and `due_date` like the others. A selection: what a migration may look at.
"""

from __future__ import annotations

LABELED = ("deals", "persons", "organizations")

DEFAULT_LABELS = {
    "deals": (("Hot", "red"), ("Warm", "yellow"), ("Cold", "blue")),
    "persons": (("Customer", "green"), ("Hot lead", "red"), ("Warm lead", "yellow"), ("Cold lead", "blue")),
    "organizations": (("Customer", "green"), ("Hot lead", "red"), ("Warm lead", "yellow"), ("Cold lead", "blue")),
}

_COMMON = (
    ("ID", "id", "int"),
    ("Owner", "owner_id", "user"),
    ("Created", "add_time", "date"),
    ("Update time", "update_time", "date"),
    ("Visible to", "visible_to", "visible_to"),
)

BUILT_IN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "deals": (
        ("Title", "title", "varchar"), ("Value", "value", "monetary"), ("Currency", "currency", "varchar"),
        ("Contact person", "person_id", "people"), ("Organization", "org_id", "org"), ("Pipeline", "pipeline_id", "double"),
        ("Stage", "stage_id", "stage"), ("Status", "status", "status"), ("Probability", "probability", "int"),
        ("Lost reason", "lost_reason", "varchar_options"), ("Expected close date", "expected_close_date", "date"),
        ("Won time", "won_time", "date"), ("Lost time", "lost_time", "date"), ("Deal closed on", "close_time", "date"),
        ("Stage change time", "stage_change_time", "date"), ("Archived", "is_archived", "boolean"), *_COMMON,
    ),
    "persons": (
        ("Name", "name", "varchar"), ("First name", "first_name", "varchar"), ("Last name", "last_name", "varchar"),
        ("Email", "emails", "varchar"), ("Phone", "phones", "phone"), ("Organization", "org_id", "org"),
        ("Marketing status", "marketing_status", "enum"), *_COMMON,
    ),
    "organizations": (
        ("Name", "name", "varchar"), ("Address", "address", "address"), ("Website", "website", "varchar"),
        ("LinkedIn profile", "linkedin", "varchar"), ("Industry", "industry", "enum"),
        ("Annual revenue", "annual_revenue", "double"), ("Number of employees", "employee_count", "int"), *_COMMON,
    ),
    "products": (
        ("Name", "name", "varchar"), ("Product code", "code", "varchar"), ("Description", "description", "text"),
        ("Unit", "unit", "varchar"), ("Tax", "tax", "double"), ("Category", "category", "enum"),
        ("Active", "is_linkable", "boolean"), ("Unit prices", "prices", "price_list"), *_COMMON,
    ),
    "activities": (
        ("ID", "id", "int"), ("Subject", "subject", "varchar"), ("Type", "type", "enum"), ("Done", "done", "boolean"),
        ("Due date", "due_date", "date"), ("Due time", "due_time", "time"), ("Duration", "duration", "time"),
        ("Deal", "deal_id", "deal"), ("Person", "person_id", "people"), ("Organization", "org_id", "org"),
        ("Note", "note", "text"), ("Public description", "public_description", "text"), ("Priority", "priority", "enum"),
        ("Assigned to user", "owner_id", "user"), ("Add time", "add_time", "date"), ("Update time", "update_time", "date"),
    ),
}  # fmt: skip

READ_ONLY = frozenset({"id", "update_time", "add_time", "stage_change_time"})
OPTIONAL_IN_RESPONSES = frozenset({"marketing_status"})  # only with include_fields; S2 getPersons

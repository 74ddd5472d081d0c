"""Which endpoints carry a phase: v2 where it exists, v1 where it does not.

Belongs here: paths and the few facts that differ per entity. Not here: payloads (shape), prices (costs).
"""

from __future__ import annotations

from dataclasses import dataclass

from crm_pipelines.destinations.base import Capabilities
from crm_pipelines.destinations.pipedrive.costs import IDS_PER_LIST, LIST_PAGE, WINDOW_S


@dataclass(frozen=True)
class Entity:
    """One kind of record."""

    phase: str
    path: str
    fields_path: str = ""
    is_v1: bool = False
    mark_field: str = ""
    """Text field that shows the visible token; empty where a custom field holds the external id."""
    mark_break: str = ""
    """What separates the text from its token."""

    @property
    def update_method(self) -> str:
        """v2 patches, v1 puts."""
        return "PUT" if self.is_v1 else "PATCH"


ENTITIES = {
    entity.phase: entity
    for entity in (
        Entity("organizations", "/api/v2/organizations", "/api/v2/organizationFields"),
        Entity("people", "/api/v2/persons", "/api/v2/personFields"),
        Entity("deals", "/api/v2/deals", "/api/v2/dealFields"),
        Entity("activities", "/api/v2/activities", mark_field="note", mark_break="<br>"),
        Entity("notes", "/api/v1/notes", is_v1=True, mark_field="content", mark_break="<br><br>"),
    )
}
FIELD_PATHS = {entity.phase: entity.fields_path for entity in ENTITIES.values() if entity.fields_path} | {
    "products": "/api/v2/productFields"  # only counted: custom fields are capped per company
}
LABEL_CODES = ("label_ids", "label")  # two clients in the wild disagree; found at run time

CREATE_ONLY = {
    "organizations": frozenset({"add_time"}),  # OpenAPI: in addOrganization, not in updateOrganization
    "people": frozenset({"add_time", "marketing_status"}),  # the status may change once only: OpenAPI addPerson
    "deals": frozenset[str](),
    "activities": frozenset[str](),
    "notes": frozenset[str](),
}
UNION = {
    "organizations": frozenset({"label_ids"}),  # arrays are replaced wholesale by PATCH
    "people": frozenset({"label_ids", "emails", "phones"}),
    "deals": frozenset({"label_ids"}),
}


def capabilities(burst: int, concurrency: int, apply_within_s: float) -> Capabilities:
    """Return what the phases need to know of Pipedrive."""
    return Capabilities(
        burst_requests=burst,
        burst_window_s=WINDOW_S,
        concurrency=concurrency,
        list_page=LIST_PAGE,
        ids_per_read=IDS_PER_LIST,
        visible_token_phases=frozenset(phase for phase, entity in ENTITIES.items() if entity.mark_field),
        create_only_fields=CREATE_ONLY,
        union_fields=UNION,
        apply_within_s=apply_within_s,
        label_phases=frozenset({"organizations", "people", "deals"}),
    )

"""All operations this server knows.

Belongs here: the list. Not here: what they do (the entity modules). A conformance test compares ids, methods, paths and
costs with the vendor's specification.
"""

from __future__ import annotations

from crm_pipelines.sandbox.pipedrive import (
    activities,
    activity_types,
    currencies,
    deals,
    fields,
    notes,
    organizations,
    persons,
    pipelines,
    users,
)
from crm_pipelines.sandbox.pipedrive.operations import Operation

OPERATIONS: list[Operation] = [
    *activities.OPERATIONS,
    *activity_types.OPERATIONS,
    *currencies.OPERATIONS,
    *deals.OPERATIONS,
    *fields.OPERATIONS,
    *notes.OPERATIONS,
    *organizations.OPERATIONS,
    *persons.OPERATIONS,
    *pipelines.OPERATIONS,
    *users.OPERATIONS,
]

"""All operations this server knows.

Belongs here: the list. Not here: what they do (the entity modules). A conformance test compares ids, methods, paths and
costs with the vendor's specification.
"""

from __future__ import annotations

from crm_pipelines.sandbox.pipedrive import (
    activities,
    activity_types,
    currencies,
    deal_products,
    deals,
    deals_summary,
    fields,
    fields_v1,
    files,
    leads,
    merge,
    notes,
    organizations,
    persons,
    pipelines,
    products,
    search,
    users,
    webhooks,
)
from crm_pipelines.sandbox.pipedrive.operations import Operation

OPERATIONS: list[Operation] = [
    *activities.OPERATIONS,
    *activity_types.OPERATIONS,
    *currencies.OPERATIONS,
    *deal_products.OPERATIONS,
    *deals.OPERATIONS,
    *deals_summary.OPERATIONS,
    *fields.OPERATIONS,
    *fields_v1.OPERATIONS,
    *files.OPERATIONS,
    *leads.OPERATIONS,
    *merge.OPERATIONS,
    *notes.OPERATIONS,
    *organizations.OPERATIONS,
    *persons.OPERATIONS,
    *pipelines.OPERATIONS,
    *products.OPERATIONS,
    *search.OPERATIONS,
    *users.OPERATIONS,
    *webhooks.OPERATIONS,
]

"""What a client calls the things that the workbook is about: records of an export, types of fields, the question about owners.

Belongs here: words. Not here: the sheets that they stand in (workbook_rows, workbook_pages).
"""

from __future__ import annotations

from collections.abc import Mapping

from crm_pipelines.spec.model import MappingSpec

TYPES: Mapping[str, str] = {
    "text": "text",
    "long_text": "long text",
    "enum": "choice list",
    "set": "several choices",
    "boolean": "yes/no",
    "datetime": "date and time",
    "money": "amount of money",
    "emails": "e-mail addresses",
    "phones": "phone numbers",
}
"""Type of a field -> what a client reads; every other type is called what it is."""


def typed(name: str) -> str:
    """Return what a client calls a type of field."""
    return TYPES.get(name, name.replace("_", " "))


def counted(spec: MappingSpec, name: str, count: int) -> str:
    """Return how many records of an export: `1 contact`, `52 appointments`."""
    word = _singular(spec, name)
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def owner_question(spec: MappingSpec) -> str:
    """Return the decision about records whose owner has no user; empty when the route does not ask."""
    phase = spec.phases.get(spec.derive.owners.phase) if spec.derive.owners else None
    return phase.unmatched.decision if phase and phase.unmatched else ""


def _singular(spec: MappingSpec, name: str) -> str:
    derive = spec.derive
    roles = {derive.contacts.from_: "contact"}
    if derive.bookings:
        roles[derive.bookings.from_] = "appointment"
    if derive.purchases:
        roles[derive.purchases.payments] = "payment"
    if derive.partners:
        roles[derive.partners.from_] = "affiliate"
    return roles.get(name, name.removesuffix("s").replace("_", " "))

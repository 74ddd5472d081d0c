"""Every column of every export is mapped or left behind with a reason.

Belongs here: that account, and the columns the `derive` section names. Not here: what a field does with a column
(check_fields).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crm_pipelines.errors import Problem
from crm_pipelines.spec.build import columns_read
from crm_pipelines.spec.contract import SourceContract
from crm_pipelines.spec.derived import Frame, consumed
from crm_pipelines.spec.model import OWN_KEY, MappingSpec
from crm_pipelines.spec.parse import Document, Path, nearest


def column_problems(spec: MappingSpec, document: Document, source: SourceContract, frames: Mapping[str, Frame]) -> Iterable[Problem]:
    """Return columns that nobody accounts for, that do not exist, or that are both mapped and ignored."""
    used = used_columns(spec, frames)
    for name, column in source.all_columns():
        if name in spec.not_migrated:
            continue
        ignored = column in spec.ignore.get(name, {})
        if (name, column) not in used and not ignored:
            path = ("ignore", name) if name in spec.ignore else ("ignore",)
            yield document.problem(
                path, f"column {column!r} of {name} is neither mapped nor ignored; map it, or say here why it stays behind"
            )
        if (name, column) in used and ignored:
            yield document.problem(("ignore", name, column), "is mapped, so it cannot be ignored too; remove one of the two")
    yield from _unknown_ignored(spec, document, source)
    yield from _derive_problems(spec, document, source)


def used_columns(spec: MappingSpec, frames: Mapping[str, Frame]) -> set[tuple[str, str]]:
    """Return every (object, column) that the spec makes something of."""
    return {*consumed(spec.derive), *_mapped(spec, frames), *_schema(spec)}


def _mapped(spec: MappingSpec, frames: Mapping[str, Frame]) -> Iterator[tuple[str, str]]:
    for phase in spec.phases.values():
        frame = frames.get(phase.from_, {})
        nodes = [*phase.columns.values(), *phase.fields.values(), *phase.custom_fields.values()]
        names = [
            *(name for node in nodes for name in columns_read(node)),
            *([phase.key] if phase.key != OWN_KEY else []),
            *phase.where,
            *(name for hold in phase.hold for name in hold.when),
        ]
        for name in names:
            yield from frame[name].origin if name in frame else ()


def _schema(spec: MappingSpec) -> Iterator[tuple[str, str]]:
    for phase in spec.phases.values():
        node = phase.custom_fields_from
        if node:
            for column in (node.name_column, node.type_column, node.options_column, node.option_ids_column):
                if column:
                    yield node.export, column


def _unknown_ignored(spec: MappingSpec, document: Document, source: SourceContract) -> Iterable[Problem]:
    for name, columns in spec.ignore.items():
        contract = source.objects.get(name)
        if contract is None:
            yield document.problem(("ignore", name), f"{name!r} is no export of {source.name}{nearest(name, source.objects)}")
            continue
        for column, reason in columns.items():
            if column not in contract.columns:
                yield document.problem(("ignore", name, column), f"unknown column {column!r} of {name}{nearest(column, contract.columns)}")
            elif len(reason.strip()) < 8:
                yield document.problem(("ignore", name, column), "needs a reason that the client understands")


def _derive_problems(spec: MappingSpec, document: Document, source: SourceContract) -> Iterable[Problem]:
    for path, name, column in _derive_columns(spec):
        contract = source.objects.get(name)
        if contract is None:
            yield document.problem(path, f"{name!r} is no export of {source.name}{nearest(name, source.objects)}")
        elif column is not None and column not in contract.columns:
            yield document.problem(path, f"unknown column {column!r} of {name}{nearest(column, contract.columns)}")


def _derive_columns(spec: MappingSpec) -> Iterator[tuple[Path, str, str | None]]:
    """Yield where `derive` names an export and a column of it."""
    derive = spec.derive
    sections: dict[str, Any] = {
        "contacts": derive.contacts,
        "deals": derive.deals,
        "bookings": derive.bookings,
        "partners": derive.partners,
    }
    roles = {
        "contacts": ("key", "email", "company", "joined", "owner"),
        "deals": ("key", "contact", "email", "owner"),
        "bookings": ("key", "email", "owner", "status"),
        "partners": ("key", "order", "contact", "email"),
    }
    for name, section in sections.items():
        if section is not None:
            yield ("derive", name, "from"), section.from_, None
            for role in roles[name]:
                yield ("derive", name, role), section.from_, str(getattr(section, role))
    for column in (*derive.contacts.name, *([derive.contacts.postcode] if derive.contacts.postcode else [])):
        yield ("derive", "contacts", "name"), derive.contacts.from_, column
    if phones := derive.contacts.twins.phones:
        for role, column in phones.model_dump().items():
            yield ("derive", "contacts", "twins", "phones", role), derive.contacts.from_, column
    for owner in derive.owners.from_:
        yield ("derive", "owners", "from"), owner.partition(".")[0], owner.partition(".")[2]
    if derive.purchases:
        for key, owner, columns in (
            ("columns", derive.purchases.payments, derive.purchases.columns),
            ("subscription_columns", derive.purchases.subscriptions, derive.purchases.subscription_columns),
        ):
            for role, column in columns.model_dump().items():
                yield ("derive", "purchases", key, role), owner, column

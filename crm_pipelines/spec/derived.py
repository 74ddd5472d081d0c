"""The resolved frames as the `derive` section makes them: their columns, types, and the export columns behind them.

Belongs here: what a spec may refer to in `from`. Not here: making the frames (phases.resolve), which must deliver
exactly these columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crm_pipelines.spec.contract import COLUMN_VALUES, ObjectContract, ValueType
from crm_pipelines.spec.derive import DeriveSpec


@dataclass(frozen=True)
class FrameColumn:
    """A column of a resolved frame, and the (object, column) pairs it comes from."""

    type: ValueType
    origin: tuple[tuple[str, str], ...] = ()


Frame = Mapping[str, FrameColumn]
BOOKKEEPING: Mapping[str, ValueType] = {"key": "text", "aliases": "texts", "contributors": "texts", "queue": "text", "reason": "text"}


def frame_objects(derive: DeriveSpec, frame: str, decisions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the source objects whose rows a resolved frame is made of."""
    partners = (derive.partners.from_,) if derive.partners else ()
    people = (derive.contacts.from_,)
    purchases = (derive.purchases.payments, derive.purchases.subscriptions) if derive.purchases else ()
    found: Mapping[str, tuple[str, ...]] = {
        "contacts": (*people, *partners),
        "companies": (*people, *partners),
        "owners": tuple(name.partition(".")[0] for name in derive.owners.from_),
        "purchases": purchases,
        "bookings": (derive.bookings.from_,) if derive.bookings else (),
        "partners": partners,
    }
    return tuple(dict.fromkeys(found.get(frame, ())))


def resolved_frames(derive: DeriveSpec, objects: Mapping[str, ObjectContract], decisions: Mapping[str, str]) -> dict[str, Frame]:
    """Return the columns of every resolved frame."""
    return {"contacts": _contacts(derive, objects)}


def _own(objects: Mapping[str, ObjectContract], name: str) -> dict[str, FrameColumn]:
    contract = objects.get(name)
    columns = contract.columns.items() if contract else ()
    return {column: FrameColumn(COLUMN_VALUES[kind], ((name, column),)) for column, kind in columns}


def _bookkeeping() -> dict[str, FrameColumn]:
    return {name: FrameColumn(kind) for name, kind in BOOKKEEPING.items()}


def _contacts(derive: DeriveSpec, objects: Mapping[str, ObjectContract]) -> Frame:
    contacts = derive.contacts
    return {**_own(objects, contacts.from_), **_bookkeeping()}

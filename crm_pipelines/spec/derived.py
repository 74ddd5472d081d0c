"""The resolved frames as the `derive` section makes them: their columns, types, and the export columns behind them.

Belongs here: what a spec may refer to in `from`. Not here: making the frames (phases.resolve), which must deliver
exactly these columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm_pipelines.spec.contract import COLUMN_VALUES, ObjectContract, ValueType
from crm_pipelines.spec.derive import Bookings, Deals, DeriveSpec
from crm_pipelines.spec.derive_nodes import applies
from crm_pipelines.spec.derive_purchases import Purchases

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FrameColumn:
    """A column of a resolved frame, and the (object, column) pairs it comes from."""

    type: ValueType
    origin: Pairs = ()


Frame = Mapping[str, FrameColumn]
Objects = Mapping[str, ObjectContract]

FRAMES = ("contacts", "owners", "companies", "purchases", "products", "deals", "bookings", "partners")
BOOKKEEPING: Mapping[str, ValueType] = {
    **dict.fromkeys(("key", "queue", "reason", "contact_key", "company_key", "owner_key"), "text"),
    **dict.fromkeys(("aliases", "contributors"), "texts"),
}
"""Columns of every resolved frame."""

OTHER_PHONES = ("other_phones", "unread_phones")
"""Columns of merged contacts: the numbers that are not the person's first, as read, and those that cannot be read, as exported."""

MADE = frozenset(
    {
        *(*BOOKKEEPING, "full_name", "email_normal", "email_match_key", "email_problem", "other_emails", *OTHER_PHONES),
        *("lead", "is_done", "is_cancelled"),
    }
)
"""Names that the fold needs for itself: a column of an export that is called so is kept as `source_<name>`."""

PURCHASE_ROLES: Mapping[str, tuple[ValueType, tuple[str, ...], tuple[str, ...]]] = {
    "kind": ("text", ("kind",), ()),
    "home_phase": ("text", ("kind",), ()),
    "title_id": ("text", ("id",), ("id",)),
    "product": ("text", ("product",), ("product",)),
    "value": ("number", ("amount", "kind"), ()),
    "gross": ("number", ("amount", "kind"), ()),
    "refunded": ("number", ("amount", "kind"), ()),
    "currency": ("text", ("currency",), ("currency",)),
    "status": ("text", ("kind", "amount"), ("status",)),
    "won_at": ("datetime", ("at",), ("ended", "started")),
    "lost_at": ("datetime", ("at",), ("ended", "started")),
    "lost_reason": ("text", ("kind",), ("status",)),
    "closed_on": ("date", ("at",), ("started",)),
    "created_at": ("datetime", ("at",), ("started",)),
    "created_on": ("date", ("at",), ("started",)),
    "started_on": ("date", ("at",), ("started",)),
    "ended_on": ("date", (), ("ended",)),
    "processor": ("text", ("processor",), ()),
    "processor_transaction": ("text", ("processor_transaction",), ()),
    "price_point": ("text", ("price_point",), ("price_point",)),
    "quantity": ("number", ("quantity",), ()),
    "coupon": ("text", ("coupon",), ()),
    "affiliate": ("text", ("affiliate",), ("affiliate",)),
    "subscription_id": ("text", ("subscription",), ("id",)),
    "subscription_status": ("text", ("kind",), ("status",)),
    "billing_period": ("text", (), ("period",)),
    "payments_received": ("number", ("kind",), ()),
    "cancellation_requested_on": ("date", ("at", "kind"), ()),
}
"""Column of `purchases` -> its type, and the roles of payment and subscription columns it comes from."""


def frame_objects(derive: DeriveSpec, frame: str, decisions: Mapping[str, str]) -> tuple[str, ...]:
    """Return the source objects whose rows a resolved frame is made of, for one client's decisions."""
    people = (derive.contacts.from_,)
    bought = (derive.purchases.payments, derive.purchases.subscriptions) if derive.purchases else ()
    partners = derive.partners
    on_contacts = partners.on_contacts if partners else None
    as_companies = partners.as_companies if partners else None
    found: dict[str, tuple[str, ...]] = {
        "contacts": people,
        "companies": people,
        "owners": tuple(name.partition(".")[0] for name in derive.owners.from_),
        "purchases": bought,
        "products": bought if derive.products else (),
        "deals": (derive.deals.from_,) if derive.deals else (),
        "bookings": (derive.bookings.from_,) if derive.bookings else (),
        "partners": (partners.from_,) if partners else (),
    }
    if partners and on_contacts and applies(on_contacts.when, decisions):
        found["contacts"] += (partners.from_,)
    if partners and as_companies and applies(as_companies.when, decisions):
        found["companies"] += (partners.from_,)
    return tuple(dict.fromkeys(found.get(frame, ())))


def frame_of(derive: DeriveSpec, name: str) -> str | None:
    """Return the resolved frame whose records carry the columns of an export's rows; None when no record does."""
    carriers = {derive.contacts.from_: "contacts"}
    if derive.purchases:
        carriers |= {derive.purchases.payments: "purchases", derive.purchases.subscriptions: "purchases"}
    carriers |= {derive.deals.from_: "deals"} if derive.deals else {}
    carriers |= {derive.bookings.from_: "bookings"} if derive.bookings else {}
    return carriers.get(name)


def carried_name(derive: DeriveSpec, name: str, column: str) -> str:
    """Return what a column of an export is called in the frame that carries it."""
    if frame_of(derive, name) == "purchases":
        return f"{name}.{column}"
    return f"source_{column}" if column in MADE else column


def resolved_frames(derive: DeriveSpec, objects: Objects) -> dict[str, Frame]:
    """Return the columns of every resolved frame, whatever the client decides."""
    frames = _frames(derive, objects)
    for name, columns in derive.more.items():
        frame, kinds = frame_of(derive, name), objects[name].columns if name in objects else {}
        added = {carried_name(derive, name, each): FrameColumn(COLUMN_VALUES[kinds.get(each, "text")], ((name, each),)) for each in columns}
        if frame is not None:
            frames[frame] = {**frames[frame], **added}
    return frames


def _frames(derive: DeriveSpec, objects: Objects) -> dict[str, Frame]:
    frames: dict[str, Frame] = {"contacts": _contacts(derive, objects), "owners": _owners(derive), "companies": _companies(derive, objects)}
    if derive.purchases:
        frames["purchases"] = _purchases(derive, derive.purchases, objects)
    if derive.purchases and derive.products:
        frames["products"] = _products(derive.purchases)
    if derive.deals:
        frames["deals"] = _deals(derive, derive.deals, objects)
    if derive.bookings:
        frames["bookings"] = _bookings(derive, derive.bookings, objects)
    if derive.partners:
        own = _own(objects, derive.partners.from_)
        frames["partners"] = {**own, **_bookkeeping(((derive.partners.from_, derive.partners.key),), (), (), ())}
    return frames


def consumed(derive: DeriveSpec) -> set[tuple[str, str]]:
    """Return the export columns that the fold itself uses up: identities, links and what decides about money."""
    contacts = derive.contacts
    used = {(contacts.from_, name) for name in (contacts.key, contacts.email, contacts.company, contacts.joined, contacts.owner)}
    for spelling in contacts.spellings.values():
        if spelling.inventory:
            lister, _, column = spelling.inventory.partition(".")
            used.add((lister, column))
    if derive.purchases:
        roles, listed = derive.purchases.columns, derive.purchases.subscription_columns
        used |= {
            (derive.purchases.payments, name) for name in (roles.id, roles.kind, roles.contact, roles.email, roles.processor_transaction)
        }
        used |= {(derive.purchases.subscriptions, name) for name in (listed.id, listed.contact, listed.email)}
    if derive.deals:
        used |= {(derive.deals.from_, name) for name in (derive.deals.key, derive.deals.contact, derive.deals.email, derive.deals.owner)}
    if derive.bookings:
        used |= {
            (derive.bookings.from_, name)
            for name in (derive.bookings.key, derive.bookings.email, derive.bookings.owner, derive.bookings.status)
        }
    if derive.partners:
        used |= {(derive.partners.from_, name) for name in (derive.partners.key, derive.partners.contact, derive.partners.email)}
    return used


def _own(objects: Objects, name: str) -> dict[str, FrameColumn]:
    contract = objects.get(name)
    columns = contract.columns.items() if contract else ()
    return {column: FrameColumn(COLUMN_VALUES[kind], ((name, column),)) for column, kind in columns}


def _bookkeeping(key: Pairs, contact: Pairs, company: Pairs, owner: Pairs) -> dict[str, FrameColumn]:
    origins = {"key": key, "aliases": key, "contact_key": contact, "company_key": company, "owner_key": owner}
    return {name: FrameColumn(kind, origins.get(name, ())) for name, kind in BOOKKEEPING.items()}


def _contacts(derive: DeriveSpec, objects: Objects) -> Frame:
    spec = derive.contacts

    def of(*names: str) -> Pairs:
        return tuple((spec.from_, name) for name in names)

    added = {
        "full_name": FrameColumn("text", of(*spec.name, spec.email)),
        **{name: FrameColumn("text", of(spec.email)) for name in ("email_normal", "email_match_key", "email_problem")},
        "other_emails": FrameColumn("texts", of(spec.email)),
        **{name: FrameColumn("texts", of(spec.twins.phones.number) if spec.twins.phones else ()) for name in OTHER_PHONES},
    }
    standing = _bookkeeping(of(spec.key), of(spec.key), of(spec.company, spec.key), of(spec.owner))
    carried = derive.partners.on_contacts.columns if derive.partners and derive.partners.on_contacts else {}
    return {**_own(objects, spec.from_), **added, **standing, **_carried(derive, carried, objects)}


def _carried(derive: DeriveSpec, columns: Mapping[str, str], objects: Objects) -> dict[str, FrameColumn]:
    """Return the columns of partners under the names that others carry them by."""
    own = _own(objects, derive.partners.from_) if derive.partners else {}
    return {new: own.get(name, FrameColumn("text")) for name, new in columns.items()}


def _companies(derive: DeriveSpec, objects: Objects) -> Frame:
    spec = derive.contacts
    company, key = ((spec.from_, spec.company),), ((spec.from_, spec.key),)
    partners = derive.partners.as_companies if derive.partners else None
    names = ((derive.partners.from_, partners.name),) if derive.partners and partners else ()
    frame = {
        **_bookkeeping((*company, *key), key, (*company, *key), ((spec.from_, spec.owner),)),
        "kind": FrameColumn("text"),
        "name": FrameColumn("text", (*company, *names)),
        "joined_at": FrameColumn("datetime", ((spec.from_, spec.joined),)),
        "label": FrameColumn("text"),
    }
    return {**frame, **(_carried(derive, partners.columns, objects) if partners else {})}


def _owners(derive: DeriveSpec) -> Frame:
    pairs = tuple((name.partition(".")[0], name.partition(".")[2]) for name in derive.owners.from_)
    return {**_bookkeeping(pairs, (), (), pairs), "email": FrameColumn("text", pairs)}


def _roles(owner: str, columns: object, roles: Iterable[str]) -> Pairs:
    return tuple((owner, str(getattr(columns, role))) for role in roles)


def _purchases(derive: DeriveSpec, spec: Purchases, objects: Objects) -> Frame:
    contact = (
        *_roles(spec.payments, spec.columns, ("contact", "email")),
        *_roles(spec.subscriptions, spec.subscription_columns, ("contact", "email")),
    )
    key = ((spec.payments, spec.columns.id), (spec.subscriptions, spec.subscription_columns.id))
    frame = _bookkeeping(
        key,
        contact,
        (*contact, (derive.contacts.from_, derive.contacts.company)),
        (*contact, (derive.contacts.from_, derive.contacts.owner)),
    )
    for name, (kind, payment, subscription) in PURCHASE_ROLES.items():
        pairs = (*_roles(spec.payments, spec.columns, payment), *_roles(spec.subscriptions, spec.subscription_columns, subscription))
        frame[name] = FrameColumn(kind, pairs)
    if derive.products:
        frame["product_key"] = FrameColumn("text", _product_pairs(spec))
    people = _own(objects, derive.contacts.from_)
    return {**frame, **{new: people.get(name, FrameColumn("texts")) for name, new in spec.contact_columns.items()}}


def _product_pairs(spec: Purchases) -> Pairs:
    return ((spec.payments, spec.columns.product), (spec.subscriptions, spec.subscription_columns.product))


def _products(spec: Purchases) -> Frame:
    pairs = _product_pairs(spec)
    return {**_bookkeeping(pairs, (), (), ()), "name": FrameColumn("text", pairs)}


def _deals(derive: DeriveSpec, spec: Deals, objects: Objects) -> Frame:
    contact, owner = ((spec.from_, spec.contact), (spec.from_, spec.email)), ((spec.from_, spec.owner),)
    company = (*contact, (derive.contacts.from_, derive.contacts.company))
    standing = _bookkeeping(((spec.from_, spec.key),), contact, company, owner)
    return {**_own(objects, spec.from_), **standing, "email_match_key": FrameColumn("text", ((spec.from_, spec.email),))}


def _bookings(derive: DeriveSpec, spec: Bookings, objects: Objects) -> Frame:
    contact, owner = ((spec.from_, spec.email),), ((spec.from_, spec.owner),)
    flags = {name: FrameColumn("boolean", ((spec.from_, spec.status),)) for name in ("is_done", "is_cancelled")}
    standing = _bookkeeping(((spec.from_, spec.key),), contact, (*contact, (derive.contacts.from_, derive.contacts.company)), owner)
    return {**_own(objects, spec.from_), **flags, **standing, "email_match_key": FrameColumn("text", contact)}

"""The order of the fold: children's keys first, then contacts in passes, then everything that hangs on them.

Belongs here: who is resolved when, and the two ways to keep the result (in memory, or part by part on disk). Not here:
how an object is folded (its module).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from crm_pipelines.phases.resolve.behind import without_named
from crm_pipelines.phases.resolve.bookings import FoldedBookings, fold_bookings, resolve_bookings
from crm_pipelines.phases.resolve.columns import key_order
from crm_pipelines.phases.resolve.companies import Companies, Owners
from crm_pipelines.phases.resolve.contacts import ContactFold, people_fates
from crm_pipelines.phases.resolve.deals import FoldedDeals, fold_deals, resolve_deals
from crm_pipelines.phases.resolve.differing import DIFFERING_VALUES, none_differing
from crm_pipelines.phases.resolve.events import PurchaseRows, purchase_rows
from crm_pipelines.phases.resolve.links import Links
from crm_pipelines.phases.resolve.partners import FoldedPartners, ResolvedPartners, fold_partners, resolve_partners
from crm_pipelines.phases.resolve.products import product_records, with_product_key
from crm_pipelines.phases.resolve.purchases import resolve_purchases
from crm_pipelines.phases.resolve.store import PartWriter
from crm_pipelines.phases.resolve.suppress import left_out_contacts
from crm_pipelines.phases.resolve.values import FOLDED, ChunkFrame, Resolved, ResolveSettings, StagedObject, fate_lines, no_fates
from crm_pipelines.spec.derive import DeriveSpec
from crm_pipelines.spec.derive_purchases import Products


class Sink(Protocol):
    """Where finished frames go."""

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Take the next part of a frame; fates are named `fates/<object>`, what merged rows said otherwise is DIFFERING_VALUES."""


class Memory:
    """Keeps everything in memory, sorted by key."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pl.DataFrame]] = defaultdict(list)

    def add(self, name: str, frame: pl.DataFrame) -> None:
        """Take the next part of a frame."""
        if frame.width:
            self._parts[name].append(frame)

    def resolved(self, stats: Counter[str]) -> Resolved:
        """Return all parts put together."""
        whole = {name: pl.concat(parts, how="diagonal_relaxed") for name, parts in self._parts.items()}
        differing = whole.pop(DIFFERING_VALUES, none_differing()).sort("into_key", "key", "column")
        frames = {name: frame.sort(key_order("key")) for name, frame in whole.items() if not name.startswith("fates/")}
        fates = {name.removeprefix("fates/"): frame.sort("chunk", "row") for name, frame in whole.items() if name.startswith("fates/")}
        return Resolved(frames, fates, stats, differing)


@dataclass(frozen=True)
class Children:
    """The objects that hang on contacts, folded but not yet linked."""

    purchases: PurchaseRows | None
    deals: FoldedDeals | None
    bookings: FoldedBookings | None
    partners: FoldedPartners | None


def resolve(
    derive: DeriveSpec, decisions: Mapping[str, str], staged: Mapping[str, StagedObject], settings: ResolveSettings | None = None
) -> Resolved:
    """Fold all staged files into canonical records.

    Shape: frames contacts, owners, companies, purchases, products, deals, bookings, partners; each has key, aliases, contributors, queue,
    reason, contact_key, company_key, owner_key. Every row of every staged frame has exactly one fate.
    Raises: SpecError when a decision that the spec asks for has no answer.
    """
    memory = Memory()
    return memory.resolved(_resolve(derive, decisions, staged, settings or ResolveSettings(), memory))


def resolve_into(
    folder: Path,
    derive: DeriveSpec,
    decisions: Mapping[str, str],
    staged: Mapping[str, StagedObject],
    settings: ResolveSettings | None = None,
) -> Counter[str]:
    """Fold as `resolve` does, but write part by part into `folder`, so that contacts never are in memory together.

    `folder` has to be empty.
    Shape: `<folder>/<frame>/part-00000.parquet` and so on, in the order of the exports; scan_resolved reads both layouts.
    """
    writer = PartWriter(folder)
    return _resolve(derive, decisions, staged, settings or ResolveSettings(), writer)


def _resolve(
    derive: DeriveSpec, decisions: Mapping[str, str], staged: Mapping[str, StagedObject], settings: ResolveSettings, sink: Sink
) -> Counter[str]:
    staged, behind = without_named(derive, staged, settings.left_behind)
    for name, lines in behind.items():
        sink.add(f"fates/{name}", lines)
    children = _children(derive, staged, settings)
    contacts = staged.get(derive.contacts.from_, StagedObject(derive.contacts.from_, []))
    left_out = left_out_contacts(derive, staged, settings)
    fold = ContactFold(derive, contacts, decisions, _inventories(derive, staged), same=settings.same, left_out=left_out)
    partners = _partners(derive, children, fold, decisions)
    links, stats = _people(derive, fold, children, partners, sink)
    if children.purchases is not None and derive.purchases is not None:
        records, fates, counted = resolve_purchases(derive.purchases, children.purchases, links, decisions, settings.source_timezone)
        stats += counted
        _send_purchases(records, derive.products, sink)
        for name, lines in fates.items():
            sink.add(f"fates/{name}", lines)
    if children.deals is not None:
        records, lines = resolve_deals(children.deals, links)
        sink.add("deals", _shaped(records))
        sink.add(f"fates/{children.deals.spec.from_}", lines)
    if children.bookings is not None:
        records, lines = resolve_bookings(children.bookings, links, decisions)
        sink.add("bookings", _shaped(records))
        sink.add(f"fates/{children.bookings.spec.from_}", lines)
    _schemas(derive, staged, sink)
    return stats


def _send_purchases(records: pl.DataFrame, products: Products | None, sink: Sink) -> None:
    """Send purchases, and the products on them, to the sink."""
    if products is not None:
        records = with_product_key(records, products)
        sink.add("products", product_records(records))
    sink.add("purchases", records)


def _children(derive: DeriveSpec, staged: Mapping[str, StagedObject], settings: ResolveSettings) -> Children:
    def given(name: str) -> StagedObject:
        return staged.get(name, StagedObject(name, []))

    spec = derive.purchases
    zone = settings.source_timezone
    rows = purchase_rows(spec, given(spec.payments), given(spec.subscriptions), zone, derive.more) if spec is not None else None
    return Children(
        purchases=rows,
        deals=fold_deals(derive.deals, given(derive.deals.from_)) if derive.deals is not None else None,
        bookings=fold_bookings(derive.bookings, given(derive.bookings.from_)) if derive.bookings is not None else None,
        partners=fold_partners(derive.partners, given(derive.partners.from_)) if derive.partners is not None else None,
    )


def _inventories(derive: DeriveSpec, staged: Mapping[str, StagedObject]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, spelling in derive.contacts.spellings.items():
        lister, _, listed = (spelling.inventory or "").partition(".")
        frames = [chunk.read([listed]) for chunk in staged[lister].in_order()] if lister in staged else []
        found[name] = [label for frame in frames if listed in frame.columns for label in frame[listed].drop_nulls().to_list()]
    return found


def _partners(derive: DeriveSpec, children: Children, fold: ContactFold, decisions: Mapping[str, str]) -> ResolvedPartners | None:
    """Resolve partners before contacts are finished, because contacts may carry their columns."""
    if children.partners is None:
        return None
    links = Links([children.partners.rows], {})
    if children.partners.rows.height:
        for part in fold.parts([]):
            links.absorb(part.rows.rename({"_key": "contact_key", "_aliases": "aliases"}))
            if part.left_out is not None:
                links.absorb_left_out(part.left_out)
    phases = {"contacts": derive.contacts.phase, "companies": derive.companies.phase}
    return resolve_partners(children.partners, links, decisions, phases)


def _people(
    derive: DeriveSpec, fold: ContactFold, children: Children, partners: ResolvedPartners | None, sink: Sink
) -> tuple[Links, Counter[str]]:
    """Send contacts, companies and owners to the sink; return the links that children ask for, and counts."""
    companies, owners, stats = Companies(derive.contacts), Owners(), Counter[str]()
    links = Links(_asking(children), derive.purchases.contact_columns if derive.purchases is not None else {})
    sink.add(DIFFERING_VALUES, none_differing())
    for part in fold.people():
        part.rows = _with_partner(part.rows, partners)
        sink.add(f"fates/{derive.contacts.from_}", people_fates(part, derive.contacts))
        if part.differing.height:
            sink.add(DIFFERING_VALUES, part.differing)
        sink.add("companies", companies.absorb(part.rows))
        owners.absorb(part.rows)
        links.absorb(part.rows)
        if part.left_out is not None:
            links.absorb_left_out(part.left_out)
        sink.add("contacts", _shaped(part.rows))
        stats.update(
            {
                "twins_merged": part.twins,
                "contact_rows_merged": part.older,
                "contacts_left_out": part.left_out.height if part.left_out is not None else 0,
                "contacts": part.rows.height,
            }
        )
    for some in companies.named():
        sink.add("companies", some)
    for hanging in _hanging(children):
        owners.absorb(links.linked(hanging.drop("contact_key", strict=False)).filter(~links.is_left_out()))
    sink.add("owners", owners.frame())
    if partners is not None and children.partners is not None:
        if partners.companies.width:
            sink.add("companies", partners.companies)
        sink.add("partners", _shaped(partners.frame))
        sink.add(f"fates/{children.partners.spec.from_}", partners.fates)
    return links, stats


def _asking(children: Children) -> list[pl.DataFrame]:
    purchases = [children.purchases.events, children.purchases.subscriptions] if children.purchases is not None else []
    return [*purchases, *_hanging(children)]


def _hanging(children: Children) -> list[pl.DataFrame]:
    """Return the objects that name an owner of their own beside their contact."""
    return [each.rows for each in (children.bookings, children.deals) if each is not None]


def _with_partner(rows: pl.DataFrame, partners: ResolvedPartners | None) -> pl.DataFrame:
    if partners is None or partners.on_contacts is None:
        return rows
    joined = rows.join(partners.on_contacts, on="contact_key", how="left", maintain_order="left")
    chunks = pl.concat_list("contributors", pl.col("_partner_chunks").fill_null([])).list.unique().list.sort()
    return joined.with_columns(chunks.alias("contributors")).drop("_partner_chunks")


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    first = ["key", "aliases", "contributors", "queue", "reason", "contact_key", "company_key", "owner_key"]
    rest = [name for name in rows.columns if name not in first and not name.startswith("_")]
    return rows.select(*first, *rest)


def _schemas(derive: DeriveSpec, staged: Mapping[str, StagedObject], sink: Sink) -> None:
    if derive.schemas is None:
        return
    for name in derive.schemas.from_:
        frames = [_schema_rows(chunk) for chunk in staged[name].frames] if name in staged else []
        rows = pl.concat(frames) if frames else None
        sink.add(f"fates/{name}", no_fates() if rows is None else fate_lines(rows, fate=FOLDED, into_phase=derive.schemas.into))


def _schema_rows(chunk: ChunkFrame) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String())
    return chunk.read([]).with_columns(pl.lit(chunk.chunk).alias("_chunk"), nothing.alias("_key"))

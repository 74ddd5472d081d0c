"""Partners who sell for the client: columns of their contact, or companies of their own.

Belongs here: which of the two the client chose, and what it makes. Not here: the lookup of the contact (links).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crm_pipelines.phases.resolve.columns import collapsed, column, key_from, text
from crm_pipelines.phases.resolve.companies import COMPANY_COLUMNS, NO_LIST, NOTHING
from crm_pipelines.phases.resolve.fates import folded_lines, keyless_lines, left_out_lines, older_lines, record_lines
from crm_pipelines.phases.resolve.fold import Folded, fold_rows, stacked
from crm_pipelines.phases.resolve.links import Links, with_link_columns
from crm_pipelines.phases.resolve.values import StagedObject
from crm_pipelines.spec.derive import Partners, PartnersAsCompanies
from crm_pipelines.spec.derive_nodes import applies


@dataclass(frozen=True)
class FoldedPartners:
    """Partners by key, with the two ways in which they name their contact."""

    spec: Partners
    folded: Folded
    rows: pl.DataFrame


@dataclass(frozen=True)
class ResolvedPartners:
    """One row per partner, what contacts carry of them, the companies they are, and the fates of their rows."""

    frame: pl.DataFrame
    on_contacts: pl.DataFrame | None
    companies: pl.DataFrame
    fates: pl.DataFrame


def fold_partners(spec: Partners, staged: StagedObject) -> FoldedPartners:
    """Fold the partners' files."""
    folded = fold_rows(stacked(staged, spec.key))
    rows = with_link_columns(folded.frame, text(folded.frame, spec.contact), text(folded.frame, spec.email))
    return FoldedPartners(spec, folded, rows)


def resolve_partners(partners: FoldedPartners, links: Links, decisions: Mapping[str, str], phases: Mapping[str, str]) -> ResolvedPartners:
    """Give every partner its contact, or its company, or a queue. `phases` names those of contacts and companies.

    A partner that would be columns of a contact stays behind with it; one that is a company of its own goes without.
    """
    spec = partners.spec
    linked = links.linked(partners.rows)
    if spec.as_companies is not None and applies(spec.as_companies.when, decisions):
        alone = pl.when(~links.is_left_out()).then(pl.col("contact_key")).alias("contact_key")
        return _as_companies(partners, linked.with_columns(alone), spec.as_companies, phases["companies"])
    columns = spec.on_contacts.columns if spec.on_contacts is not None and applies(spec.on_contacts.when, decisions) else {}
    return _on_contacts(partners, linked.with_columns(links.is_left_out().alias("_gone")), columns, phases["contacts"])


def _on_contacts(partners: FoldedPartners, linked: pl.DataFrame, columns: Mapping[str, str], phase: str) -> ResolvedPartners:
    moving = linked.filter(~pl.col("_gone")).drop("_gone")
    order = moving.with_columns(column(moving, partners.spec.order, pl.Int64()).alias("_place"))
    ordered = order.sort("_place", "_key", nulls_last=True)
    second = pl.col("contact_key").is_not_null() & (pl.int_range(pl.len()).over("contact_key") > 0)
    reason = pl.when(pl.col("contact_key").is_null()).then(pl.lit("no_contact")).when(second).then(pl.lit("second_affiliate"))
    judged = ordered.with_columns(reason.alias("reason")).with_columns(_review().alias("queue"))
    settled = judged.filter(pl.col("queue").is_null())
    carried = settled.select("contact_key", pl.col("_chunks").alias("_partner_chunks"), *(_as(settled, *pair) for pair in columns.items()))
    waiting = record_lines(judged.filter(pl.col("queue").is_not_null()).with_columns(NOTHING.alias("_into")), phase, "_into")
    lines = pl.concat([folded_lines(settled, phase, "contact_key"), waiting, left_out_lines(linked.filter("_gone"))])
    return ResolvedPartners(_frame(judged), carried, _companies(judged.clear(), None), _with_rest(partners.folded, lines))


def _as_companies(partners: FoldedPartners, linked: pl.DataFrame, spec: PartnersAsCompanies, phase: str) -> ResolvedPartners:
    keyed = linked.with_columns(
        key_from(spec.key, "id", pl.col("_key")).alias("company_key"), NOTHING.alias("queue"), NOTHING.alias("reason")
    )
    lines = record_lines(keyed, phase, "company_key")
    return ResolvedPartners(_frame(keyed), None, _companies(keyed, spec), _with_rest(partners.folded, lines))


def _with_rest(folded: Folded, lines: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([lines, older_lines(folded, lines), keyless_lines(folded)])


def _review() -> pl.Expr:
    return pl.when(pl.col("reason").is_not_null()).then(pl.lit("review"))


def _as(frame: pl.DataFrame, name: str, new: str) -> pl.Expr:
    return column(frame, name).alias(new)


def _companies(rows: pl.DataFrame, spec: PartnersAsCompanies | None) -> pl.DataFrame:
    if spec is None:
        return pl.DataFrame(schema={})
    own = dict.fromkeys(COMPANY_COLUMNS, NOTHING) | {
        "key": pl.col("company_key"),
        "aliases": NO_LIST,
        "contributors": pl.col("_chunks"),
        "contact_key": pl.col("contact_key"),
        "company_key": pl.col("company_key"),
        "kind": pl.lit("partner"),
        "name": collapsed(text(rows, spec.name)),
        "joined_at": pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        "label": pl.lit(spec.label),
    }
    carried = [_as(rows, name, new) for name, new in spec.columns.items()]
    return rows.select([value.alias(name) for name, value in own.items()] + carried)


def _frame(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.with_columns(NO_LIST.alias("aliases")).rename({"_key": "key", "_chunks": "contributors"})
    if "company_key" not in named.columns:
        named = named.with_columns(NOTHING.alias("company_key"))
    return named.with_columns(NOTHING.alias("owner_key")).drop("lead", "email_match_key", "by_email", "_place", strict=False)

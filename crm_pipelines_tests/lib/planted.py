"""Plausible mistakes of the product, to be put in its place while a migration runs: each must turn the comparison with the truth red.

Belongs here: mistakes in what every route goes through (phases, the mapping language). Not here: those of one vendor's module (the
test that plants them), what is asserted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from crm_pipelines.phases import load, project
from crm_pipelines.phases.resolve import contacts, purchases, twins, values
from crm_pipelines.spec import rules_contact

Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]
OWNERS = frozenset({"owner_id", "user_id"})


def wrong_parent(patch: Patch) -> None:
    """Every record gets the parents of the first one."""
    right, first = load.linked, {}

    def linked(payload: dict[str, Any], links: Sequence[str], ids: Sequence[str | None]) -> Mapping[str, Any]:
        return right(payload, links, [first.setdefault(name, i) if i else i for name, i in zip(links, ids, strict=True)])

    patch.setattr(load, "linked", linked)


def owner_dropped(patch: Patch) -> None:
    """Owners are not sent."""
    right = load.linked

    def linked(payload: dict[str, Any], links: Sequence[str], ids: Sequence[str | None]) -> Mapping[str, Any]:
        return {name: value for name, value in right(payload, links, ids).items() if name not in OWNERS}

    patch.setattr(load, "linked", linked)


def lost_tag(patch: Patch) -> None:
    """The last of several tags is lost while they are spelled."""
    right = contacts.respelled

    def respelled(frame: pl.DataFrame, spellings: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
        out = right(frame, spellings)
        several = pl.col("tags").list.len() > 1
        return out.with_columns(pl.when(several).then(pl.col("tags").list.head(pl.col("tags").list.len() - 1)).otherwise("tags"))

    patch.setattr(contacts, "respelled", respelled)


def date_off_by_a_day(patch: Patch) -> None:
    """Local dates are taken in UTC."""
    right = project.compile_spec
    patch.setattr(
        project, "compile_spec", lambda spec, decisions, rows, _zone, *rest, **more: right(spec, decisions, rows, "UTC", *rest, **more)
    )


def dropped_column(patch: Patch) -> None:
    """A mapped column never makes it into the phase."""
    right = project.compile_spec

    def compile_spec(*args: Any, **more: Any) -> Any:
        compiled = right(*args, **more)
        people = compiled.phases["people"]
        fields = tuple(each for each in people.fields if each.name != "GDPR consent date")
        return dataclasses.replace(compiled, phases={**compiled.phases, "people": dataclasses.replace(people, fields=fields)})

    patch.setattr(project, "compile_spec", compile_spec)


def refund_ignored(patch: Patch) -> None:
    """Refunds change nothing."""
    right = purchases.sums_by_record
    patch.setattr(purchases, "sums_by_record", lambda events: right(events.filter(~pl.col("kind").str.contains("refund|chargeback"))))


def rebill_ignored(patch: Patch) -> None:
    """A subscription is worth its first payment."""
    right = purchases.sums_by_record
    patch.setattr(purchases, "sums_by_record", lambda events: right(events.filter(pl.col("kind") != "rebill")))


def older_file_wins(patch: Patch) -> None:
    """Overlapping exports are folded in the wrong order."""
    right = values.StagedObject.in_order
    patch.setattr(values.StagedObject, "in_order", lambda self: list(reversed(right(self))))


def loosest_consent(patch: Patch) -> None:
    """Twins keep the survivor's consent instead of the strictest."""
    patch.setattr(twins, "strictness", lambda expr, spec: pl.lit(0, dtype=pl.Int64))


def foreign_phone(patch: Patch) -> None:
    """National numbers are read as American ones."""
    patch.setattr(rules_contact, "international", rules_contact.international.__wrapped__)  # its cache outlives a test
    patch.setattr(rules_contact, "_region", lambda calling_code, country: "US")


SHARED: tuple[Bug, ...] = (
    wrong_parent,
    owner_dropped,
    lost_tag,
    date_off_by_a_day,
    dropped_column,
    refund_ignored,
    rebill_ignored,
    older_file_wins,
    loosest_consent,
    foreign_phone,
)

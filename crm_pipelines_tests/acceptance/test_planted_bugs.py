"""The comparison with the truth is worth something only if it turns red when the product is wrong: a dozen bugs, one at a time.

Each bug is a plausible mistake in one function of the product, put in its place while a migration of 60 contacts runs in this process.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from crm_pipelines.destinations.http import HttpClient
from crm_pipelines.destinations.pipedrive import shape
from crm_pipelines.phases import load, project
from crm_pipelines.phases.resolve import contacts, purchases, twins, values
from crm_pipelines.spec import rules_contact
from crm_pipelines_tests.lib.rig import Rig

Patch = pytest.MonkeyPatch


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
        sent = dict(right(payload, links, ids))
        sent.pop("owner_id", None)
        return sent

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
    patch.setattr(project, "compile_spec", lambda spec, decisions, rows, zone, source: right(spec, decisions, rows, "UTC", source))


def doubled_note(patch: Patch) -> None:
    """A create that was answered is sent again."""
    right = HttpClient.send

    async def send(self: HttpClient, call: Any) -> Any:
        if call.operation.startswith("notes.create"):
            await right(self, call)
        return await right(self, call)

    patch.setattr(HttpClient, "send", send)


def dropped_column(patch: Patch) -> None:
    """A mapped column never makes it into the phase."""
    right = project.compile_spec

    def compile_spec(*args: Any) -> Any:
        compiled = right(*args)
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


def cents_lost(patch: Patch) -> None:
    """Amounts are cut to whole numbers."""
    patch.setattr(shape, "number_of", lambda value: int(float(value)))


BUGS: tuple[Callable[[Patch], None], ...] = (
    wrong_parent,
    owner_dropped,
    lost_tag,
    date_off_by_a_day,
    doubled_note,
    dropped_column,
    refund_ignored,
    rebill_ignored,
    older_file_wins,
    loosest_consent,
    foreign_phone,
    cents_lost,
)


def test_without_a_bug_the_comparison_is_green(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"chunks": 2})
    one.walk_here(monkeypatch)
    found = one.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in one.truth["records"].values())


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_turns_the_comparison_red(bug: Callable[[Patch], None], rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"chunks": 2})
    bug(monkeypatch)
    one.walk_here(monkeypatch)
    assert one.compare().differences, f"the comparison did not notice {bug.__name__}"

"""The comparison by SQL is worth something only if it turns red when the product is wrong: a dozen bugs, one at a time.

Those of the phases and the language are the same as for every route; the others are mistakes that only this vendor invites.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from crm_pipelines.destinations.base import WriteRow
from crm_pipelines.destinations.odoo import families, shape, write
from crm_pipelines.phases import load
from crm_pipelines_tests.lib import planted
from crm_pipelines_tests.lib.planted import Bug, Patch
from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = pytest.mark.odoo

Make = Callable[..., OdooRig]


def doubled_event(patch: Patch) -> None:
    """An appointment is sent a second time, under another key."""
    right = load._creates

    def creates(session: Any, phase: str, frame: Any) -> Iterator[WriteRow]:
        for row in right(session, phase, frame):
            yield row
            if phase == "activities":
                yield dataclasses.replace(row, key=f"{row.key}-2", token=f"{row.token}-2")

    patch.setattr(load, "_creates", creates)


def cents_lost(patch: Patch) -> None:
    """Amounts are cut to whole numbers."""
    right = shape.values.amount
    patch.setattr(shape.values, "amount", lambda name, value, digits: float(int(right(name, value, digits))))


def address_of_a_colleague(patch: Patch) -> None:
    """Contacts are made as they are, and a company takes over the address of its first one."""
    patch.setattr(families, "_archived", lambda line: line)


def wrong_quantity(patch: Patch) -> None:
    """Order lines count two of what was bought once."""
    right = shape.columns_of

    def columns_of(model: Any, payload: Any, names: Any) -> dict[str, Any]:
        return {name: 2.0 if name.endswith("product_uom_qty") else value for name, value in right(model, payload, names).items()}

    patch.setattr(write, "columns_of", columns_of)


BUGS: Mapping[Bug, tuple[str, str]] = {
    # what is wrong -> the phase and field where the comparison must see it
    planted.wrong_parent: ("people", "parent_id"),
    planted.owner_dropped: ("people", "user_id"),
    planted.lost_tag: ("people", "category_id"),
    planted.date_off_by_a_day: ("people", "custom.GDPR consent date"),
    planted.dropped_column: ("people", "custom.GDPR consent date"),
    planted.refund_ignored: ("orders", "state"),
    planted.rebill_ignored: ("orders", "amount"),
    planted.older_file_wins: ("people", "custom.Lead score"),
    planted.loosest_consent: ("people", "custom.GDPR status"),
    planted.foreign_phone: ("people", "phone"),
    doubled_event: ("activities", ""),
    cents_lost: ("orders", "amount"),
    address_of_a_colleague: ("organizations", "street"),
    wrong_quantity: ("orders", "quantity"),
}


def test_no_bug_of_every_route_is_left_out() -> None:
    assert set(planted.SHARED) <= set(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_turns_the_comparison_red(bug: Bug, odoo_rig: Make, monkeypatch: Patch) -> None:
    one = odoo_rig(contacts=120, sample={"chunks": 2})
    bug(monkeypatch)
    one.walk_here(monkeypatch)
    seen = {(each.phase, each.field) for each in one.compare().differences}
    assert BUGS[bug] in seen, f"the comparison did not notice {bug.__name__}"

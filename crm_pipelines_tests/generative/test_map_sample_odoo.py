"""A messy sample, read, folded and mapped for Odoo, against the truth that was written from what was planted.

Belongs here: every value that the mapping makes, without an Odoo. Not here: what Odoo makes of it (acceptance), the fold alone
(test_resolve_sample).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.map import map_phase, wanted_schema
from crm_pipelines.phases.resolve import StagedObject, resolve
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines.sources import load_source
from crm_pipelines.spec.compile import compile_spec
from crm_pipelines.spec.parse import load_decisions, load_spec
from crm_pipelines_tests.generative.test_resolve_sample import _staged as staged
from crm_pipelines_tests.lib.staged_objects import REPOSITORY

Records = dict[str, dict[str, dict[str, Any]]]
# What the destination adds by itself: a company is one by its phase, products are services, the host's partner is a guest;
# a state by name becomes Odoo's code, and a refused address small letters.
BY_THE_DESTINATION: Mapping[str, frozenset[str]] = {
    "organizations": frozenset({"is_company"}),
    "people": frozenset({"is_company", "state"}),
    "products": frozenset({"type", "list_price"}),
    "activities": frozenset({"attendees"}),
}
CASES: list[dict[str, str]] = [
    {},
    {"transactions": "invoices", "failed": "cancelled_order", "refunded": "net", "lists": "same", "affiliates": "category"},
    {"subscription_value": "latest", "cancelled_bookings": "exclude", "transactions": "invoices"},
]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: ",".join(case.values()) or "defaults")
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Records, tuple[str, ...]]:
    """The truth, the mapped records that nothing stands against, and the stages they need."""
    out = tmp_path_factory.mktemp("odoo")
    decisions = {"owners": "queue_rows", **request.param}
    report = generate(SampleConfig(contacts=400, seed=11, out=out, route="kartra_to_odoo", decisions=decisions))
    truth = orjson.loads(report.truth.read_bytes())
    spec = load_spec(REPOSITORY / "mapping_specs/kartra_to_odoo.yaml")
    chosen = load_decisions(spec, "".join(f"{name}: {value}\n" for name, value in truth["decisions"].items()))
    objects = {one.name: one for one in staged(Path(report.exports))}
    frames = resolve(spec.derive, chosen, objects).frames
    compiled = compile_spec(spec, chosen, rows_of(objects["custom_fields"]), "America/New_York", source_contract(load_source("kartra")))
    mapped = {name: map_phase(compiled.phases[name], frames) for name in compiled.order if name in truth["records"]}
    records = {
        name: {row["key"]: orjson.loads(row["payload"]) for row in frame.iter_rows(named=True) if row["queue"] is None}
        for name, frame in mapped.items()
    }
    return truth, records, next(iter(wanted_schema(compiled, mapped).stages.values()))


def rows_of(staged_object: StagedObject) -> list[dict[str, Any]]:
    return [row for chunk in staged_object.in_order() for row in chunk.frame.to_dicts()]


def waits_for_its_owner(truth: dict[str, Any], name: str) -> set[str]:
    """Return keys that wait because an owner has no user, which is found later."""
    home = {"people": "contacts", "deals": "deals"}.get(name)
    return {row["key"] for row in truth["queues"] if row["object"] == home and row["queue"] == "owner"}


@pytest.mark.parametrize("phase", ["organizations", "people", "opt_outs", "products", "orders", "invoices", "deals", "activities"])
def test_every_value_is_the_one_that_was_planted(both: tuple[dict[str, Any], Records, tuple[str, ...]], phase: str) -> None:
    truth, records, _ = both
    wanted, found = truth["records"].get(phase, {}), records.get(phase, {})
    assert found.keys() - waits_for_its_owner(truth, phase) == wanted.keys()
    for key, record in wanted.items():
        names = (record.keys() | found[key].keys()) - BY_THE_DESTINATION.get(phase, frozenset()) - {"custom"}
        assert {name: plain(phase, found[key].get(name)) for name in names} == {name: plain(phase, record.get(name)) for name in names}
        assert found[key].get("custom", {}) == record.get("custom", {})


def plain(phase: str, value: Any) -> Any:
    """Return lists in order, and a refused address in small letters."""
    if phase == "opt_outs":
        return str(value).lower()
    return sorted(value) if isinstance(value, list) else value


def test_stages_are_wanted_in_order_of_appearance(both: tuple[dict[str, Any], Records, tuple[str, ...]]) -> None:
    truth, _, stages = both
    assert [name for name in stages if name != truth["won_stage"]] == truth["stages"]

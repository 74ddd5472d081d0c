"""A phase with a key of its own: an address that must not be mailed is one record, whoever has it, and stays one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import polars as pl

from crm_pipelines.phases.map import map_phase, mapped_schema, mapped_slices, wanted_schema
from crm_pipelines.spec.client import load_decisions
from crm_pipelines.spec.compile import CompiledPhase, compile_spec
from crm_pipelines.spec.parse import parse

ROUTE = Path(__file__).parents[3] / "mapping_specs" / "kartra_to_odoo.yaml"


def opt_outs() -> CompiledPhase:
    spec = parse(ROUTE.read_text("utf-8")).spec
    return compile_spec(spec, load_decisions(spec, "owners: queue_rows\n")).phases["opt_outs"]


def test_the_field_that_keeps_the_text_of_the_state_is_told_by_its_column() -> None:
    spec = parse(ROUTE.read_text("utf-8")).spec
    compiled = compile_spec(spec, load_decisions(spec, "owners: queue_rows\n"))
    wanted = wanted_schema(compiled, {"people": map_phase(compiled.phases["people"], pl.DataFrame([contact("1", "ann@example.com")]))})
    assert {field.name: field.keeps for field in wanted.fields if field.keeps} == {"Kartra state": "state"}


def contact(key: str, address: str | None, status: str = "Unsubscribed") -> dict[str, Any]:
    return {"key": key, "email_normal": address, "status": status, "contributors": ["001"]}


def mapped(*slices: list[dict[str, Any]]) -> dict[str, Any]:
    compiled = opt_outs()
    found = pl.concat(mapped_slices(compiled, (pl.DataFrame(rows, infer_schema_length=None) for rows in slices)))
    mapped_schema(compiled).validate(found)
    return {key: orjson.loads(payload) for key, payload in found.select("key", "payload").iter_rows()}


def test_the_key_is_the_address_and_not_the_contact() -> None:
    before, after = mapped([contact("7", "Old@example.com")]), mapped([contact("7", "New@example.com")])
    assert (before, after) == ({"old@example.com": {"email": "old@example.com"}}, {"new@example.com": {"email": "new@example.com"}})


def test_contacts_with_one_address_make_one_record_in_a_slice_and_across_slices() -> None:
    first = [
        contact("1", "ann@example.com"),
        contact("2", "ANN@example.com"),
        contact("3", "bob@example.com", "Active"),
        contact("4", None),
    ]
    assert list(mapped(first, [contact("5", "Ann@Example.com"), contact("6", "Jörg@example.com")])) == [
        "ann@example.com",
        "Jörg@example.com",
    ]

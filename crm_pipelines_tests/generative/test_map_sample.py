"""A messy sample of the second route, read, folded and mapped, against the truth that was written from what was planted.

Belongs here: what the spec makes of rows before anything is sent. Not here: what the destination adds or looks up by itself
(acceptance), the fold of the first route (test_resolve_sample).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from crm_pipelines.phases.desired import map_all, resolve_all, stage_chunk
from crm_pipelines.phases.map import wanted_schema
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.sandbox.sample import main as make_sample
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.unit.defs.conftest import install

ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_odoo
  account: {name: sample, base_url: "http://127.0.0.1:9", token_env: CRM_TEST_TOKEN}
"""
OTHER = {
    "transactions": "invoices",
    "rebills": "deal_each",
    "failed": "cancelled_order",
    "refunded": "net",
    "lists": "same",
    "affiliates": "category",
    "cancelled_bookings": "exclude",
}
ADDED = {
    "users": {"is_matched"},
    "organizations": {"is_company"},
    "people": {"is_company", "state"},
    "products": {"type", "list_price"},
    "activities": {"attendees"},
}
"""Fields that the destination fills or looks up by itself, and those that the truth tells in the words of its tables."""

Sample = tuple[dict[str, Any], Project]


@pytest.fixture(scope="module", params=[{}, OTHER], ids=["defaults", "other"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """Make, read, fold and map one sample; give its truth and the project."""
    where = tmp_path_factory.mktemp("sample")
    decisions = [f"--decision={name}={value}" for name, value in request.param.items()]
    make_sample(["kartra", "--route", "kartra_to_odoo", "--contacts", "300", "--seed", "5", "--out", str(where / "made"), *decisions])
    truth = orjson.loads((where / "made" / "truth.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        folder = install(where, patch) / "engagements" / "sample"
        shutil.copytree(where / "made" / "exports", folder / "exports")
        (folder / "engagement.yaml").write_text(ENGAGEMENT, "utf-8")
        answers = "".join(f"{name}: {answer}\n" for name, answer in truth["decisions"].items())
        (folder / "decisions.yaml").write_text(answers, "utf-8")
        project = Project.open(load_engagement("sample"))
        for chunk in project.register().new:
            stage_chunk(project, chunk.key)
        resolve_all(project)
        map_all(project)
        yield truth, project


def payloads(project: Project, phase: str) -> dict[str, dict[str, Any]]:
    """Return the payloads of records that nothing stands against."""
    rows = project.mapped(phase, "key", "payload", "queue").iter_rows()
    return {key: orjson.loads(payload) for key, payload, queue in rows if queue is None}


def plain(phase: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return what can be compared: lists without order, custom fields beside the others."""
    whole = {**payload, **{f"custom.{name}": value for name, value in payload.get("custom", {}).items()}}
    kept = {name: value for name, value in whole.items() if name not in {*ADDED.get(phase, ()), "custom"}}
    return {name: sorted(value) if isinstance(value, list) else value for name, value in kept.items()}


def test_every_record_is_what_was_planted(sample: Sample) -> None:
    truth, project = sample
    for phase, wanted in truth["records"].items():
        found = payloads(project, phase)
        assert not set(wanted) - set(found), phase
        owners = {found[key].get("user_id", key) for key in set(found) - set(wanted)}
        assert owners <= set(truth["owners_without_user"]), phase  # their rows wait once the users are matched
        for key, record in wanted.items():
            told, ours = plain(phase, record), plain(phase, found[key])
            if phase == "deals" and "expected_revenue" not in told:
                told.pop("currency", None)  # what is worth nothing has no currency
            assert ours == told, (phase, key)


def test_stages_and_currencies_are_those_of_the_deals(sample: Sample) -> None:
    truth, project = sample
    wanted = wanted_schema(project.compiled, {phase: project.mapped(phase) for phase in project.phases})
    assert wanted.stages == {"CRM": (*truth["stages"], truth["won_stage"])}
    assert wanted.currencies == tuple(
        sorted({record["currency"] for record in truth["records"]["orders"].values() if "currency" in record})
    )


def test_every_row_is_at_home_in_the_phase_of_its_record(sample: Sample) -> None:
    _, project = sample
    keys = {phase: set(project.mapped(phase, "key")["key"]) for phase in project.phases}
    homes = {name: phase for phase in project.phases for name in project.compiled.phases[phase].home_of}
    assert set(homes) | set(project.spec.schema_exports) == set(project.objects)
    for name in homes:
        rows = read_resolved(project.resolved_folder, f"fates/{name}").filter(fate="record")
        for phase, key in rows.select("into_phase", "into_key").iter_rows():
            assert key in keys[phase]

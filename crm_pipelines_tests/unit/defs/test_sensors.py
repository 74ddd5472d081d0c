"""What the sensors ask for: files staged as they come, a later intake phase by phase, pending phases after the vendor's day."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from crm_pipelines.definitions import defs as code_location
from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.partitions import ENGAGEMENT_TAG, INTAKE_TAG, NAME_TAG
from crm_pipelines.errors import QuotaExhausted
from crm_pipelines.journal import Allowance, Attempt
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.desired import stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import home, load_engagement

Engage = Callable[..., Path]
ACCOUNT = "pipedrive:acme"
DELTA = "contacts_kartra_10-06-2026_6a29555584d5c.csv"


@pytest.fixture
def instance(where: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance() as opened:
        yield opened


@pytest.fixture
def ledger(where: Path) -> Iterator[Ledger]:
    with Ledger.open(home().ledger_url) as opened:
        yield opened


def look(instance: dg.DagsterInstance, sensor: str = "acme__intake") -> dg.SensorResult | dg.SkipReason:
    definition = code_location().resolve_sensor_def(sensor)
    found = definition.evaluate_tick(dg.build_sensor_context(instance=instance, repository_def=code_location().get_repository_def()))
    if found.skip_message and "empty result" not in found.skip_message:
        return dg.SkipReason(found.skip_message)
    for request in found.dynamic_partitions_requests:
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return dg.SensorResult(run_requests=found.run_requests)


def asked(result: dg.SensorResult | dg.SkipReason) -> list[str]:
    assert isinstance(result, dg.SensorResult)
    return [str(request.run_key) for request in result.run_requests or []]


def stage_all() -> Project:
    project = Project.open(load_engagement("acme"))
    for chunk in project.chunks():
        stage_chunk(project, chunk.key)
    return project


def second_intake(folder: Path, instance: dg.DagsterInstance) -> Project:
    """Take a first intake as loaded, and stage a second one."""
    look(instance)
    stage_all()
    shutil.copy(folder / "exports" / "contacts_kartra_09-06-2026_6a2803f884d5c.csv", folder / "exports" / DELTA)
    with (folder / "exports" / DELTA).open("ab") as file:
        file.write(b"\n")
    look(instance)
    return stage_all()


def prepared(instance: dg.DagsterInstance, intake: int) -> None:
    """Record that the run which maps, checks the seal and prepares the destination succeeded for an intake."""
    tags = {ENGAGEMENT_TAG: "acme", INTAKE_TAG: str(intake), NAME_TAG: "map"}
    run = dg.DagsterRun(job_name="acme__run__map", run_id=dg._core.utils.make_new_run_id(), tags=tags, status=dg.DagsterRunStatus.SUCCESS)
    instance.add_run(run)


def test_new_files_become_partitions_and_are_staged_once(engage: Engage, instance: dg.DagsterInstance) -> None:
    engage()
    first = asked(look(instance))
    assert any(key.startswith("acme/stage/001-") for key in first)
    assert len(instance.get_dynamic_partitions("acme__staged_contacts")) == 2
    people = instance.get_dynamic_partitions("acme__people")
    assert [key.split("-")[2].split("_")[0] for key in people] == ["leads", "contacts", "affiliates"], "every file that feeds people"
    assert asked(look(instance)) == first, "the same run keys: Dagster asks once"
    stage_all()
    assert asked(look(instance)) == [], "a first load is started by a person"


def test_a_file_that_is_missing_is_said_and_nothing_is_asked(engage: Engage, instance: dg.DagsterInstance) -> None:
    engage(exports=False)
    found = look(instance)
    assert isinstance(found, dg.SkipReason)
    assert "holds no file of contacts" in str(found.skip_message)


def test_a_later_intake_goes_on_only_behind_its_own_gates(engage: Engage, instance: dg.DagsterInstance, ledger: Ledger) -> None:
    project = second_intake(engage(), instance)
    assert asked(look(instance)) == ["acme/2/map"]
    number = ledger.open_pass("acme", ACCOUNT, "2")
    assert asked(look(instance)) == ["acme/2/map"], "not before the map is confirmed and the destination prepared"
    prepared(instance, 2)
    assert asked(look(instance)) == ["acme/2/map", "acme/2/users"]
    ledger.record_gate("acme", number, "users", True, {})
    result = look(instance)
    assert asked(result) == ["acme/2/map", "acme/2/organizations"]
    assert isinstance(result, dg.SensorResult)
    request = result.run_requests[-1]
    assert request.tags["dagster/asset_partition_range_start"].startswith("002-"), "only the new chunks"
    ledger.record_gate("acme", number, "organizations", False, {})
    assert asked(look(instance)) == ["acme/2/map"], "a shut gate stops the intake"
    for phase in project.phases:
        ledger.record_gate("acme", number, phase, True, {})
    assert asked(look(instance)) == ["acme/2/map", "acme/2/reconcile"]


def test_a_gate_of_an_earlier_intake_opens_nothing(engage: Engage, instance: dg.DagsterInstance, ledger: Ledger) -> None:
    project = second_intake(engage(), instance)
    prepared(instance, 2)
    number = ledger.open_pass("acme", ACCOUNT, "1")
    for phase in project.phases:
        ledger.record_gate("acme", number, phase, True, {})
    assert asked(look(instance)) == ["acme/2/map"]


def test_pending_phases_are_asked_for_again_when_the_day_has_turned(engage: Engage, instance: dg.DagsterInstance, ledger: Ledger) -> None:
    engage()
    look(instance)
    project = stage_all()
    number = ledger.open_pass("acme", ACCOUNT, "1")
    ledger.record_gate("acme", number, "users", True, {})
    assert "no day has run out" in str(look(instance, "acme__resume"))
    _exhaust(ledger, number, datetime.now(UTC) + timedelta(hours=1))
    assert "not turned yet" in str(look(instance, "acme__resume"))
    _exhaust(ledger, number, datetime.now(UTC) - timedelta(minutes=1))
    assert asked(look(instance, "acme__resume"))[0].endswith("/organizations")
    for phase in project.phases:
        ledger.record_gate("acme", number, phase, True, {})
    assert "nothing is pending" in str(look(instance, "acme__resume"))


def _exhaust(ledger: Ledger, number: int, resumes_at: datetime) -> None:
    allowance = Allowance(day="2026-11-22", limit=10, reserve=5, resumes_at=resumes_at)
    attempt = Attempt(key="1", operation="create", payload_hash="0" * 32, payload=b"{}", token="1", cost=50)
    with ledger.lock(ACCOUNT, "test") as fence:
        journal = ledger.journal(ACCOUNT, "acme", "people", number, fence)
        with pytest.raises(QuotaExhausted):
            journal.sending([attempt], allowance)

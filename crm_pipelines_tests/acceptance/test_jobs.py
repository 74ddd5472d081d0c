"""The same migration by Dagster's own jobs, one after the other, as the UI and the sensors start them."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from crm_pipelines.definitions import defs as code_location
from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.partitions import RANGE_END_TAG, RANGE_START_TAG
from crm_pipelines_tests.lib.rig import Rig

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
PHASES = ["users", "organizations", "people", "deals", "activities", "notes", "tags"]


def test_jobs_alone_take_a_confirmed_engagement_to_its_report(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=40)
    assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    location = code_location()
    with open_instance() as instance:
        out_of_turn = location.resolve_job_def("acme__run__organizations")
        with pytest.raises(dg.Failure, match="the gate of users was not judged yet in this pass"):
            out_of_turn.execute_in_process(instance=instance, tags=_all_chunks(instance, "organizations"), run_config=QUIET)
        for step in ("map", *PHASES, "reconcile"):
            job = location.resolve_job_def(f"acme__run__{step}")
            tags = _all_chunks(instance, step) if step in PHASES else {}
            assert job.execute_in_process(instance=instance, tags=tags, run_config=QUIET).success, step
    assert one.compare().differences == []
    status = one.crm("status", "acme")
    assert status.returncode == 10, status.stdout + status.stderr
    assert (one.folder / "handoff" / "reconciliation.html").exists()


def test_a_job_without_a_seal_fails_with_the_words_of_the_command_line(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=40)
    assert one.crm("plan", "acme").returncode == 0
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    job = code_location().resolve_job_def("acme__run__map")
    with open_instance() as instance, pytest.raises(dg.Failure, match="the map is not confirmed") as failure:
        job.execute_in_process(instance=instance, run_config=QUIET)
    assert failure.value.metadata["exit code"].value == 2
    assert one.sandbox.truth.live("organizations") == []


def _all_chunks(instance: dg.DagsterInstance, phase: str) -> dict[str, str]:
    keys = instance.get_dynamic_partitions(f"acme__{phase}")
    return {RANGE_START_TAG: keys[0], RANGE_END_TAG: keys[-1]}

"""The verdict and its exit code; what a walk may skip; errors as Dagster shows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from crm_pipelines.defs import fresh
from crm_pipelines.defs.account import exit_code
from crm_pipelines.defs.handoff import ReconciliationFrame, summary_frame
from crm_pipelines.defs.resources import as_failure
from crm_pipelines.errors import LockedError, QuotaExhausted
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.walk import desire

Engage = Callable[..., Path]


def told(
    gates: list[str], *, records: dict[str, int] | None = None, buckets: dict[str, int] | None = None, confirmed: str = "full"
) -> dict[str, Any]:
    phases = [{"phase": f"p{number}", "wanted": 3, "gate": gate, "records": records or {"created": 3}} for number, gate in enumerate(gates)]
    return {"phases": phases, "files": [{"buckets": buckets or {"created": 3}}], "confirmed": confirmed}


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (told(["passed", "passed"]), 0),
        (told(["passed", "accepted"]), 0),
        (told(["passed"], buckets={"created": 2, "waiting": 1}), 10),
        (told(["passed"], buckets={"created": 2, "quarantined": 1}), 10),
        (told(["passed"], records={"created": 2, "refused": 1}), 10),
        (told(["passed"], buckets={"excluded": 9, "merged": 2, "folded": 1}), 0),
        (told(["passed", "shut", "not run"]), 11),
        (told(["passed", "not run"]), 3),
        (told(["passed"], buckets={"created": 1, "pending": 9}, confirmed="sample"), 0),
        (told(["passed", "shut"], confirmed="sample"), 11),
    ],
)
def test_the_exit_code_is_the_verdict(account: dict[str, Any], code: int) -> None:
    assert exit_code(account) == code


@pytest.mark.parametrize(
    ("gates", "differences", "confirmed", "code"),
    [
        (["passed"], ["people: predicted 3 created, 2 came"], "full", 11),
        (["passed"], ["people: predicted 3 created, 2 came"], "sample", 11),
        (["passed", "not run"], ["people: predicted 3 created, 2 came"], "full", 3),
        (["passed"], [], "full", 0),
    ],
)
def test_what_came_unforeseen_is_a_difference_and_explained_ones_are_none(
    gates: list[str], differences: list[str], confirmed: str, code: int
) -> None:
    found = {"differences": differences, "explained": ["deals: 1 refused by the vendor"]}
    assert exit_code({**told(gates, confirmed=confirmed), "prediction": found}) == code


def test_the_summary_frame_holds_to_its_type_and_a_broken_one_does_not() -> None:
    frame = summary_frame(told(["passed", "shut"]))
    assert list(frame["created"]) == [3, 3]
    context: Any = None
    assert ReconciliationFrame.type_check(context, frame).success
    frame.loc[0, "created"] = -1
    assert not ReconciliationFrame.type_check(context, frame).success


def test_an_error_becomes_a_failure_that_says_what_to_do_and_is_never_retried() -> None:
    resumes = datetime(2026, 11, 23, tzinfo=UTC)
    with pytest.raises(dg.Failure) as caught, as_failure():
        raise QuotaExhausted("the day is spent; run again tomorrow", resumes)
    assert caught.value.description == "the day is spent; run again tomorrow"
    assert caught.value.metadata["resumes at (UTC)"].value == resumes.isoformat()
    assert caught.value.allow_retries is False
    assert isinstance(caught.value.__cause__, QuotaExhausted)
    with pytest.raises(dg.Failure) as caught, as_failure():
        raise LockedError("held by another")
    assert caught.value.metadata["exit code"].value == 3


def test_desired_records_are_fresh_until_an_input_changes(engage: Engage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_newest_code", lambda: 0)
    folder = engage()
    project = Project.open(load_engagement("acme"))
    assert not fresh.is_desired(project)
    made_from = fresh.begin_desired(project)
    desire(project)
    made_from = fresh.begin_desired(project)
    fresh.remember_desired(project, made_from)
    assert fresh.is_desired(project)
    decisions = folder / "decisions.yaml"
    before = decisions.read_text(encoding="utf-8")
    decisions.write_text(before + "lists: custom_field\n", encoding="utf-8")
    assert not fresh.is_desired(project)
    fresh.begin_desired(project)
    decisions.write_text(before, encoding="utf-8")
    assert not fresh.is_desired(project), "a fold that was begun with other answers is not whole"


def test_a_new_release_reads_and_maps_anew(engage: Engage, monkeypatch: pytest.MonkeyPatch) -> None:
    engage()
    project = Project.open(load_engagement("acme"))
    desire(project)
    chunk = project.chunks()[0]
    staged, declared = project.staged_path(chunk.object, chunk.key), project.engagement.folder / "engagement.yaml"
    monkeypatch.setattr(fresh, "_newest_code", lambda: 0)
    assert fresh.is_staged(project, chunk.object, chunk.key)
    os.utime(declared, (2e9, 2e9))
    assert not fresh.is_staged(project, chunk.object, chunk.key), "how to read it may have changed"
    os.utime(staged, (2.1e9, 2.1e9))
    assert fresh.is_staged(project, chunk.object, chunk.key)
    monkeypatch.setattr(fresh, "_newest_code", lambda: 2**62)
    assert not fresh.is_staged(project, chunk.object, chunk.key)

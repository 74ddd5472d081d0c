"""First start: one home and one ledger, however many processes begin at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from crm_pipelines.defs.home import initialise, open_instance
from crm_pipelines.errors import SettingsError


def test_the_home_is_private_and_needs_no_second_making(where: Path) -> None:
    home = initialise()
    stamp = home.dagster_home / ".initialised"
    made = stamp.stat().st_mtime_ns
    assert home.dagster_home.stat().st_mode & 0o777 == 0o700
    assert (where / "ledger.sqlite").stat().st_mode & 0o777 == 0o600
    initialise()
    assert stamp.stat().st_mtime_ns == made


def test_telemetry_and_the_welcome_window_are_off(where: Path) -> None:
    with open_instance() as instance:
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False
        assert isinstance(instance, dg.DagsterInstance)


def test_processes_that_start_at_once_find_one_working_home(where: Path) -> None:
    code = "from crm_pipelines.defs.home import open_instance\nwith open_instance() as i: i.get_run_records(limit=1)"
    started = [subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ), stderr=subprocess.PIPE, text=True) for _ in range(3)]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    with open_instance() as instance:
        assert instance.get_run_records() == []


def test_an_unusable_ledger_is_a_message(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_LEDGER_URL", "mysql://nowhere")
    with pytest.raises(SettingsError, match="SQLite or PostgreSQL"):
        initialise()

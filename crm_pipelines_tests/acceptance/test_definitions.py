"""The code location as Dagster itself loads it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from crm_pipelines.defs.home import open_instance
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

ROOT = Path(__file__).parents[2]


def test_dagster_validates_the_location_with_a_sound_and_a_broken_engagement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = install(tmp_path, monkeypatch)
    write_engagement(where, "acme")
    write_engagement(where, "beta")
    (write_engagement(where, "broken") / "decisions.yaml").write_text("owners: nobody\n", encoding="utf-8")
    with open_instance():
        """Made, as every command and `make ui` do first."""
    command = [str(Path(sys.executable).with_name("dagster")), "definitions", "validate", "-w", str(ROOT / "workspace.yaml")]
    ran = subprocess.run(command, env=dict(os.environ), cwd=where, capture_output=True, text=True, check=False, timeout=180)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Validation successful" in ran.stdout + ran.stderr


def test_the_shipped_instance_settings_are_valid_and_quiet() -> None:
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    assert settings["telemetry"] == {"enabled": False}
    assert settings["nux"] == {"enabled": False}
    overrides = {name: settings[name] for name in ("run_coordinator", "concurrency", "run_monitoring")}
    with dg.instance_for_test(overrides=overrides) as instance:
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert settings["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}

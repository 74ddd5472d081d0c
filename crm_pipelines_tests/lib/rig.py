"""A whole migration in a temporary folder: sample exports with their truth, a sandbox, an engagement, and the product's command line.

Belongs here: setting the stage and reading truth from the server's side. Not here: what is asserted (acceptance tests), a stage whose
destination is a real Odoo (rig_odoo).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_pipelines.sandbox.compare import Comparison, compare
from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, SandboxUser, start
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines_tests.lib import walk

ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  exports: exports
  account:
    name: {account}
    base_url_env: CRM_TEST_BASE_URL
    token_env: CRM_TEST_TOKEN
    auth: {auth}
    refresh_token_env: CRM_TEST_REFRESH
    client_id_env: CRM_TEST_CLIENT
    client_secret_env: CRM_TEST_SECRET
    apply_within_s: {apply_within_s}
    reserve_pct: {reserve_pct}
"""


@dataclass
class Stage:
    """One engagement in a folder of its own, and the product's command line on it; what its account is, others add."""

    root: Path
    truth: Mapping[str, Any]
    name: str = field(default="acme", kw_only=True)
    env: dict[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def folder(self) -> Path:
        """The engagement's folder."""
        return self.root / "engagements" / self.name

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of the product's processes."""
        return {**os.environ, **self.env, **more}

    def crm(self, *args: str, timeout_s: float = 240, **more: str) -> subprocess.CompletedProcess[str]:
        """Run `crm ...` as a user would."""
        command = [sys.executable, "-m", "crm_pipelines.cli", *args]
        return subprocess.run(command, env=self.environ(**more), capture_output=True, text=True, timeout=timeout_s, check=False)

    def walk_here(self, patch: pytest.MonkeyPatch) -> int:
        """Run all phases in this process: no start-up time, and what the test patched counts."""
        for name, value in self.env.items():
            patch.setenv(name, value)
        return walk.walk(self.name)

    def walk(self, *args: str, timeout_s: float = 240, **more: str) -> subprocess.CompletedProcess[str]:
        """Run all phases without Dagster: the same verbs, two seconds faster to start."""
        command = [sys.executable, "-m", "crm_pipelines_tests.lib.walk", self.name, *args]
        return subprocess.run(command, env=self.environ(**more), capture_output=True, text=True, timeout=timeout_s, check=False)

    def start_walk(self, *args: str, **more: str) -> subprocess.Popen[str]:
        """Start all phases in the background, to be killed."""
        command = [sys.executable, "-m", "crm_pipelines_tests.lib.walk", self.name, *args]
        return subprocess.Popen(command, env=self.environ(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def bring_delta(self) -> None:
        """Put the later export beside the first; the truth is the one after it from now on."""
        for file in sorted((self.folder / "delta").glob("*.csv")):
            shutil.copy(file, self.folder / "exports" / file.name)
        self.truth = orjson.loads((self.folder / "truth_after_delta.json").read_bytes())


@dataclass
class Rig(Stage):
    """One engagement against one sandbox."""

    sandbox: RunningSandbox
    sandbox_token: str = "sandbox"

    def compare(self) -> Comparison:
        """Compare what the sandbox holds with what the generator planted."""
        return compare(dict(self.truth), self.sandbox.base_url, self.sandbox_token)


def build(
    root: Path,
    *,
    contacts: int = 60,
    seed: int = 7,
    sandbox: Mapping[str, Any] | None = None,
    sample: Mapping[str, Any] | None = None,
    decisions: Mapping[str, str] | None = None,
    apply_within_s: float = 0.5,
    reserve_pct: int = 20,
    name: str = "acme",
) -> Rig:
    """Generate exports, start a sandbox and write an engagement that migrates one into the other."""
    folder = root / "engagements" / name
    folder.mkdir(parents=True)
    options: dict[str, Any] = {"planted_queue": "five", "decisions": dict(decisions or {}), **dict(sample or {})}
    report = generate(SampleConfig(contacts=contacts, seed=seed, out=folder, **options))
    truth = orjson.loads(report.truth.read_bytes())
    settings: dict[str, Any] = {
        "token": "t0ken",
        "plan": "ultimate",
        "seats": 3,
        "auth": "oauth",
        "campaigns": True,
        "users": users_of(truth),
    }
    config = SandboxConfig(**{**settings, **dict(sandbox or {})})
    running = start(config)
    (folder / "engagement.yaml").write_text(
        ENGAGEMENT.format(
            account=name, auth="oauth" if config.auth == "oauth" else "api_token", apply_within_s=apply_within_s, reserve_pct=reserve_pct
        ),
        encoding="utf-8",
    )
    answers = {"owners": "queue_rows", **dict(decisions or {})}
    (folder / "decisions.yaml").write_text("".join(f"{k}: {v}\n" for k, v in answers.items()), encoding="utf-8")
    env = {
        **installed(root),
        "CRM_TEST_BASE_URL": running.base_url,
        "CRM_TEST_TOKEN": config.token,
        "CRM_TEST_REFRESH": config.refresh_token,
        "CRM_TEST_CLIENT": config.client_id,
        "CRM_TEST_SECRET": config.client_secret,
    }
    return Rig(root, truth, running, config.sandbox_token, name=name, env=env)


def installed(root: Path) -> dict[str, str]:
    """Return the variables that point the product at a folder."""
    return {
        "CRM_ENGAGEMENTS": str(root / "engagements"),
        "CRM_LEDGER_URL": f"sqlite:///{root / 'ledger.sqlite'}",
        "DAGSTER_HOME": str(root / "dagster_home"),
    }


def users_of(truth: Mapping[str, Any]) -> tuple[SandboxUser, ...]:
    """Return the destination's users: every owner of the truth who has one, after the administrator whose token is used."""
    admin = SandboxUser("admin@example.com", "Ada Admin", is_admin=True)
    return (
        admin,
        *(SandboxUser(email, email.partition("@")[0].title()) for email, user in truth["records"]["users"].items() if user["is_matched"]),
    )

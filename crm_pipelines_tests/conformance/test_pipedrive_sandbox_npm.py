"""The vendor's official npm client drives the sandbox: what its users rely on must work here too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from crm_pipelines.sandbox.pipedrive import SandboxConfig, Switches, start

pytestmark = [
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="install Node.js 20 to drive the sandbox with the vendor's npm client"),
]

PACKAGE = Path(__file__).parent.parent / "fixtures" / "pipedrive_npm"
PLAIN = SandboxConfig(token="npm-token", switches=Switches(search_lag_s=0.0))


@pytest.fixture(scope="module")
def package() -> Path:
    """The folder with the client installed from its lock file."""
    if not (PACKAGE / "node_modules" / "pipedrive").is_dir():
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=PACKAGE, capture_output=True, text=True, check=False, timeout=240
        )
        if done.returncode and not os.environ.get("CRM_REQUIRE_NODE"):
            pytest.skip(f"npm ci failed, so the vendor's client was not run: {done.stderr.strip().splitlines()[-1:]}")
        assert done.returncode == 0, done.stderr
    return PACKAGE


@pytest.mark.parametrize(("kind", "prefix"), [("api", "/v1"), ("oauth", "/api/v1")])
def test_official_client_works(package: Path, kind: str, prefix: str) -> None:
    with start(replace(PLAIN, auth=kind)) as sandbox:
        command = ["node", "drive.mjs", sandbox.base_url, kind, sandbox.token, prefix]
        done = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False, timeout=120)
        assert done.stdout, done.stderr
        report = json.loads(done.stdout)
        assert report["failures"] == []
        assert done.returncode == 0
        counts = sandbox.truth.counts()
        assert report["calls"] == sum(counts["requests"].values()) + 1  # the one that had a wrong token
        assert (counts["violations"], counts["search_violations"]) == (0, 0)
        assert len(counts["requests"]) > 95  # distinct operations


def test_lock_file_names_no_registry() -> None:
    """Any registry may serve the packages; the integrity hashes say which ones."""
    packages = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in entry for entry in packages.values())
    assert all("integrity" in entry for name, entry in packages.items() if name)

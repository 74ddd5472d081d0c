"""The real Dagster UI in a real browser: what an operator sees of a migration that was run from the command line."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from crm_pipelines_tests.lib.rig import build

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]
SETTLE_MS = 30_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Migrate 40 contacts, then serve the history."""
    one = build(tmp_path_factory.mktemp("ui"), contacts=40)
    try:
        assert one.crm("confirm", "acme", "--by", "client", "--without-sample", "test", "--automations-paused-by", "client").returncode == 0
        assert one.crm("run", "acme").returncode == 10
        broken = one.root / "engagements" / "broken"
        broken.mkdir()
        (broken / "engagement.yaml").write_text("route: nowhere\n", encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [str(Path(sys.executable).with_name("dagster-webserver")), "-w", str(ROOT / "workspace.yaml"), "-p", str(port)]
        with (one.root / "webserver.log").open("w") as log:
            server = subprocess.Popen(command, env={**os.environ, **one.env}, cwd=one.root, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/server_info", one.root / "webserver.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)
    finally:
        one.sandbox.stop()


@pytest.fixture(scope="module")
def page(site: str) -> Iterator[object]:
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1700, "height": 1000})
        tab.set_default_timeout(SETTLE_MS)
        yield tab
        browser.close()


def test_engagements_are_groups_and_a_broken_one_is_seen(site: str, page: Any) -> None:
    page.goto(f"{site}/asset-groups")
    for name in ("acme", "broken"):
        page.get_by_text(name, exact=True).first.wait_for()


def test_a_gate_shows_its_check_and_its_figures(site: str, page: Any) -> None:
    page.goto(f"{site}/assets/acme/people_gate?view=checks")
    for text in ("every_row_accounted", "rows, records, destination and money add up", "destination count"):
        page.get_by_text(text).first.wait_for()


def test_a_phase_lists_its_chunks_and_its_fields(site: str, page: Any) -> None:
    page.goto(f"{site}/assets/acme/people?view=partitions")
    page.get_by_text("001-0001-leads", exact=False).first.wait_for()
    page.goto(f"{site}/assets/acme/people?view=overview")
    for text in ("GDPR status", "Kartra created date"):
        page.get_by_text(text).first.wait_for()


def test_a_broken_engagement_says_why(site: str, page: Any) -> None:
    page.goto(f"{site}/assets/broken/engagement_invalid?view=overview")
    page.get_by_text("expected `type:", exact=False).first.wait_for()


def _wait_for(url: str, log: Path, timeout_s: float = 120) -> None:
    ends = time.monotonic() + timeout_s
    while True:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - loopback
                return
        except (URLError, OSError):
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.5)

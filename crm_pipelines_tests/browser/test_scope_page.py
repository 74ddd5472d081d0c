"""The scope document in a real browser: a phone, a screen, a sheet of paper, with the network watched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines.discovery.values import CleanCount, Discovery, OwnerFinding
from crm_pipelines.reports.scope import write_scope
from crm_pipelines_tests.lib import found_by_hand as by_hand

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
SHEET = {"width": 703, "height": 1000}
"""A4 less the margins of the page's own @page rule, in CSS pixels."""
SHEET_HEIGHT = 1039

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium (apt-get install chromium)")]


def crowded() -> Discovery:
    """A discovery with more of everything than the first page can list."""
    kinds = ("stale", "unsubscribed", "duplicate_email", "likely_duplicate", "bounced", "role_account", "complained")
    rule = "Joined more than 24 months before the newest export (9 June 2026), and no export shows a purchase of theirs."
    base = by_hand.discovery()
    gaps = tuple(
        {"what": f"kind_of_thing_{n}", "why": "The old system exports none of it, and none is made.", "instead": "-"} for n in range(9)
    )
    people = tuple(OwnerFinding(f"member.number.{n}@agency.example.com", None, {"contacts": 20}, {}) for n in range(9))
    queue = base.queues[0]
    return by_hand.discovery(
        checklist=tuple(replace(base.checklist[2], object=f"export_{n}") for n in range(3)) + base.checklist * 2,
        gaps=gaps,
        owners=people,
        clean=(CleanCount("contacts", 9000, 8800, dict.fromkeys(kinds, 900), 3000, dict.fromkeys(kinds, rule)),),
        columns=tuple(by_hand.column(f"Long heading of column {n}", "waiting") for n in range(30)),
        decisions=(by_hand.decision("owners"), by_hand.decision("lists"), by_hand.decision("more", default="queue_rows")),
        predicted={
            name: {"created": 900, "waiting": 90} for name in ("companies", "people", "opt_outs", "products", "orders", "deals", "notes")
        },
        queues=tuple(replace_reason(queue, reason) for reason in ("no_user", "no_email", "no_contact", "two_candidates", "parent_waits")),
    )


def replace_reason(row: Any, reason: str) -> dict[str, Any]:
    return {**row, "reason": reason}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as session:
        found = session.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module", params=["full", "crowded", "empty"])
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = {"full": by_hand.discovery, "crowded": crowded, "empty": by_hand.empty}[request.param]
    return write_scope(made(), tmp_path_factory.mktemp(request.param))["html"]


def test_it_fits_a_phone_a_screen_and_a_sheet_of_paper_and_can_be_read(browser: Any, document: Path) -> None:
    asked: list[str] = []
    page = browser.new_context().new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(document.as_uri())
    for width in (420, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == [], "on a screen no table is cut"
    assert page.evaluate(FAINTEST) >= 4.5, "WCAG 2.1 AA, 1.4.3"
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print")
    assert page.evaluate("document.querySelector('.one').getBoundingClientRect().height") <= SHEET_HEIGHT
    assert page.evaluate(SMALLEST) >= 8, "smaller than 6 points nobody reads"
    assert asked == [document.as_uri()], "nothing is fetched"
    page.context.close()


CUT = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText.slice(0, 60))"
SMALLEST = "Math.min(...[...document.querySelectorAll('.one *')].map(e => parseFloat(getComputedStyle(e).fontSize)))"
FAINTEST = """
() => {
  const light = c => {
    const [r, g, b] = c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const hasText = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && !e.closest('svg');
  const ratio = e => {
    const [a, b] = [parts(getComputedStyle(e).color), ground(e)].map(c => light(c.slice(0, 3)));
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  };
  return Math.min(...[...document.querySelectorAll('main *')].filter(hasText).map(ratio));
}
"""

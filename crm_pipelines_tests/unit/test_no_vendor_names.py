"""Vendors stay at the rim: the language, the steps, discovery and reports know none of them by name (data and templates may)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import crm_pipelines
from crm_pipelines.sources import SOURCES

PACKAGE = Path(crm_pipelines.__file__).parent
RIM = (PACKAGE / "destinations", PACKAGE / "sources")
DESTINATIONS = {path.name for path in RIM[0].iterdir() if path.is_dir() and (path / "__init__.py").exists()}
VENDORS = sorted({*DESTINATIONS, *SOURCES, "odoo", "pipedrive", "salesforce", "kartra"})
NAMED = re.compile("|".join(VENDORS), re.IGNORECASE)
FOLDERS = ("spec", "phases", "discovery", "reports")
FILES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_no_vendor_is_named(path: Path) -> None:
    named = [f"line {number}" for number, line in enumerate(path.read_text("utf-8").splitlines(), 1) if NAMED.search(line)]
    assert named == [], "say it without the vendor, or as data in the vendor's own module or spec"


def test_the_vendors_are_known_to_this_test() -> None:
    assert {"pipedrive", "kartra"} <= {*DESTINATIONS, *SOURCES}
    assert len(FILES) > 40

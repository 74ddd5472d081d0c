"""Who may be mailed: counted alike on either route, and everybody is in one of the counts."""

from __future__ import annotations

import polars as pl

from crm_pipelines.discovery.mailing import mailing
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib.opened import ROUTES

AGREED: dict[str, int] = {}


def test_everybody_is_counted_once_and_consent_is_what_the_exports_prove(project: Project) -> None:
    told = mailing(project)
    people = project.scan_mapped("people").select(pl.len()).collect().item()
    assert told["people"] == people
    assert told["agreed"] + told["refused"] + told["unproven"] + told["unusable"] == people
    assert 0 < told["agreed"] < people
    assert told["refused"] > 0
    assert told["kept"] == bool(told["decisions"]) == (project.engagement.node.route == ROUTES[0])


def test_both_routes_prove_the_same_consents(project: Project) -> None:
    AGREED[project.engagement.node.route] = mailing(project)["agreed"]
    assert len(set(AGREED.values())) == 1

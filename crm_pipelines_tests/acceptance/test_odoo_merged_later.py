"""Odoo: a record whose person survives under another key changes its external id, and a person who is taken apart again gets a new one."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import home, load_engagement
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = [pytest.mark.odoo, pytest.mark.slow]


def opened(one: OdooRig) -> Project:
    return Project.open(load_engagement(one.name))


def ids_of(one: OdooRig) -> dict[str, str]:
    project = opened(one)
    with Ledger.open(home().ledger_url) as ledger:
        return ledger.ids(f"{project.engagement.destination}:{project.engagement.node.account.name}", one.name, "people")


def external(one: OdooRig) -> dict[str, str]:
    rows = one.rows("SELECT name, res_id FROM ir_model_data WHERE model = 'res.partner' AND name LIKE %s", "people.%")
    return {row["name"].removeprefix("people."): str(row["res_id"]) for row in rows}


def test_the_external_id_follows_the_key_that_survives(odoo_rig: Callable[..., OdooRig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = odoo_rig(contacts=30)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    project = opened(one)
    walk.desire(project)
    confirm(project, "test", sample=8)
    assert walk.load_all(project) == 0
    loaded = ids_of(one)
    wanted = project.mapped("people", "key", "queue").filter(pl.col("queue").is_null())["key"].to_list()
    absent, there = next(key for key in wanted if key not in loaded), sorted(loaded)[0]
    decisions = one.folder / "decisions.yaml"
    text = decisions.read_text("utf-8")
    decisions.write_text(f'{text}map:\n  same:\n    contacts: [["{absent}", "{there}"]]\n', encoding="utf-8")
    assert walk.walk(one.name) == 0
    assert external(one) == ids_of(one)
    assert (ids_of(one)[absent], there in external(one)) == (loaded[there], False)
    assert accounts.left_over(opened(one), "people") == {}
    decisions.write_text(text, encoding="utf-8")
    walk.walk(one.name)
    assert external(one) == ids_of(one)
    assert external(one)[there] != external(one)[absent] == loaded[there]

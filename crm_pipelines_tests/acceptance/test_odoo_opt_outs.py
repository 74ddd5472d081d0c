"""Odoo: who must not be mailed stays unmailable when the contact gets another address, killed or not, and the gate's lists add up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crm_pipelines.phases import accounts
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.rig_odoo import OdooRig

pytestmark = [pytest.mark.odoo, pytest.mark.slow]
NEW = ("new1@example.com", "new2@example.com")


def listed(one: OdooRig) -> dict[str, bool]:
    return {row["email"]: row["active"] for row in one.rows("SELECT email, active FROM mail_blacklist")}


def refused(one: OdooRig) -> dict[str, str]:
    """Return contact -> address of people who arrived and must not be mailed."""
    known = one.truth["records"]["opt_outs"]
    people = one.truth["records"]["people"]
    return {key: each["email"].lower() for key, each in people.items() if each.get("email", "").lower() in known}


def test_the_former_address_stays_listed_and_the_new_one_is_too(odoo_rig: Callable[..., OdooRig], monkeypatch: pytest.MonkeyPatch) -> None:
    """One address is on the list because of us, the other was before; of the new ones, too, one is there already."""
    one = odoo_rig(contacts=30)
    first, second = list(refused(one).items())[:2]
    one.call("mail.blacklist", "create", vals_list=[{"email": second[1]}, {"email": NEW[1]}])
    assert one.walk_here(monkeypatch) == 0
    before = listed(one)
    rows = "".join(f"{key},{address}\n" for (key, _), address in zip((first, second), NEW, strict=True))
    (one.folder / "exports" / "leads_kartra_2027_03_01_6a4d3f237926d.csv").write_text(f"id,email\n{rows}", encoding="utf-8")
    killed = one.walk(CRM_FAILPOINT="journal.answered_unrecorded:2")
    assert (killed.returncode, NEW[0] in listed(one)) == (-9, True)
    assert one.walk_here(monkeypatch) == 0
    assert listed(one) == {**before, **dict.fromkeys(NEW, True)}
    assert sorted(accounts.left_over(Project.open(load_engagement(one.name)), "opt_outs")) == sorted([first[1], second[1]])

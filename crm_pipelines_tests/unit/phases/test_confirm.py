"""What a seal holds of the destination: a load stops when it would go somewhere else than was confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from crm_pipelines.errors import NotConfirmedError
from crm_pipelines.phases.confirm import check_confirmed, confirm
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import open_session
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.lib.rig_odoo import OdooRig, build_odoo
from crm_pipelines_tests.lib.walk import desire


@pytest.mark.odoo
def test_another_default_company_of_the_keys_user_stops_the_load(
    tmp_path: Path, odoo_server: OdooServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = build_odoo(tmp_path, odoo_server, contacts=30)
    for name, value in one.env.items():
        monkeypatch.setenv(name, value)
    project = Project.open(load_engagement(one.name))
    desire(project)
    confirm(project, "test", without_sample="nothing is loaded here", paused_by="test")
    _check(project)
    first, second = _switch_company(one)
    with pytest.raises(NotConfirmedError, match=rf"another account of the destination: was .* company {first}, is .* company {second}"):
        _check(project)
    confirm(project, "test", without_sample="nothing is loaded here", paused_by="test")
    _check(project)
    one.server.drop(one.database)


def _check(project: Project) -> None:
    with open_session(project, "test") as session:
        check_confirmed(session)


def _switch_company(one: OdooRig) -> tuple[int, int]:
    """Give the key's user another default company, as its owner does in the preferences."""
    uid = one.call("res.users", "context_get")["uid"]
    (user,) = one.call("res.users", "read", ids=[uid], fields=["company_id"])
    (other,) = one.call("res.company", "create", vals_list=[{"name": "Branch"}])
    one.call("res.users", "write", ids=[uid], vals={"company_ids": [[4, other]], "company_id": other})
    return user["company_id"][0], other

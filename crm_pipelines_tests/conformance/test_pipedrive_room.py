"""A plan that is full: what finds no room is sent again when there is some, and is never taken for a refused record."""

from __future__ import annotations

import httpx
import pytest

from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination
from crm_pipelines.errors import RefusedError
from crm_pipelines.sandbox.pipedrive import SandboxConfig, start
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.conformance.test_pipedrive import WANTED, _people, _rows
from crm_pipelines_tests.unit.destinations.memory_journal import MemoryJournal

FULL = {"success": False, "error": "Couldn't add. Limit reached.", "code": "feature_capping_persons_limit"}


class FullPlan(httpx.AsyncHTTPTransport):
    """Answers creates of persons as a full plan does, while it is full."""

    is_full = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if FullPlan.is_full and request.method == "POST" and request.url.path.endswith("/persons"):
            return httpx.Response(403, json=FULL, request=request)
        return await super().handle_async_request(request)


def test_a_row_that_met_the_plans_limit_stops_the_load_and_stays_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FullPlan, "is_full", True)
    with start(SandboxConfig(token="t", plan="ultimate", seats=3, auth="api")) as sandbox:
        account = AccountSettings(name="acme", destination="pipedrive", base_url=sandbox.base_url, token="t", auth="api_token")
        destination = PipedriveDestination(account, transport=FullPlan)
        destination.describe()
        destination.prepare(WANTED, MemoryJournal())
        journal, people = MemoryJournal(), _people(1)
        with pytest.raises(RefusedError, match="limit is reached"):
            destination.write("people", _rows("people", people, destination), journal, None)
        assert journal.results() == {"p0": "absent"}
        monkeypatch.setattr(FullPlan, "is_full", False)
        assert destination.write("people", _rows("people", people, destination), MemoryJournal(), None).created == 1
        destination.close()

"""A sandbox in its own process, and clients that check every success answer against the specification when it is at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, Switches, start
from crm_pipelines_tests.unit.sandbox import openapi

PLAIN = SandboxConfig(token="test-token", auth="oauth", switches=Switches(search_lag_s=0.0, html_403_after_429s=100_000))


def check_answer(response: httpx.Response) -> None:
    if openapi.is_available() and not response.url.path.startswith("/oauth"):
        response.read()
        assert openapi.problems(response) == []


class Client(httpx.Client):
    """An HTTP client with the account's credential."""

    def __init__(self, sandbox: RunningSandbox, **headers: str) -> None:
        if openapi.is_available():  # read once and beforehand, not within a two-second window
            openapi.operations("v1")
            openapi.operations("v2")
        own = {"Authorization": f"Bearer {sandbox.token}"} if sandbox.config.auth == "oauth" else {"x-api-token": sandbox.token}
        hooks = {"response": [check_answer]}
        # verify=False: plain http, so there are no certificates to load for every client
        super().__init__(base_url=sandbox.base_url, headers=headers or own, event_hooks=hooks, timeout=10, verify=False)

    def make(self, path: str, body: Any) -> dict[str, Any]:
        response = self.post(path, json=body)
        assert response.status_code in {200, 201}, response.text
        return dict(response.json()["data"])

    def read(self, path: str, **query: Any) -> Any:
        response = self.get(path, params=query)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@pytest.fixture(scope="session")
def _shared() -> Iterator[RunningSandbox]:
    with start(PLAIN) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_shared: RunningSandbox) -> RunningSandbox:
    _shared.truth.reset()
    return _shared


@pytest.fixture
def api(sandbox: RunningSandbox) -> Iterator[Client]:
    with Client(sandbox) as client:
        yield client


Launch = Callable[..., RunningSandbox]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts sandboxes with a config of their own."""
    started: list[RunningSandbox] = []

    def begin(config: SandboxConfig | None = None, switches: dict[str, Any] | None = None, **changes: Any) -> RunningSandbox:
        base = config or PLAIN
        sandbox = start(replace(base, switches=base.switches.changed(switches or {}), **changes))
        started.append(sandbox)
        return sandbox

    yield begin
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.stop()

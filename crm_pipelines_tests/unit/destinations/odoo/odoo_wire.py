"""Odoo as it looks on the wire, recorded: what the tests of this folder answer a client with. Holds values that must never be repeated."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import httpx

from crm_pipelines.destinations.http import Patience
from crm_pipelines.destinations.odoo.api import Api, Dialect
from crm_pipelines.settings import AccountSettings

KEY = "0123456789abcdef0123456789abcdef01234567"
SECRET = "Dorothea Brooke"
"""A field value; no log, error or repr may hold it."""
TRACEBACK = (
    f'Traceback (most recent call last):\n  File "/opt/odoo/orm/models.py", line 4654, in create\n    raise ValueError({SECRET!r})\n'
)
ACCOUNT = AccountSettings(
    name="acme",
    destination="odoo",
    base_url="https://odoo.example.com",
    token=KEY,
    token_env="ACME_KEY",
    apply_within_s=0.0,
    database="acme",
    login="etl@example.com",
    prefix="crm_acme",
)
QUICK = Patience(attempts=4, attempts_unmet=3, first_wait_s=0.001, longest_wait_s=0.002)
VERSION_19 = httpx.Response(200, json={"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})
NO_DATABASE = httpx.Response(
    404,
    headers={"content-type": "text/html; charset=utf-8"},
    text="<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n",
)
Step = httpx.Response | type[Exception]


class Wire:
    """Answers the version, then each request with the next step; the last step stays."""

    def __init__(self, *steps: Step, version: Step | None = VERSION_19) -> None:
        self.steps = ([version] if version is not None else []) + list(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, httpx.Response):
            return httpx.Response(step.status_code, headers=step.headers, content=step.content)
        raise step("private detail of the wire", request=request)  # type: ignore[call-arg]


def api_of(wire: Callable[[httpx.Request], httpx.Response], account: AccountSettings = ACCOUNT, dialect: Dialect | None = None) -> Api:
    return Api(account, transport=lambda: httpx.MockTransport(wire), patience=QUICK, dialect=dialect)


def error(status: int, name: str, message: str) -> httpx.Response:
    """An exception as JSON-2 tells it: the traceback always goes with it."""
    body = {"name": name, "message": message, "arguments": [message, SECRET], "context": {}, "debug": f"{TRACEBACK}{name}: {message}"}
    return httpx.Response(status, json=body)


def result(value: Any) -> httpx.Response:
    """A result as JSON-2 tells it."""
    return httpx.Response(200, json=value)


def xml_result(value: Any) -> httpx.Response:
    """A result as XML-RPC tells it."""
    text = xmlrpc.client.dumps((value,), methodresponse=True, allow_none=False)
    return httpx.Response(200, headers={"content-type": "text/xml; charset=utf-8"}, text=text)


def xml_fault(code: int, text: str) -> httpx.Response:
    """An exception as XML-RPC tells it."""
    return httpx.Response(
        200, headers={"content-type": "text/xml; charset=utf-8"}, text=xmlrpc.client.dumps(xmlrpc.client.Fault(code, text))
    )


def xml_trace(last: str) -> httpx.Response:
    """Fault 1: a whole traceback, the exception in its last lines."""
    return xml_fault(
        1, f"{TRACEBACK}    ^^^^^^^^^^\n\nDuring handling of the above exception, another exception occurred:\n\n{TRACEBACK}{last}\n"
    )


def xml_call(request: httpx.Request) -> tuple[Any, ...]:
    """The parameters of a recorded XML-RPC request."""
    params, _ = xmlrpc.client.loads(request.content)
    return params

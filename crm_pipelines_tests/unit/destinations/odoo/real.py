"""A real database under test: the product's client on it, and what breaks on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from crm_pipelines.destinations.odoo.api import Api, Dialect
from crm_pipelines.settings import AccountSettings
from crm_pipelines_tests.lib.odoo import OdooServer
from crm_pipelines_tests.unit.destinations.odoo.odoo_wire import QUICK

Change = Callable[[httpx.Request], httpx.Response | None]


def account_of(server: OdooServer, database: str, **changes: Any) -> AccountSettings:
    account = AccountSettings(
        name="acme",
        destination="odoo",
        base_url=server.base_url,
        token=server.api_key,
        token_env="CRM_TEST_ODOO_KEY",
        apply_within_s=0.0,
        database=database,
        login="admin",
        prefix="crm_acme",
    )
    return replace(account, **changes)


class Between(httpx.AsyncBaseTransport):
    """Passes requests on to the real server, unless `instead` answers first; `loses` says whose answers get lost on the way back."""

    def __init__(self, instead: Change = lambda _request: None, loses: Callable[[httpx.Request], bool] = lambda _request: False) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._instead = instead
        self._loses = loses

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (answer := self._instead(request)) is not None:
            return answer
        response = await self._inner.handle_async_request(request)
        await response.aread()
        await response.aclose()
        if self._loses(request):
            raise httpx.ReadError("the answer got lost", request=request)
        return httpx.Response(response.status_code, headers=response.headers, content=response.content)

    async def aclose(self) -> None:
        await self._inner.aclose()


def real_api(server: OdooServer, database: str, *, dialect: Dialect | None = None, between: Between | None = None, **changes: Any) -> Api:
    account = account_of(server, database, **changes)
    if between is None:
        return Api(account, dialect=dialect)
    return Api(account, transport=lambda: between, patience=replace(QUICK, answer_s=60.0), dialect=dialect)


def hand_the_key_to(server: OdooServer, database: str, groups: list[str]) -> None:
    """Give the API key to a new user with these groups alone."""
    names = tuple(group.partition(".")[2] for group in groups)
    found = server.rows(database, "SELECT res_id FROM ir_model_data WHERE module = 'base' AND name = ANY(%s)", list(names))
    values = {"name": "Etl", "login": "etl", "group_ids": [[6, 0, [row["res_id"] for row in found]]]}
    (user,) = server.call(database, "res.users", "create", vals_list=[values], context={"no_reset_password": True})
    server.rows(database, "UPDATE res_users_apikeys SET user_id = %s", user)

"""Whatever is sent, the answer is one of the vendor's: never a crash of the sandbox."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.sandbox.pipedrive import SandboxConfig
from crm_pipelines.sandbox.pipedrive.catalogue import OPERATIONS
from crm_pipelines.sandbox.pipedrive.gateway import Gateway
from crm_pipelines.sandbox.pipedrive.operations import Operation

BODY_WORDS = """
    name title emails phones label_ids owner_id org_id person_id deal_id lead_id custom_fields address status value currency stage_id
    pipeline_id content add_time won_time due_time due_date participants note type field_name field_type options label id product_id
    item_price quantity data prices merge_with_id email access icon_key color person organization_id is_archived first_name last_name
    marketing_status visible_to active_flag item_type item_id remote_id remote_location user_id location
"""
QUERY_WORDS = """
    limit cursor ids sort_by sort_direction updated_since term fields exact_match start deal_ids person_id deal_id include_fields
    custom_fields status item_types entity_type field match search_by_email done
"""
TEXTS = ["won", "lost", "open", "EUR", "varchar", "enum", "2020-01-02", "2020-01-02T03:04:05Z", "2020-01-02 03:04:05", "work", "call"]

KEYS = st.sampled_from(BODY_WORDS.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(TEXTS),
)
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=6)
BODIES = st.one_of(st.dictionaries(KEYS, VALUES, max_size=6), st.dictionaries(KEYS, VALUES, max_size=6), VALUES)
QUERY_KEYS = st.sampled_from(QUERY_WORDS.split())
QUERY_VALUES = st.one_of(
    st.text(max_size=6), st.integers(-2, 600).map(str), st.sampled_from(["true", "name", "id", "deal", "1,2", "eyJpZCI6MX0", "²", "desc"])
)
PARAMS = st.one_of(st.integers(0, 4).map(str), st.sampled_from(["label_ids", "abc", "²", "-1", "name", "1.5"]))


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    gateway = Gateway(SandboxConfig(token="T", plan="ultimate", seats=10_000))
    for path, body in (
        ("/api/v2/organizations", {"name": "O"}), ("/api/v2/persons", {"name": "P", "emails": [{"value": "a@example.com"}]}),
        ("/api/v2/deals", {"title": "D", "person_id": 1}), ("/api/v2/products", {"name": "P"}), ("/api/v2/activities", {"subject": "S"}),
        ("/v1/notes", {"content": "x", "person_id": 1}), ("/api/v2/deals/1/products", {"product_id": 1, "item_price": 1, "quantity": 1}),
    ):  # fmt: skip
        assert _ask(gateway, "POST", path, "", body)[0] < 300
    return gateway


def _ask(gateway: Gateway, method: str, path: str, query: str, body: Any) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": orjson.dumps(body), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-api-token", b"T"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(gateway(scope, receive, send))
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@given(st.sampled_from(OPERATIONS), st.lists(PARAMS, min_size=2, max_size=2), BODIES, st.dictionaries(QUERY_KEYS, QUERY_VALUES, max_size=3))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_any_request_has_an_answer(gateway: Gateway, operation: Operation, params: list[str], body: Any, query: dict[str, str]) -> None:
    gateway.account.limiter._windows.clear()  # not about limits
    gateway.account.limiter._searches.clear()
    segments = [quote(params.pop()) if part.startswith("{") else part for part in operation.path.split("/")]
    path = f"/api/{operation.version}" + "/".join(segments)
    status, answer = _ask(gateway, operation.method, path, urlencode(query), body)
    assert status in {200, 201, 400, 403, 404, 405, 410}
    if not path.endswith("/download"):
        assert isinstance(orjson.loads(answer)["success"], bool)

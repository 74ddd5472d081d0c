"""Credentials: what lets a request in, and refreshing what expires."""

from __future__ import annotations

import pytest

from crm_pipelines_tests.unit.sandbox.conftest import Client, Launch

ME = "/v1/users/me"
UNAUTHORIZED = {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": "Please check developers.pipedrive.com"}


def test_wrong_token_is_told_nothing(launch: Launch) -> None:
    sandbox = launch(auth="api")
    for headers in ({"x-api-token": "wrong"}, {"Authorization": f"Bearer {sandbox.token}"}, {"accept": "*/*"}):
        with Client(sandbox, **headers) as api:
            for path in (ME, "/api/v1/users/me", "/api/v2/persons", "/api/v2/no-such-thing"):
                answer = api.get(path, params={"api_token": sandbox.token})
                assert (answer.status_code, answer.json(), answer.headers["x-401-by-gw"]) == (401, UNAUTHORIZED, "true")
    assert sandbox.truth.counts()["tokens_today"] == 0


def test_api_token_of_an_oauth_account_is_a_bearer_token(launch: Launch) -> None:
    sandbox = launch(auth="oauth")
    with Client(sandbox, **{"x-api-token": sandbox.token}) as api:
        assert api.get(ME).status_code == 401


def test_access_token_expires_and_is_refreshed(launch: Launch) -> None:
    sandbox = launch(auth="oauth", access_ttl_s=60)
    form = {"grant_type": "refresh_token", "refresh_token": sandbox.config.refresh_token}
    app = (sandbox.config.client_id, sandbox.config.client_secret)
    with Client(sandbox) as api:
        assert api.get(ME).status_code == 200
        sandbox.truth.advance(61)
        assert api.get(ME).status_code == 401
        fresh = api.post("/oauth/token", data=form, auth=app).json()
        assert (fresh["token_type"], fresh["expires_in"]) == ("Bearer", 60)
        assert api.get(ME, headers={"Authorization": f"Bearer {fresh['access_token']}"}).status_code == 200


@pytest.mark.parametrize(
    ("form", "secret", "status", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "sandbox-secret", 400, "invalid_grant"),
        ({"grant_type": "password"}, "sandbox-secret", 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "sandbox-refresh"}, "wrong", 401, "invalid_client"),
    ],
)
def test_refresh_is_refused(api: Client, form: dict[str, str], secret: str, status: int, error: str) -> None:
    answer = api.post("/oauth/token", data=form, auth=("sandbox-client", secret))
    assert (answer.status_code, answer.json()["error"]) == (status, error)

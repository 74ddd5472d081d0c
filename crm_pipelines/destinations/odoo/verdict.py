"""From an answer of the wire to what the caller may do: a reply, a repetition, or an end.

Belongs here: what is common to both dialects: statuses of proxies, faults that end everything. Not here: what an exception
means (faults), how a body is read (json2, xmlrpc), how often something is repeated (destinations.http).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from crm_pipelines.destinations.call import Answer, Call, Throttled, Unsent
from crm_pipelines.destinations.odoo.faults import Asked, Fault, Reply, classify
from crm_pipelines.errors import SettingsError, TransientError
from crm_pipelines.settings import AccountSettings

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
PAUSE_S = 2.0  # after a proxy's 429 that names no pause
NO_DATABASE = b"No database is selected"  # the HTML 404 of 19.0, measured


class Busy(Unsent):
    """The server rolled the request back because others were at the same rows; it may be sent again.

    By then the server itself has tried five times and waited up to 2 + 4 + 8 + 16 s (service/model.py, `retrying`).
    """

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault = fault


class Verdict:
    """The judgements of one account."""

    def __init__(self, account: AccountSettings) -> None:
        self._account = account
        self.base_url = root_of(account.base_url)

    def fault(self, asked: Asked, status: int, headers: Mapping[str, str], name: str, message: str) -> Answer:
        """Judge an exception of the server. Raises: Busy, TransientError, SettingsError."""
        fault = classify(name, message, asked)
        if fault is None:
            raise TransientError(f"{asked.operation}: the server's own database failed; run again when it is steady")
        if fault.kind == "busy":
            raise Busy(f"{asked.operation}: others were writing to the same records", fault)
        if fault.kind == "auth":
            raise self.unauthorized()
        if fault.kind == "database":
            raise self.no_database()
        return Answer(status, Reply(fault=fault), headers)

    def edge(self, call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """Judge an answer that Odoo itself did not write. Raises: Throttled, TransientError, SettingsError."""
        pause_s = _seconds(headers.get("retry-after"))
        if status == 429 or (status == 503 and pause_s is not None):
            raise Throttled(f"{call.operation}: the server asks to wait ({status})", PAUSE_S if pause_s is None else pause_s)
        if status == 413:
            return Answer(status, Reply(fault=Fault("data", "http.413", "too_large")), headers)
        if status == 404 and NO_DATABASE in content:
            raise self.no_database()
        if status == 401:
            raise self.unauthorized()
        if status >= 500 or status < 300 or status in {408, 409}:
            raise TransientError(f"{call.operation}: no answer of Odoo's came (status {status}); run again later")
        raise self.not_odoo(status)

    def unauthorized(self) -> SettingsError:
        """Return what to say about a key that is not accepted."""
        source = f"environment variable {self._account.token_env}" if self._account.token_env else "the account's token"
        return SettingsError(
            f"{source}: Odoo does not accept this API key for this database and user; make a new one "
            "(Odoo: My Preferences > Security > Add API Key, scope rpc) and run again"
        )

    def no_database(self) -> SettingsError:
        """Return what to say about a database that is not there."""
        named = f"the server has no database {self._account.database!r}" if self._account.database else "the server holds several databases"
        return SettingsError(f"account.database: {named}, or hides it; name the database of this account and run again")

    def not_odoo(self, status: int) -> SettingsError:
        """Return what to say about an address that is no Odoo."""
        return SettingsError(
            f"account.base_url: {httpx.URL(self.base_url).host} answers (status {status}), but not as Odoo's API does; expected the "
            "address that a browser shows before /odoo or /web, with https where it redirects there; check account.database, too"
        )


def root_of(base_url: str) -> str:
    """Return scheme, host and path before Odoo's own. Raises: SettingsError when it is no https address."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise SettingsError("account.base_url is no address; expected https://<company>.odoo.com") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise SettingsError("account.base_url: expected https://<company>.odoo.com")
    if url.scheme == "http" and url.host not in LOCAL_HOSTS:
        raise SettingsError("account.base_url: http would send the API key in the clear; use https")
    return re.sub(r"/(?:odoo|web)(?:[/?#].*)?$|/+$", "", base_url)


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None

"""A sandbox in a process of its own, for the demo and for tests.

Belongs here: starting, asking and stopping it. Not here: the server (gateway).
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from crm_pipelines.sandbox.pipedrive.config import SandboxConfig

START_TIMEOUT_S = 20.0
STARTS = 3  # a free port may be taken between finding and binding it


class TruthClient:
    """Asks a running sandbox below /__sandbox__/."""

    def __init__(self, base_url: str, sandbox_token: str) -> None:
        self._base = f"{base_url}/__sandbox__/"
        self._token = sandbox_token

    def get(self, name: str) -> Any:
        """GET one control, such as `counts`.

        Raises: RuntimeError with the server's reason.
        """
        return self._ask("GET", name)

    def post(self, name: str, body: Any = None) -> Any:
        """POST one control.

        Raises: RuntimeError with the server's reason.
        """
        return self._ask("POST", name, {} if body is None else body)

    def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(self.get("health")["ok"])
        except (URLError, OSError, RuntimeError):
            return False

    def records(self, entity: str) -> list[dict[str, Any]]:
        """Every record of an entity as stored, with `deleted`."""
        return list(self.get(f"records/{quote(entity)}"))

    def live(self, entity: str) -> list[dict[str, Any]]:
        """The records of an entity that are not deleted."""
        return [row for row in self.records(entity) if not row["deleted"]]

    def counts(self) -> dict[str, Any]:
        """Records per entity, requests and tokens per operation, violations."""
        return dict(self.get("counts"))

    def fields(self) -> dict[str, list[dict[str, Any]]]:
        """Field definitions per entity."""
        return dict(self.get("fields"))

    def requests(self, since: float = 0.0) -> list[dict[str, Any]]:
        """The request log since a moment of the server's clock."""
        return list(self.get(f"requests?since={since!r}"))

    def set_faults(self, *rules: Mapping[str, Any]) -> Any:
        """Put fault rules in force in place of those before."""
        return self.post("faults", list(rules))

    def clear_faults(self) -> Any:
        """End all trouble; returns how often each rule was met."""
        return self._ask("DELETE", "faults")

    def next_day(self) -> dict[str, Any]:
        """Turn the vendor's day."""
        return dict(self.post("clock", {"next_day": True}))

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move the server's clock."""
        return dict(self.post("clock", {"advance_s": seconds}))

    def set_switches(self, **values: Any) -> Any:
        """Change switches."""
        return self.post("switches", values)

    def add_user(self, email: str, name: str, **more: Any) -> dict[str, Any]:
        """Add a user to the account."""
        return dict(self.post("users", {"email": email, "name": name, **more}))

    def add_webhook(self, **body: Any) -> dict[str, Any]:
        """Add a webhook, of whatever type."""
        return dict(self.post("webhooks", body))

    def reset(self) -> None:
        """Start over with a new account."""
        self.post("reset")

    def _ask(self, method: str, name: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._base + name, data, {"x-sandbox-token": self._token}, method=method)  # noqa: S310  loopback http
        try:
            with urlopen(request, timeout=60) as response:  # noqa: S310  loopback http
                return json.load(response)
        except HTTPError as error:
            with error:
                raise RuntimeError(f"sandbox control {method} {name}: {error.code} {error.read().decode()}") from error


@dataclass
class RunningSandbox:
    """A sandbox process; leave the `with` block, or call stop, to end it."""

    config: SandboxConfig
    process: subprocess.Popen[bytes]

    @property
    def base_url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{self.config.host}:{self.config.port}"

    @property
    def token(self) -> str:
        """The token to give to a client."""
        return self.config.token

    @property
    def truth(self) -> TruthClient:
        """Its control surface."""
        return TruthClient(self.base_url, self.config.sandbox_token)

    def stop(self) -> None:
        """End it in order."""
        self.process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it at once, as kill -9 does."""
        self.process.kill()
        self._wait()

    def _wait(self) -> None:
        self.process.wait(timeout=30)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def __enter__(self) -> RunningSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.stop()


def start(config: SandboxConfig, log: Path | None = None) -> RunningSandbox:
    """Start a sandbox process and wait until it answers; port 0 picks a free one. It ends with this process.

    Raises: RuntimeError when it does not come up; the reason is in `log`, or on stderr.
    """
    if config.port and not _is_free(config.host, config.port):
        raise RuntimeError(
            f"port {config.port} is in use; stop what runs there (another sandbox? an open `make ui`?) or choose another port"
        )
    for attempt in range(STARTS):
        chosen = config if config.port else replace(config, port=_free_port(config.host))
        sandbox = RunningSandbox(chosen, _spawn(chosen, log))
        if _comes_up(sandbox):
            return sandbox
        if config.port or attempt == STARTS - 1:
            break
    raise RuntimeError(f"the Pipedrive sandbox did not start on port {chosen.port}; is the port in use? Its own message is above")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _spawn(config: SandboxConfig, log: Path | None) -> subprocess.Popen[bytes]:
    output: IO[bytes] | None = None if log is None else log.open("ab")
    command = [sys.executable, "-m", "crm_pipelines.sandbox.pipedrive", "--config", "-"]
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
    finally:
        if output is not None:
            output.close()
    if process.stdin is not None:
        process.stdin.write(json.dumps(config.to_json()).encode() + b"\n")
        process.stdin.flush()
    return process


def _comes_up(sandbox: RunningSandbox) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and sandbox.process.poll() is None:
        if sandbox.truth.is_healthy():
            return True
        time.sleep(0.05)
    if sandbox.process.poll() is None:
        sandbox.kill()
    elif sandbox.process.stdin is not None:
        sandbox.process.stdin.close()
    return False


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])

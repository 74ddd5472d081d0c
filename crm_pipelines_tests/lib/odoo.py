"""A real Odoo for tests: where it is, a database of one's own, its records by SQL, a second server whose workers can be killed.

Belongs here: finding or starting the server, cloning and dropping databases, reading them from PostgreSQL, processes. Not here: how Odoo is
installed (scripts/odoo.sh), what is asserted (tests), the product's own client (destinations/odoo). The fixtures are in conftest.py.
"""

from __future__ import annotations

import os
import secrets
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

SCRIPT = Path(__file__).parents[2] / "scripts" / "odoo.sh"
NAMES = ("CRM_TEST_ODOO_URL", "CRM_TEST_ODOO_KEY", "CRM_TEST_ODOO_DSN")
CANNOT = 3  # scripts/odoo.sh: this machine cannot run it
LOGIN = "admin"
READY_S = 60.0
DROP_TRIES = 20  # half a second apart


class NoOdooError(Exception):
    """No Odoo is there and none can be run on this machine; the message says what is missing and what is not tested."""


@dataclass
class OdooServer:
    """A running Odoo 19 and the PostgreSQL under it. One API key opens every database that is made from the template."""

    base_url: str
    api_key: str = field(repr=False)
    template_dsn: str = field(repr=False)
    pid: int | None = None
    databases: list[str] = field(default_factory=list)

    def dsn(self, database: str) -> str:
        """Return how psycopg connects to a database."""
        return self.template_dsn.rpartition("/")[0] + "/" + database

    def new_database(self) -> str:
        """Clone the template under a name never used before (the server keeps caches by name); `close` drops it."""
        name = f"t_{secrets.token_hex(6)}"
        template = self.template_dsn.rpartition("/")[2]
        self._maintain(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        self.databases.append(name)
        return name

    def drop(self, database: str) -> None:
        """Drop a database that `new_database` made, whoever is still connected."""
        self.databases.remove(database)
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        for _ in range(DROP_TRIES):
            try:
                return self._maintain(statement)
            except psycopg.errors.InsufficientPrivilege:  # an autovacuum worker is in it: a superuser's, gone in a moment
                time.sleep(0.5)
        return self._maintain(statement)

    def close(self) -> None:
        """Drop every database that is left."""
        for one in list(self.databases):
            self.drop(one)

    def rows(self, database: str, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what Odoo's PostgreSQL answers, a dict per row; `%s` in the query stands for each value. Statements are committed."""
        with psycopg.connect(self.dsn(database), row_factory=dict_row) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def call(self, database: str, model: str, method: str, **arguments: object) -> Any:
        """Call a method by JSON-2 and return its result.

        Raises: httpx.HTTPStatusError when Odoo refuses, httpx.TransportError when nobody answers.
        """
        headers = {"Authorization": f"bearer {self.api_key}", "X-Odoo-Database": database}
        answer = httpx.post(f"{self.base_url}/json/2/{model}/{method}", json=arguments, headers=headers, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def workers(self) -> list[int]:
        """Return the process ids of the HTTP workers of a prefork server (`prefork`), lowest first."""
        assert self.pid is not None, "only a server that prefork() started has workers to kill"
        commands = {one: _command(one) for one in _children(self.pid)}  # a dead one has no command line
        return sorted(one for one, command in commands.items() if command and b"\0gevent\0" not in command)

    def kill_worker(self) -> int:
        """Kill a worker as the kernel would when memory runs out; return its process id. The server makes a new one."""
        victim = self.workers()[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def _maintain(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def find() -> OdooServer:
    """Return the server that the environment names, else bring one up.

    Raises: NoOdooError when there is none and this machine cannot run one.
    """
    given = {name: os.environ[name] for name in NAMES if os.environ.get(name)}
    if not given:
        given = brought_up()
    if missing := [name for name in NAMES if name not in given]:
        raise RuntimeError(f"an existing Odoo needs {', '.join(missing)} as well")
    return OdooServer(*(given[name] for name in NAMES))


def brought_up() -> Mapping[str, str]:
    """Bring our own server up (a second when it is, two minutes the first time) and return its settings."""
    done = subprocess.run([str(SCRIPT), "up"], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode == CANNOT:
        raise NoOdooError(done.stderr.strip().splitlines()[-1])
    if done.returncode:
        raise RuntimeError(f"scripts/odoo.sh up failed: {done.stderr.strip()}")
    told = subprocess.run([str(SCRIPT), "env"], check=True, capture_output=True, text=True).stdout
    printed = subprocess.run(["bash", "-c", f"{told}\nenv -0"], check=True, capture_output=True, text=True).stdout
    return dict(line.split("=", 1) for line in printed.split("\0") if line.startswith(NAMES))


@contextmanager
def prefork(server: OdooServer, log: Path, workers: int = 2) -> Iterator[OdooServer]:
    """Start one more Odoo on the databases of ours, with worker processes of its own to kill; it ends with the block.

    Raises: NoOdooError when the server is not one that scripts/odoo.sh started here.
    """
    if any(os.environ.get(name) for name in NAMES) and not _is_ours(server):
        raise NoOdooError("Workers are only killed on a server that scripts/odoo.sh started: unset CRM_TEST_ODOO_URL.")
    port = _free_ports()
    with log.open("wb") as out:
        process = subprocess.Popen([str(SCRIPT), "prefork", str(workers), str(port)], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    second = replace(server, base_url=f"http://127.0.0.1:{port}", pid=process.pid, databases=[])
    try:
        until(lambda: process.poll() is not None or (_is_healthy(second) and len(second.workers()) == workers), "a prefork Odoo", log)
        yield second
    finally:
        second.close()
        _end(process)


def until(is_true: Callable[[], object], what: str, log: Path | None = None) -> None:
    """Wait for something; say what, and where to look, when it does not happen."""
    end = time.monotonic() + READY_S
    while not is_true():
        assert time.monotonic() < end, f"{what} did not come within {READY_S:.0f} s" + (f"; see {log}" if log else "")
        time.sleep(0.05)


def _is_ours(server: OdooServer) -> bool:
    told = subprocess.run([str(SCRIPT), "info"], check=False, capture_output=True, text=True).stdout
    return f"ODOO_URL={server.base_url}" in shlex.split(told)


def _is_healthy(server: OdooServer) -> bool:
    try:
        return httpx.get(f"{server.base_url}/web/health", timeout=5).is_success
    except httpx.TransportError:
        return False


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it has ended
        return []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _free_ports() -> int:
    """Return a port that is free together with the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        for one in _children(process.pid):
            os.kill(one, signal.SIGKILL)
        process.kill()
        process.wait()

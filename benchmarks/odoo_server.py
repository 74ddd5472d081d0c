"""An Odoo server of the benchmark's own, fresh databases in it, and the CPU that both spend.

Belongs here: starting and stopping that process, clones of the template, clocks of processes that are not ours. Not here: what is
loaded (odoo_people), by whom (odoo_ours, odoo_peers). The server is a process of its own on a free port, so that nobody else's work
in the shared development server is counted; the PostgreSQL cluster, the template and the API key are those of `make odoo`.
"""

from __future__ import annotations

import configparser
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

REPOSITORY = Path(__file__).parent.parent
SCRIPT = REPOSITORY / "scripts" / "odoo.sh"
POLL_S = 0.2
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")  # a killed benchmark leaves no server behind; of util-linux, as scripts/odoo.sh needs it
STARTS_WITHIN_S = 120.0
CONTEXT = {"tracking_disable": True, "lang": "en_US", "tz": "UTC"}


@dataclass(frozen=True)
class Install:
    """What `scripts/odoo.sh up` made: the programs, their configuration and the key that opens every clone of the template."""

    home: Path

    @property
    def key(self) -> str:
        return self.home.joinpath("apikey").read_text(encoding="utf-8").strip()

    @property
    def postgres(self) -> str:
        """Return the address of the cluster, without a database."""
        parser = configparser.RawConfigParser()
        parser.read(self.home / "odoo.conf", encoding="utf-8")
        told = parser["options"]
        return f"postgresql://{told['db_user']}:{told['db_password']}@{told['db_host']}:{told['db_port']}"


def install() -> Install | None:
    """Return the installation of `make odoo` (CRM_ODOO_HOME or `.odoo`), None where there is none."""
    home = Path(os.environ.get("CRM_ODOO_HOME") or REPOSITORY / ".odoo")
    return Install(home) if home.joinpath("apikey").is_file() else None


@dataclass
class Server:
    """A running Odoo process that only the benchmark talks to."""

    install: Install
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, database: str, model: str, method: str, **named: Any) -> Any:
        """Call a method by JSON-2. Raises: httpx.HTTPStatusError."""
        headers = {"authorization": f"bearer {self.install.key}", "x-odoo-database": database}
        answer = httpx.post(f"{self.url}/json/2/{model}/{method}", json=named, headers=headers, timeout=600)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running(found: Install) -> Iterator[Server]:
    """Start a threaded server on a free port; it is gone afterwards."""
    port = _free_port()
    program: list[str | Path] = [found.home / "venv/bin/python", found.home / "src/usr/bin/odoo", "server", "-c", found.home / "odoo.conf"]
    options = [f"--http-port={port}", "--gevent-port=0", "--workers=0", "--max-cron-threads=0", "--log-level=error", "--logfile="]
    source = found.home / "src/usr/lib/python3/dist-packages"
    with tempfile.TemporaryDirectory(prefix="crm-bench-odoo-") as folder:
        process = subprocess.Popen(
            [*ENDS_WITH_US, *program, *options, f"--pidfile={folder}/pid"],
            env={**os.environ, "PYTHONPATH": str(source)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            server = Server(found, port, process)
            _wait_for(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_for(server: Server) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise RuntimeError(f"Odoo ended with {server.process.returncode} while it started; is its cluster up? Run `make odoo`.")
        try:
            httpx.get(f"{server.url}/web/version", timeout=30).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"Odoo did not answer within {STARTS_WITHIN_S:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def database(found: Install) -> Iterator[str]:
    """Clone the template under a new name; it is dropped afterwards."""
    name = f"bench_{uuid.uuid4().hex[:10]}"  # not t_: `scripts/odoo.sh clean` must not take it away
    _script(found, "clone", name)
    try:
        yield name
    finally:
        _script(found, "drop", name)


def _script(found: Install, *words: str) -> None:
    environ = {**os.environ, "CRM_ODOO_HOME": str(found.home)}
    done = subprocess.run(["bash", str(SCRIPT), *words], check=False, capture_output=True, text=True, env=environ, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"scripts/odoo.sh {words[0]} ended with {done.returncode}; is Odoo up? Run `make odoo`. {done.stderr[-500:]}")


def rows(found: Install, name: str, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Read from a database past Odoo."""
    with psycopg.connect(f"{found.postgres}/{name}") as connection:
        return connection.execute(query, values).fetchall()


@dataclass
class Spent:
    """What a run cost, in CPU seconds of the server's processes and of its client, and in seconds."""

    server_cpu_s: float = 0.0
    database_cpu_s: float = 0.0
    client_cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU of Odoo and of its PostgreSQL backends."""
        return self.server_cpu_s + self.database_cpu_s


@contextmanager
def measured(server: Server, name: str) -> Iterator[Spent]:
    """Measure what the server, the backends of this database and we (children included) spend."""
    spent, meter = Spent(), _Meter(server.process.pid, name)
    wall, own = time.monotonic(), _own_cpu_s()
    with meter:
        yield spent
    spent.wall_s, spent.client_cpu_s = time.monotonic() - wall, _own_cpu_s() - own - meter.own_cpu_s
    spent.server_cpu_s, spent.database_cpu_s = meter.totals()


@dataclass
class _Meter:
    """Clocks of other processes, read every POLL_S so that a process that ends is counted up to then."""

    server: int
    database: str
    first: dict[int, float] = field(default_factory=dict)
    last: dict[int, float] = field(default_factory=dict)
    own_cpu_s: float = 0.0
    _ends: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> _Meter:
        self.first = self._read()
        self.last = dict(self.first)
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ends.set()
        assert self._thread is not None
        self._thread.join()
        self.last.update(self._read())

    def totals(self) -> tuple[float, float]:
        """Return CPU seconds of the server's processes and of the backends."""
        spent = {pid: cpu - self.first.get(pid, 0.0) for pid, cpu in self.last.items()}
        backends = {pid for pid in spent if pid in self._backends}
        return sum(cpu for pid, cpu in spent.items() if pid not in backends), sum(spent[pid] for pid in backends)

    _backends: set[int] = field(default_factory=set)

    def _poll(self) -> None:
        while not self._ends.wait(POLL_S):
            self.last.update(self._read())
        self.own_cpu_s = time.thread_time()

    def _read(self) -> dict[int, float]:
        found = backends_of(self.database)
        self._backends.update(found)
        return {pid: cpu for pid in (*family(self.server), *found) if (cpu := cpu_s(pid)) is not None}


def cpu_s(pid: int) -> float | None:
    """Return the CPU seconds of another process, all its threads, ended ones too; None when it is gone.

    The clock that clock_getcpuclockid(3) would name: nanoseconds, where /proc/<pid>/stat counts hundredths.
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def family(pid: int) -> list[int]:
    """Return a process and its children (the workers of a prefork server)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *map(int, children)]


def backends_of(name: str) -> list[int]:
    """Return the PostgreSQL backends of a database, by the title each gives itself."""
    titles = ((entry.name, _title(entry)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(pid) for pid, title in titles if title.startswith("postgres: ") and f" {name} " in title]


def _title(process: Path) -> str:
    try:
        return process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:  # it ended meanwhile
        return ""


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def as_detail(spent: Spent) -> Mapping[str, float]:
    """Return the figures as they are kept."""
    return {
        "cpu_s": round(spent.cpu_s, 3),
        "odoo_cpu_s": round(spent.server_cpu_s, 3),
        "postgres_cpu_s": round(spent.database_cpu_s, 3),
        "client_cpu_s": round(spent.client_cpu_s, 3),
        "wall_s": round(spent.wall_s, 3),
    }

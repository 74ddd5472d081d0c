"""The tools that people import with today, in a virtualenv of their own: the thread importer and a naive odoorpc loop.

Belongs here: installing and calling them, how they are tuned. Not here: what they are measured with (odoo_server, odoo).
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import odoo_people
from benchmarks.odoo_server import REPOSITORY, Server

LOCK = Path(__file__).parent / "requirements-peers.lock"
VENV = REPOSITORY / ".venv-peers"
PYTHON = VENV / "bin" / "python"
SIZES, WORKERS = (200, 500, 1000), (1, 2)
CONNECTION = """\
[Connection]
hostname = 127.0.0.1
database = {database}
login = admin
password = {key}
protocol = json2
port = {port}
uid = 2
"""


@dataclass(frozen=True)
class Tuning:
    """How the thread importer is called; its other defaults (context `tracking_disable`) stay."""

    size: int
    workers: int

    def __str__(self) -> str:
        return f"--size {self.size} --worker {self.workers}"


TUNINGS = tuple(Tuning(size, workers) for size in SIZES for workers in WORKERS)


def install() -> None:
    """Make the peers' virtualenv from its lock, once."""
    done = VENV / "installed.lock"
    wanted = LOCK.read_text(encoding="utf-8")
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
        "-r",
        LOCK,
    ]
    subprocess.run(pip, check=True)
    done.write_text(wanted, encoding="utf-8")


def import_csv(server: Server, database: str, path: Path, tuning: Tuning) -> None:
    """Run the thread importer over a file, first load and re-run alike. Raises: RuntimeError when it left a row out.

    Its exit code says 0 whatever happened: rows that failed are in `<file>.fail`, below the heading.
    """
    connection = path.with_name("connection.conf")
    connection.touch(mode=0o600)
    connection.write_text(CONNECTION.format(database=database, key=server.install.key, port=server.port), encoding="utf-8")
    options = ["--model", "res.partner", "--worker", str(tuning.workers), "--size", str(tuning.size)]
    tool = VENV / "bin" / "odoo_import_thread.py"
    _run([PYTHON, tool, "-c", connection, "--file", path, *options])
    failed = path.with_name(path.name + ".fail").read_text(encoding="utf-8").splitlines()[1:]
    if failed:
        raise RuntimeError(f"{len(failed)} rows were not imported by the thread importer")


def loop(server: Server, database: str, path: Path) -> None:
    """Run the naive loop over a file."""
    _run([PYTHON, Path(__file__).with_name("odoo_naive.py"), str(server.port), database, server.install.key, path])


def write_for_loop(path: Path, count: int) -> Path:
    """Write the partners as the naive loop reads them: tags by name, no external ids."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow([*odoo_people.FIELDS, "category_id"])
        writer.writerows([*one.values.values(), ",".join(one.tags)] for one in odoo_people.partners(count))
    return path


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[1]).name} ended with {done.returncode}: {done.stderr[-2000:]}")

"""Where a stage runs: a temporary installation, an engagement of many plain contacts, a sandbox.

Belongs here: files, environment and processes around a measurement. Not here: measuring.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, SandboxUser, start
from crm_pipelines.sandbox.sample.bulk import generate_contacts_only

NAME = "bench"
OWNER = "ana@agency.example.com"  # the owner of every contact that generate_contacts_only makes
USERS = (SandboxUser("admin@example.com", "Ada Admin", is_admin=True), SandboxUser(OWNER, "Ana"))
ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: kartra_to_pipedrive
  exports: exports
  account: {{name: bench, base_url_env: CRM_BENCH_URL, token_env: CRM_BENCH_TOKEN, auth: {auth}, apply_within_s: 0.5}}
"""


@dataclass(frozen=True)
class Bed:
    """A temporary installation with one engagement."""

    root: Path

    @property
    def exports(self) -> Path:
        return self.root / "engagements" / NAME / "exports"

    def environ(self, sandbox: RunningSandbox | None = None) -> dict[str, str]:
        """Return the variables of the product's processes."""
        return {
            "CRM_ENGAGEMENTS": str(self.root / "engagements"),
            "CRM_LEDGER_URL": f"sqlite:///{self.root / 'ledger.sqlite'}",
            "DAGSTER_HOME": str(self.root / "dagster_home"),
            "CRM_BENCH_URL": sandbox.base_url if sandbox else "http://127.0.0.1:9",
            "CRM_BENCH_TOKEN": sandbox.token if sandbox else "none",
        }


@contextmanager
def bed(auth: str = "oauth") -> Iterator[Bed]:
    """Make an installation in a temporary folder; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        made = Bed(Path(folder))
        made.exports.mkdir(parents=True)
        made.exports.parent.joinpath("engagement.yaml").write_text(ENGAGEMENT.format(auth=auth), encoding="utf-8")
        made.exports.parent.joinpath("decisions.yaml").write_text("owners: queue_rows\n", encoding="utf-8")
        yield made


def fill(made: Bed, rows: int, files: int, *, distinct_phones: bool = False) -> int:
    """Write contacts into the engagement and return their bytes; distinct phones make every parse a new one."""
    paths = generate_contacts_only(rows, files, made.exports)
    if distinct_phones:
        done = 0
        for path in paths:
            done = _with_distinct_phones(path, done)
    return sum(path.stat().st_size for path in paths)


def sandbox(**settings: Any) -> RunningSandbox:
    """Start an account that may do a lot in a day: plan ultimate, OAuth, forty seats."""
    return start(SandboxConfig(**{"token": "bench", "plan": "ultimate", "seats": 40, "auth": "oauth", "users": USERS, **settings}))


def child(module: str, *args: str, environ: Mapping[str, str], timeout_s: float = 3600) -> Any:
    """Run a module of this package in a process of its own and return the JSON of its last line."""
    command = [sys.executable, "-m", module, *args]
    done = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[1:])} ended with {done.returncode}: {done.stdout[-2000:]} {done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _with_distinct_phones(path: Path, done: int) -> int:
    """Give every row a French number reserved for fiction (six ranges of 10,000, Arcep 2018-0881); return how many are given."""
    ranges = ("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49", "6 39 98")
    head, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    out = [head]
    for line in lines:
        before, _, after = line.partition(",+1,415-555-01")
        number = f"{ranges[done // 10_000 % 6]} {done // 100 % 100:02d} {done % 100:02d}"
        out.append(f"{before},+33,{number}{after[2:]}")
        done += 1
    path.write_text("".join(out), encoding="utf-8")
    return done

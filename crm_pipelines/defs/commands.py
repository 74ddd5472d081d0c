"""What the commands of `crm` do: open the ledger, walk the graph, put the answer together. Returns plain values.

Belongs here: one function per command that touches an engagement. Not here: arguments and exit codes (cli), the walk itself
(drive), plan and confirmation (planning), how results look (reports).
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm_pipelines.defs.account import account_name, account_of, write_account
from crm_pipelines.errors import EXIT_DESTINATION, QuotaExhausted, SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.observe import STOP, draining
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import accept
from crm_pipelines.reports.live import LiveRun
from crm_pipelines.settings import home

if TYPE_CHECKING:
    from rich.console import Console

    from crm_pipelines.defs.drive import Progress, Walk

TITLES = {"stage": "read {}", "phase": "load {}", "gate": "gate {}"}
WAIT_STEP_S = 1.0


def run_engagement(project: Project, *, phase: str | None, wait: bool, console: Console | None) -> dict[str, Any]:
    """Walk the graph to its end, and say where everything stands.

    Raises: the product's own error when a step fails with one; a spent day is an answer, not an error.
    """
    if phase is not None and phase not in project.phases:
        raise SettingsError(f"{project.engagement.name}: no phase {phase}; phases are {', '.join(project.phases)}")
    with _marked_running(project), draining():
        while True:
            ended = _walk(project, phase, console)
            told = _where_it_stands(project, ended)
            if not (wait and isinstance(ended, QuotaExhausted)):
                return told
            if console is not None:
                console.print(f"{ended} Waiting.", markup=False, soft_wrap=True)
            if not _slept_until(ended.resumes_at):
                return told


def read_status(project: Project) -> dict[str, Any]:
    """Return the account as the ledger has it. Raises: SettingsError before anything was mapped."""
    for phase in project.phases:
        project.scan_mapped(phase)
    with Ledger.open(home().ledger_url) as ledger:
        return account_of(project, ledger)


def accept_gate(project: Project, phase: str, by: str, reason: str) -> dict[str, Any]:
    """Open a gate that only an expectation keeps shut."""
    with Ledger.open(home().ledger_url) as ledger:
        accept(project, ledger, phase, by, reason)
    return {"engagement": project.engagement.name, "phase": phase, "by": by, "reason": reason}


def ask_to_stop(project: Project) -> dict[str, Any]:
    """Send the running load of this engagement the signal to drain."""
    name, path = project.engagement.name, project.engagement.work / "run.lock"
    if not path.exists() or (holder := _holder_of(path.read_text())) is None or _is_free(path):
        return {"engagement": name, "stopping": False, "message": f"{name}: no `crm run` is at work on this machine."}
    os.kill(holder, signal.SIGTERM)
    return {"engagement": name, "stopping": True, "message": f"{name}: process {holder} drains and ends; go on with: crm run {name}"}


def walk_to_map(project: Project) -> None:
    """Bring the desired records up to the exports; asks nothing of the destination.

    Raises: LockedError naming the holder while another process loads: what it reads must not change under it.
    """
    with _walking(project) as walk:
        for _ in walk.run(until="map"):
            """Every step is short; nothing to show."""


def _walk(project: Project, phase: str | None, console: Console | None) -> Progress | QuotaExhausted | None:
    last: Progress | None = None
    with _walking(project) as walk, Ledger.open(home().ledger_url) as ledger, LiveRun(console) as live:
        try:
            for last in walk.run(phase=phase):
                _draw(live, project, ledger, last)
        except QuotaExhausted as error:
            return error
    return last


@contextmanager
def _walking(project: Project) -> Iterator[Walk]:
    from crm_pipelines.defs.drive import Walk
    from crm_pipelines.defs.home import open_instance

    with open_instance() as instance:
        yield Walk(project, instance)


def _draw(live: LiveRun, project: Project, ledger: Ledger, progress: Progress) -> None:
    step = progress.step
    title = TITLES.get(step.kind, step.kind).format(step.name)
    if progress.state != "started":
        live.finish(title, shut=progress.state == "shut")
    elif step.kind == "phase":
        account, name = account_name(project), project.engagement.name
        total = project.mapped(step.name, "key").height
        live.start(title, total, lambda: _sent(ledger.counts(account, name, step.name)))
    else:
        live.start(title, max(1, len(progress.chunks)))


def _sent(counts: dict[str, int]) -> int:
    return sum(counts.get(outcome, 0) for outcome in ("created", "updated", "adopted"))


def _where_it_stands(project: Project, ended: Progress | QuotaExhausted | None) -> dict[str, Any]:
    with Ledger.open(home().ledger_url) as ledger:
        told, paths = write_account(project, ledger)
    told["report"] = {name: str(path) for name, path in paths.items()}
    if isinstance(ended, QuotaExhausted):
        told |= {"exit_code": EXIT_DESTINATION, "verdict": str(ended), "resumes_at": ended.resumes_at.isoformat()}
    elif ended is not None and ended.state == "stopped":
        told |= {"exit_code": EXIT_DESTINATION, "verdict": f"Stopped on request. Go on with: crm run {project.engagement.name}"}
    return told


def _slept_until(moment: datetime) -> bool:
    """Sleep to the vendor's next day; False when a stop was asked for meanwhile."""
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        if STOP.wait(min(left, WAIT_STEP_S)):
            return False
    time.sleep(WAIT_STEP_S)
    return not STOP.is_set()


@contextmanager
def _marked_running(project: Project) -> Iterator[None]:
    """Say which process runs, for `crm pause`; the mark is only good while its lock is held."""
    descriptor = os.open(project.engagement.work / "run.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if _try_lock(descriptor):  # else another run is at work: the ledger's lock decides between them, and names the other
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid()}).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder_of(text: str) -> int | None:
    try:
        return int(json.loads(text)["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _is_free(path: os.PathLike[str]) -> bool:
    descriptor = os.open(path, os.O_RDWR)
    try:
        return _try_lock(descriptor)
    finally:
        os.close(descriptor)

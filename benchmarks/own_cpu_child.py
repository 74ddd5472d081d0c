"""One variant of the CPU measurement, in a process of its own: `python -m benchmarks.own_cpu_child phones|plain [split]`.

Belongs here: running the product's verbs with the network cut off, and the clock around each. Not here: input, goals (own_cpu).

Cut off: `HttpClient.send`, for everything but GET, is a stub that answers 201 with the next id. So what is left out is building,
encoding, pacing and sending a request and reading its answer. `plain` also replaces the phone rule by the number as written.
"""

from __future__ import annotations

import functools
import itertools
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import polars as pl

from benchmarks.bed import NAME
from crm_pipelines.destinations.call import Answer, Call
from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination
from crm_pipelines.destinations.pipedrive.write import Writer
from crm_pipelines.destinations.waves import Waves
from crm_pipelines.ledger import LedgerJournal
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.desired import map_all, resolve_all, stage_chunk
from crm_pipelines.phases.load import load
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.settings import load_engagement
from crm_pipelines.spec import rules_contact

SENT = ("organizations", "people")

spent: dict[str, float] = defaultdict(float)
"""Step -> CPU seconds; inner steps are part of `load`."""


def main(arguments: list[str]) -> None:
    if "plain" in arguments:
        rules_contact._phones = _as_written
    if "split" in arguments:
        _split()
    project = Project.open(load_engagement(NAME))
    _timed("register", project.register)
    _timed("stage", lambda: [stage_chunk(project, key) for key in project.object_chunks("contacts")])
    _timed("fold", lambda: resolve_all(project))
    _timed("map", lambda: map_all(project))
    _timed("confirm", lambda: confirm(project, "bench", without_sample="a measurement", paused_by="bench"))
    with open_session(project, "bench") as session:
        _timed("users", lambda: load(session, "users", project.phase_chunks("users")))
        _timed("prepare", lambda: prepare(session))
        _cut_off(session)
        before = _event_loop_s(session)
        sent = {phase: _timed(f"load {phase}", functools.partial(_load, session, phase)) for phase in SENT}
        spent["event loop"] = _event_loop_s(session) - before
    print(json.dumps({"cpu_s": spent, "sent": sent}))


def _load(session: Session, phase: str) -> int:
    return load(session, phase, session.project.phase_chunks(phase)).written.created


def _timed(name: str, work: Callable[[], Any]) -> Any:
    started = time.process_time()
    try:
        return work()
    finally:
        spent[name] += time.process_time() - started


def _cut_off(session: Session) -> None:
    assert isinstance(session.destination, PipedriveDestination)
    http = session.destination._api.http
    real, ids = http.send, itertools.count(1)

    async def send(call: Call) -> Answer:
        return await real(call) if call.method == "GET" else Answer(201, {"data": {"id": next(ids)}}, {})

    http.send = send  # type: ignore[method-assign]


def _event_loop_s(session: Session) -> float:
    assert isinstance(session.destination, PipedriveDestination)
    thread = session.destination._api.background._thread
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


def _as_written(cells: pl.Series) -> pl.Series:
    return cells.struct.field("number")


def _split() -> None:
    """Put a clock around the parts of a load; the clocks themselves cost about a microsecond per record."""
    _clock(LedgerJournal, "sending", "journal.sending")
    _clock(LedgerJournal, "answered", "journal.answered")
    _clock(Writer, "_body", "vendor shaping")
    _clock(Waves, "run", "waves, caller's thread")


def _clock(owner: type, name: str, label: str) -> None:
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def timed(*args: Any, **named: Any) -> Any:
        started = time.thread_time()
        try:
            return inner(*args, **named)
        finally:
            spent[label] += time.thread_time() - started

    setattr(owner, name, timed)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Stage, fold and map one engagement in this process and say what that took: `python -m benchmarks.memory_child ENGAGEMENT`.

Belongs here: the process whose memory is looked at. Not here: what is made of it (benchmarks.memory).
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm_pipelines.phases.desired import map_all, resolve_all, stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement

PAGE_MB = 4096 / 1e6


def main(name: str) -> None:
    project = Project.open(load_engagement(name))
    steps: dict[str, dict[str, Any]] = {"start": {"peak_mb": peak_mb()}}
    steps["register"] = step(project.register)
    steps["stage"] = step(lambda: [stage_chunk(project, key) for key in project.object_chunks("contacts")])
    steps["fold"] = step(lambda: resolve_all(project))
    steps["map"] = step(lambda: map_all(project))
    records = {phase: project.mapped(phase, "hash").height for phase in ("organizations", "people")}
    print(json.dumps({"peak_mb": steps["map"]["peak_mb"], "steps": steps, "records": records}))


def step(work: Callable[[], object]) -> dict[str, float]:
    """Run one step; `peak_mb` is the process's peak until its end, `here_mb` the highest value seen inside it."""
    cpu, wall, seen, done = time.process_time(), time.monotonic(), [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, done), daemon=True)
    watcher.start()
    try:
        work()
    finally:
        done.set()
    watcher.join()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - wall, "peak_mb": peak_mb(), "here_mb": seen[0]}


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _watch(seen: list[float], done: threading.Event) -> None:
    while not done.wait(0.02):
        seen[0] = max(seen[0], int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB)


if __name__ == "__main__":
    main(sys.argv[1])

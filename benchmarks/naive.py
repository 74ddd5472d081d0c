"""What a loop costs that searches for each person and then creates it, one call after the other; ours beside it.

Belongs here: the loop as somebody would write it first. Not here: anything of the product, but for the run it is held against.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks import bed
from benchmarks.figures import Result
from benchmarks.pacing import TROUBLE
from benchmarks.people import account, email, people
from crm_pipelines.sandbox.pipedrive import RunningSandbox

FULL, QUICK = 200, 20


def run(result: Result) -> None:
    """Both bring the same people into an account of their own, over the same line."""
    count = QUICK if result.is_quick else FULL
    loop, ours = _measured(_loop, count), _measured(_ours, count)
    result.detail = {"naive": loop, "ours": ours}
    for name, found in (("naive loop", loop), ("ours, all included", ours)):
        note = f"{found['writes']} of them for the {count} writes"
        result.add(f"{name}: tokens per record", found["tokens"] / count, "tokens", note=note)
        result.add(f"{name}: records per second", count / found["seconds"], "records/s")
    result.add("tokens, naive over ours", loop["tokens"] / ours["tokens"], "times")
    result.add("time, naive over ours", loop["seconds"] / ours["seconds"], "times")


def _measured(work: Any, count: int) -> dict[str, Any]:
    with bed.sandbox() as sandbox:
        sandbox.truth.set_faults(TROUBLE)
        seconds = work(sandbox, count)
        counts = sandbox.truth.counts()
        assert counts["entities"]["persons"]["live"] == count
        return {
            "seconds": seconds,
            "tokens": counts["tokens_total"],
            "writes": counts["tokens"]["addPerson"],
            "by_operation": counts["tokens"],
        }


def _loop(sandbox: RunningSandbox, count: int) -> float:
    started = time.monotonic()
    with httpx.Client(base_url=sandbox.base_url, headers={"authorization": f"Bearer {sandbox.token}"}) as client:
        for number in range(count):
            search = {"term": email(number), "fields": "email", "exact_match": "true"}
            found = _call(client, "GET", "/api/v2/persons/search", params=search)
            if not found["data"]["items"]:
                body = {"name": f"Person {number}", "emails": [{"value": email(number), "primary": True}]}
                _call(client, "POST", "/api/v2/persons", json=body)
    return time.monotonic() - started


def _call(client: httpx.Client, method: str, path: str, **more: Any) -> Any:
    while (response := client.request(method, path, **more)).status_code == 429:
        time.sleep(float(response.headers.get("retry-after", "1")))
    response.raise_for_status()
    return response.json()


def _ours(sandbox: RunningSandbox, count: int) -> float:
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        started = time.monotonic()
        with account(sandbox, Path(folder)) as opened:
            opened.write(people(count))
            journal = opened.ledger.journal("pipedrive:bench", "bench", "people", 1, opened.fence)  # type: ignore[arg-type]
            assert opened.destination.find("people", journal).height == count  # the bulk listing that verifies them
        return time.monotonic() - started

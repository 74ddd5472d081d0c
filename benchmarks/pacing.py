"""How much of the allowed burst the destination uses, and how often it asks for more than that.

Belongs here: the two rates and what the server counted. Not here: the limiter (destinations.limiter).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks import bed
from benchmarks.figures import Goal, Result
from benchmarks.people import account, people

TROUBLE = {"kind": "latency", "latency_ms": 200, "jitter_ms": 60, "seed": 11}
WINDOW_S = 2.0
GOAL_PCT = 95  # issue 2
RATES = (
    ("20/s", {"plan": "growth", "auth": "api"}, 40),  # plan, credentials, requests per rolling two seconds
    ("240/s", {"plan": "ultimate", "auth": "oauth"}, 480),
)
FULL_S, QUICK_S = 26, 7
LEARNING_S = 4.0  # two windows: by then the limit is known from headers and the jitter from answers


def run(result: Result) -> None:
    """Measure both rates, one after the other."""
    for name, settings, burst in RATES:
        seconds = QUICK_S if result.is_quick else FULL_S
        found = _one(settings, round(burst / WINDOW_S * seconds))
        result.detail[name] = found
        moments = found.pop("moments")
        steady = f"{100 * share(moments, burst, LEARNING_S):.1f} % after the first {LEARNING_S:.0f} s; {len(moments)} requests"
        result.add(f"share of the allowed burst at {name}", 100 * share(moments, burst), "%", Goal("at least", GOAL_PCT), steady)
        result.add(f"violations at {name}", found["violations"], "429s", Goal("at most", 0))
        result.add(f"  most requests in any two seconds at {name}", fullest(moments), "requests", Goal("at most", burst))


def share(moments: list[float], burst: int, skip_s: float = 0.0) -> float:
    """Return the requests in the whole windows after `skip_s`, over what the limit allows in them: never above one."""
    start = moments[0] + skip_s
    windows = int((moments[-1] - start) / WINDOW_S)
    sent = sum(start <= moment < start + windows * WINDOW_S for moment in moments)
    return sent / (windows * burst)


def fullest(moments: list[float]) -> int:
    """Return the most requests that any two seconds held."""
    first, most = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - WINDOW_S:
            first += 1
        most = max(most, last - first + 1)
    return most


def _one(settings: dict[str, Any], count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder, bed.sandbox(**settings) as sandbox:
        sandbox.truth.set_faults(TROUBLE)
        with account(sandbox, Path(folder)) as opened:
            report = opened.write(people(count))
        moments = [one["time"] for one in sandbox.truth.requests() if one["operation"] == "addPerson"]
        counts = sandbox.truth.counts()
        assert report.created == counts["entities"]["persons"]["live"] == count
        return {"moments": sorted(moments), "violations": counts["violations"], "margin_s": opened.destination._api.http.limiter.margin_s}

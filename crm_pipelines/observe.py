"""What the product says while it works: logging without field values, failpoints for crash tests, the stop signal.

Belongs here: anything that only observes. Not here: reports for people (reports), progress bars (cli).
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP = threading.Event()
"""Set by SIGTERM, SIGINT or `crm pause`: writers take no new rows, settle what is in flight, and return."""

_FAILPOINT = os.environ.get("CRM_FAILPOINT", "")
_hits: dict[str, int] = {}


def logger(name: str) -> logging.Logger:
    """Return the logger of a module, below the `crm` root."""
    return logging.getLogger("crm." + name.removeprefix("crm_pipelines."))


def event(log: logging.Logger, what: str, **facts: str | int | float | None) -> None:
    """Log one line of JSON: the event and its facts. Facts are counts, phases, operations and digests, never field values."""
    log.info(json.dumps({"event": what, **facts}, separators=(",", ":"), default=str))


def failpoint(name: str) -> None:
    """Die here as by kill -9 when the environment names this point: `CRM_FAILPOINT=name` or `name:3` for its third hit.

    Only crash tests set it; it is how they stop the process between two instructions that matter.
    """
    if not _FAILPOINT or not _FAILPOINT.startswith(name):
        return
    wanted, _, nth = _FAILPOINT.partition(":")
    if wanted != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] >= int(nth or 1):
        sys.stderr.write(f"failpoint {name}\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def draining() -> Iterator[None]:
    """Turn the first SIGTERM or SIGINT into a drain; a second SIGINT interrupts as usual.

    Does nothing outside the main thread, where signals cannot be caught.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def drain(number: int, frame: FrameType | None) -> None:
        if STOP.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        STOP.set()

    for number in previous:
        signal.signal(number, drain)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        STOP.clear()

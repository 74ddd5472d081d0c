"""What a deal's status allows, and the times that go with it.

Belongs here: won, lost and close times, lost reasons. Not here: other keys of deals (deals).
Source: S2 addDeal: won_time "only if won", lost_time and lost_reason "only if lost", close_time "won or lost".
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.pipedrive.answers import bad_request
from crm_pipelines.sandbox.pipedrive.records import utc
from crm_pipelines.sandbox.pipedrive.store import Record

_ALLOWED_WITH = {"won_time": ("won",), "lost_time": ("lost",), "lost_reason": ("lost",), "close_time": ("won", "lost")}


def check_status_fields(body: dict[str, Any], status: str, refuses_times: bool) -> None:
    """Check that times and reason fit the status.

    Raises: Refused 400. `refuses_times` is the open question whether status and its time may go in one create.
    """
    for key, statuses in _ALLOWED_WITH.items():
        if body.get(key) is not None and (status not in statuses or (refuses_times and key != "lost_reason")):
            raise bad_request(f"'{key}' can only be set if deal status is {' or '.join(statuses)}.")


def status_times(body: dict[str, Any], record: Record, now: str) -> dict[str, Any]:
    """won_time, lost_time, close_time and their dates after a write."""
    status = str(body.get("status") or record.get("status", "open"))
    won = _time("won", body, record, status, now)
    lost = _time("lost", body, record, status, now)
    close = utc(body["close_time"]) if body.get("close_time") else (won or lost)
    return {
        "close_time": close, "won_time": won, "lost_time": lost,
        "local_won_date": won and won[:10], "local_lost_date": lost and lost[:10], "local_close_date": close and close[:10],
    }  # fmt: skip


def _time(word: str, body: dict[str, Any], record: Record, status: str, now: str) -> str | None:
    key = f"{word}_time"
    if status != word:
        return None
    if body.get(key):
        return utc(body[key])
    if body.get("close_time"):
        return utc(body["close_time"])
    return record.get(key) or now

"""What an import would set off in an account: webhooks, which the API lists, and automations, which it does not.

Belongs here: what listens to records, and the demand that somebody signs for what cannot be seen. Not here: reading the list (inspect).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from crm_pipelines.destinations.base import Automation, Finding
from crm_pipelines.destinations.pipedrive.api import Record

PHASES = {"person": "people", "organization": "organizations", "deal": "deals", "activity": "activities", "note": "notes"}
"""Event object -> phase; leads, products, stages and users are not made by an import."""
SET_OFF = {
    "create": "made",
    "added": "made",  # version 1.0 calls it so
    "change": "changed",
    "updated": "changed",
    "merged": "changed",
    "*": "made, changed or deleted",
}
PAUSE = "Switch them off for the days of the load (account menu > Tools and apps > Automations), and sign: --automations-paused-by NAME."


def automations_of(webhooks: Sequence[Record]) -> tuple[Automation, ...]:
    """Return the live webhooks that an import sets off."""
    return tuple(_automation(hook) for hook in webhooks if _is_live(hook) and _phases(hook) and hook.get("event_action") in SET_OFF)


def hook_findings(webhooks: Sequence[Record] | None, plan: str) -> Iterable[Finding]:
    """Yield what is to be paused, seen or unseen."""
    for found in automations_of(webhooks or ()):
        todo = "Ask whoever runs the receiving system whether it can take the whole history at once; else delete the webhook for the load."
        yield Finding("automations", "warning", found.name, found.told, todo)
    yield Finding("automations", "warning", "automations", _hidden(plan), PAUSE)


def _hidden(plan: str) -> str:
    told = (
        "Pipedrive's API does not show workflow automations, nor the webhooks of other people's apps. Records that arrive may set them "
        "off: e-mails to customers, activities for the team, changes of owner."
    )
    if plan == "lite":  # "available on Growth and higher plans": support.pipedrive.com, automation limits, 2026-04-23
        told += " The plan Lite has no automations of its own; a trial or an earlier plan may have left some, and apps remain."
    return told


def _is_live(hook: Record) -> bool:
    return bool(hook.get("is_active", 1)) and not hook.get("remove_time")


def _phases(hook: Record) -> tuple[str, ...]:
    of = str(hook.get("event_object") or "")
    return tuple(PHASES.values()) if of == "*" else tuple(phase for name, phase in PHASES.items() if of == name)


def _automation(hook: Record) -> Automation:
    is_flow = hook.get("type") == "automation"
    of = "record" if hook.get("event_object") == "*" else str(hook["event_object"])
    host = urlsplit(str(hook.get("subscription_url") or "")).hostname or "an address"  # the rest of it may hold a key
    told = f"Every {of} that is {SET_OFF[str(hook['event_action'])]} is {'handed to an automation' if is_flow else f'sent to {host}'}."
    name = f"webhook {hook['id']}" + (f" ({hook['name']})" if hook.get("name") else "")
    return Automation(name, "automation" if is_flow else "webhook", _phases(hook), told)

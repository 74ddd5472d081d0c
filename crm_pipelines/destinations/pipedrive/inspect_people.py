"""Users, pipelines, stages and activity types of an account.

Belongs here: findings on who works there and where. Not here: seats (inspect_plan), owners of the exports (phases).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from crm_pipelines.destinations.base import Finding
from crm_pipelines.destinations.pipedrive.api import Record
from crm_pipelines.destinations.pipedrive.describe import Raw


def user_findings(users: Sequence[Record]) -> Iterable[Finding]:
    """Yield what is to be known of the users; by number, not by name."""
    active = [user for user in users if user.get("active_flag")]
    admins = [user for user in active if _is_admin(user)]
    yield Finding("users", "good", "active_flag", f"Active users: {len(active)}, administrators among them: {len(admins)}.")
    switched_off = len(users) - len(active)
    if switched_off:
        told = (
            f"Users who are switched off: {switched_off}. Records cannot be given to them; those of their customers wait for a new owner."
        )
        yield Finding("users", "note", "active_flag=false", told, "Switch on who should own records, or name who takes them over.")
    nameless = sum(1 for user in active if not str(user.get("email") or "").strip())
    if nameless:
        told = f"Active users without an e-mail address: {nameless}. No owner of the export can be matched to them."
        yield Finding("users", "warning", "email", told, "Add their addresses in Pipedrive, as the export spells them.")
    if not admins:
        told = "No active user is an administrator as far as this API token may see."
        yield Finding("users", "note", "access", told)


def board_findings(raw: Raw, doubles: Sequence[str]) -> Iterable[Finding]:
    """Yield what is to be known of pipelines, stages and activity types."""
    for name, count in Counter(doubles).items():
        told = f"{count + 1} pipelines are called {name}: which of them is meant cannot be told, and the load would stop."
        yield Finding("settings", "blocker", "pipelines", told, "Rename all but one of them.")
    yield from _double_stages(raw)
    types = Counter(str(one["name"]).strip().casefold() for one in raw.types if one.get("active_flag", True))
    if again := [name for name, count in types.items() if count > 1]:
        told = f"Names that several activity types have: {len(again)}. Activities would go to the last of each."
        yield Finding("settings", "warning", "activityTypes", told, "Rename all but one (Company settings > Activities).")
    live = sum(1 for one in raw.pipelines if not one.get("is_deleted"))
    stages = sum(1 for one in raw.stages if not one.get("is_deleted"))
    yield Finding("settings", "good", "pipelines", f"Pipelines that are there: {live}, with {stages} stages.")


def _double_stages(raw: Raw) -> Iterable[Finding]:
    names = {int(one["id"]): str(one["name"]) for one in raw.pipelines if not one.get("is_deleted")}
    counts = Counter((int(one["pipeline_id"]), str(one["name"])) for one in raw.stages if not one.get("is_deleted"))
    for (pipeline, stage), count in counts.items():
        if count > 1 and pipeline in names:
            told = f"Pipeline {names[pipeline]} has {count} stages called {stage}; deals would go to the last of them."
            yield Finding("settings", "warning", f"stages of pipeline {pipeline}", told, "Rename all but one of them.")


def _is_admin(user: Record) -> bool:
    return any(access.get("admin") and access.get("app") in {"account_settings", "global"} for access in user.get("access") or ())

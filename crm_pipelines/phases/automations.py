"""Automations of the destination that an import would set off: what an inspection saw of them, and who signed that they are paused.

Belongs here: the signature, what it has to cover, and the refusal to seal everything without it. Not here: looking for them
(a destination's `inspect`), what the scope document says of them (discovery).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.destinations.base import Inspection
from crm_pipelines.errors import SettingsError
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import files
from crm_pipelines.phases.project import Project

PAUSED = "automations paused"
"""What an audit line is called by which somebody signs that the destination's automations are paused."""
NAMED = 3


@dataclass(frozen=True)
class Signature:
    """Somebody's word that the destination's automations are paused."""

    by: str
    at: datetime

    def told(self) -> dict[str, str]:
        """Return it as plain values: by, at (UTC)."""
        return {"by": self.by, "at": self.at.astimezone(UTC).isoformat(timespec="minutes")}


def sign_paused(project: Project, ledger: Ledger, by: str) -> None:
    """Record in the audit trail that somebody says the automations of this account are paused."""
    if not by.strip():
        raise SettingsError("--automations-paused-by needs the name of the person who paused them")
    ledger.add_audit(project.engagement.name, by.strip(), PAUSED, {"account": project.engagement.node.account.name})


def signature(project: Project, ledger: Ledger) -> Signature | None:
    """Return who signed last that automations of this account are paused, and when; None when nobody did."""
    account = project.engagement.node.account.name
    signed = [one for one in ledger.audit(project.engagement.name) if one.what == PAUSED and one.detail.get("account") == account]
    return Signature(signed[-1].by, signed[-1].done_utc) if signed else None


def remember_inspection(project: Project, inspection: Inspection) -> None:
    """Keep what an inspection saw of automations, for whoever confirms."""
    told = {
        "account": project.engagement.node.account.name,
        "hides": inspection.hides_automations,
        "automations": [one.name for one in inspection.automations],
    }
    files.write_bytes(_path(project), orjson.dumps(told))


def unsigned(project: Project, ledger: Ledger) -> str | None:
    """Return why somebody has to sign that automations are paused, and how; None when somebody did, or none can be set off."""
    if signature(project, ledger) is not None:
        return None
    why = _why(_inspected(project))
    if why is None:
        return None
    name = project.engagement.name
    return (
        f"{name}: nobody signed that the destination's automations are paused, and {why}. Records that arrive may set off e-mails to "
        f"customers, or changes to one another. Pause them, then: crm discover {name} --automations-paused-by NAME "
        f"(or give --automations-paused-by NAME to: crm confirm {name})"
    )


def require_paused(project: Project, ledger: Ledger) -> None:
    """Raise SettingsError while a signature is needed and missing."""
    if told := unsigned(project, ledger):
        raise SettingsError(f"{told}. Nothing was confirmed.")


def _why(inspected: Mapping[str, Any] | None) -> str | None:
    if inspected is None:
        return "no inspection looked for them yet (`crm discover` does)"
    seen = inspected["automations"]
    if seen:
        more = f" and {len(seen) - NAMED} more" if len(seen) > NAMED else ""
        return f"records that arrive would set off {', '.join(seen[:NAMED])}{more}"
    return "the destination does not show all of them" if inspected["hides"] else None


def _inspected(project: Project) -> Mapping[str, Any] | None:
    """Return what was seen of this account; None when nobody looked."""
    path = _path(project)
    told: dict[str, Any] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return told if told.get("account") == project.engagement.node.account.name else None


def _path(project: Project) -> Path:
    return project.engagement.work / "automations.json"

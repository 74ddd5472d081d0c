"""The account of columns: every heading of every file is mapped, ignored with a reason, or waits for a decision.

Belongs here: holding the headings that were found against the spec. Not here: reading headings (sources.headings), rows and records
(phases.accounts).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.phases.project import Project
from crm_pipelines.phases.stage import read_sidecar

WAITS = "not known to the map: map it, or ignore it with a reason, and confirm again"


def column_account(project: Project) -> list[dict[str, Any]]:
    """Return one line per heading of an object.

    Shape: object, heading, state (mapped, custom field, ignored, waiting), why, files, filled (cells with a value, all files).
    """
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for name in project.objects:
        for key in project.object_chunks(name):
            for heading in read_sidecar(project.staged_folder, name, key)["headings"]:
                state, why = _state(project, name, heading)
                known = heading["canonical"] or heading["raw"]
                line = lines.setdefault(
                    (name, known), {"object": name, "heading": known, "state": state, "why": why, "files": 0, "filled": 0}
                )
                line["files"] += 1
                line["filled"] += heading["filled"]
    return sorted(lines.values(), key=lambda line: (line["object"], line["heading"]))


def _state(project: Project, name: str, heading: dict[str, Any]) -> tuple[str, str]:
    canonical = heading["canonical"]
    if canonical is None:
        return ("custom field", "") if heading.get("custom") else ("waiting", WAITS)
    why = project.spec.ignore.get(name, {}).get(canonical)
    return ("ignored", why) if why else ("mapped", "")

"""Since when somebody who did nothing is stale: the day that was decided, or the one that follows from the newest export.

Belongs here: the day, and pinning it. Not here: who is stale by it (phases.resolve.suppress), what a seal covers (phases.confirm).

Without a pinned day every later export moves it: contacts that arrived would drop out under a seal that nobody changed. So that a
workbook pins the day, and a seal names the one that it was made with.
"""

from __future__ import annotations

from datetime import date

from crm_pipelines.phases.extract import UNTOLD
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve.suppress import stale_limit
from crm_pipelines.spec.client_map import ClientMap

STALE = "stale"


def stale_before(project: Project) -> date | None:
    """Return the day before which one has to have joined to be stale; None where nothing tells it."""
    times = [chunk.exported_at for chunk in project.chunks() if chunk.exported_at != UNTOLD]
    derived = stale_limit(project.spec.derive, max(times, default=None))
    return project.client_map.stale_before.get(project.spec.derive.contacts.from_, derived)


def told_stale(project: Project) -> dict[str, str]:
    """Return what a seal says of it: the day, where stale contacts stay behind and the map itself does not name it."""
    people = project.spec.derive.contacts.from_
    if STALE not in project.client_map.leave_out.get(people, ()) or people in project.client_map.stale_before:
        return {}
    return {"stale_before": str(stale_before(project) or "")}


def pinned(project: Project, client_map: ClientMap) -> ClientMap:
    """Return the map with the day of today's exports where it leaves stale contacts behind; without a day where it does not."""
    people = project.spec.derive.contacts.from_
    kept = {name: day for name, day in client_map.stale_before.items() if STALE in client_map.leave_out.get(name, ())}
    day = stale_before(project)
    if STALE in client_map.leave_out.get(people, ()) and day is not None:
        kept.setdefault(people, day)
    return client_map.model_copy(update={"stale_before": kept})

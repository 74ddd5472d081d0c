"""An engagement with sample exports, opened without a destination: for everything that is found out before one is asked.

Belongs here: setting the stage. Not here: a whole migration (rig, rig_odoo).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crm_pipelines.phases.desired import stage_chunk
from crm_pipelines.phases.project import Project
from crm_pipelines.sandbox.sample import SampleConfig, generate
from crm_pipelines.settings import Home, load_engagement
from crm_pipelines_tests.lib.walk import desire

REPOSITORY = Path(__file__).parents[2]
ROUTES = ("kartra_to_pipedrive", "kartra_to_odoo")
ENGAGEMENT = """\
type: crm_pipelines.defs.component.CrmMigration
attributes:
  route: {route}
  exports: exports
  account: {{name: acme, base_url_env: CRM_TEST_BASE_URL, token_env: CRM_TEST_TOKEN}}
"""


def opened(root: Path, route: str = ROUTES[0], name: str = "acme") -> Project:
    """Open the engagement in `root`, made with no exports when there is none."""
    folder = root / "engagements" / name
    (folder / "exports").mkdir(parents=True, exist_ok=True)
    (folder / "engagement.yaml").write_text(ENGAGEMENT.format(route=route), encoding="utf-8")
    (folder / "decisions.yaml").write_text("owners: queue_rows\n", encoding="utf-8")
    places = Home(root, root / "engagements", REPOSITORY / "mapping_specs", root / ".dagster_home", "")
    return Project.open(load_engagement(name, places))


def sampled(root: Path, route: str = ROUTES[0], *, contacts: int = 300, is_mapped: bool = True, **sample: Any) -> Project:
    """Generate exports and bring them to mapped records, or only to staged files."""
    folder = root / "engagements" / "acme"
    folder.mkdir(parents=True)
    generate(SampleConfig(contacts=contacts, seed=7, out=folder, route=route, **sample))
    project = opened(root, route)
    desire(project) if is_mapped else staged(project)
    return project


def written(root: Path, files: Iterable[tuple[str, str]], route: str = ROUTES[0]) -> Project:
    """Stage files with this text."""
    project = opened(root, route)
    for name, text in files:
        (project.engagement.exports / name).write_text(text, encoding="utf-8")
    return staged(project)


def staged(project: Project) -> Project:
    """Register and stage what lies in the exports folder."""
    project.register()
    for chunk in project.chunks():
        stage_chunk(project, chunk.key)
    project.refresh()
    return project

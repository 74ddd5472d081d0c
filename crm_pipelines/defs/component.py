"""`CrmMigration`: an engagement.yaml as a Dagster component.

Belongs here: the component and the asset that stands in for a broken engagement. Not here: the assets of a sound one
(assets), the meaning of the attributes (settings).
"""

from __future__ import annotations

from typing import Annotated, Any

import dagster as dg

from crm_pipelines.defs.assets import Plan, build_assets
from crm_pipelines.defs.jobs import build_jobs
from crm_pipelines.defs.partitions import asset_key, group_name
from crm_pipelines.defs.sensors import build_sensors
from crm_pipelines.errors import CrmError
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import AccountNode, Engagement, SourceNode, load_engagement, read_engagement_file


def _as_written(_context: dg.ResolutionContext, value: Any) -> Any:
    """Pass a settings node through: settings has checked it, with messages that name file and key.

    The fields that hold one are typed Any, because Dagster resolves no model with constraints on its fields.
    """
    return value


class CrmMigration(dg.Component, dg.Model, dg.Resolvable):
    """One client's migration: a route, an export folder, a destination account. A group of assets."""

    route: str
    """`<source>_to_<destination>`; names the mapping spec."""
    account: Annotated[Any, dg.Resolver(_as_written, model_field_type=AccountNode)]
    """The destination account; secrets stay in the environment."""
    exports: str = "exports"
    """Folder of the CSV exports, relative to the engagement."""
    source: Annotated[Any, dg.Resolver(_as_written, model_field_type=SourceNode)] = SourceNode()
    """What is declared about the exports: time zone, encodings, export times."""
    chunks_per_run: int = 25
    """Chunks that one run of a phase takes: a pause point, and what a dying process has to do again."""
    owners: tuple[str, ...] = ()
    """Dagster owners of the assets: e-mail or `team:name`."""

    @classmethod
    def of(cls, engagement: Engagement) -> CrmMigration:
        """Return the component that an engagement.yaml describes."""
        document = read_engagement_file(engagement.folder / "engagement.yaml")
        component: CrmMigration = cls.resolve_from_dict(document.data["attributes"])
        return component

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the assets, checks and sensors of the engagement whose folder this file lies in."""
        return self.definitions(load_engagement(context.path.name))

    def definitions(self, engagement: Engagement) -> dg.Definitions:
        """Return the assets, checks and sensors of an engagement. Raises: SpecError, SettingsError."""
        plan = Plan(Project.open(engagement), self.chunks_per_run, self.owners)
        jobs = build_jobs(plan)
        return dg.Definitions(assets=build_assets(plan), jobs=jobs, sensors=build_sensors(plan, jobs))


def engagement_definitions(name: str) -> dg.Definitions:
    """Return an engagement's definitions, or the one asset that says why it has none; others still load."""
    try:
        engagement = load_engagement(name)
        return CrmMigration.of(engagement).definitions(engagement)
    except (CrmError, dg.DagsterError) as error:
        return dg.Definitions(assets=[invalid(name, str(error))])


def invalid(name: str, message: str) -> dg.AssetsDefinition:
    """Return the asset that stands in for a broken engagement; materializing it fails with the message."""

    @dg.asset(
        key=asset_key(name, "engagement_invalid"),
        group_name=group_name(name),
        description=f"This engagement does not load:\n\n{message}",
        metadata={"error": message},
        kinds={"invalid"},
    )
    def engagement_invalid() -> None:
        raise dg.Failure(description=message, allow_retries=False)

    return engagement_invalid

"""The assets of one engagement, from export files to reconciliation.

Belongs here: keys, dependencies, partitions and what a materialization shows. Not here: the work (phases), the order in
which the driver walks (drive), partition names (partitions).

    exports -> staged_<object>[chunk] -> resolved_<frame> -> mapped_<phase> -> map_confirmed -> destination_schema
            -> <phase>[chunk] -> <phase>_gate -> next phase ... -> reconciliation
    beside it: mapped_<phase> -> discovery

Without `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands, and refuses text.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import dagster as dg

from crm_pipelines.defs import checks
from crm_pipelines.defs.account import remember_forecast
from crm_pipelines.defs.metadata import code_references, column_lineage, column_schema, gate_metadata
from crm_pipelines.defs.partitions import (
    ENGAGEMENT_TAG,
    KIND_TAG,
    NAME_TAG,
    after_all_chunks,
    asset_key,
    chosen_features,
    chunks_of,
    group_name,
)
from crm_pipelines.defs.resources import Installation, as_failure
from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.confirm import check_confirmed
from crm_pipelines.phases.desired import map_all, resolve_all, stage_chunk
from crm_pipelines.phases.load import load
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import gate
from crm_pipelines.phases.session import Session, making_desired

if TYPE_CHECKING:
    Materialized: TypeAlias = dg.MaterializeResult[None]
else:
    Materialized = dg.MaterializeResult  # Dagster knows the bare class only
Decorator: TypeAlias = Callable[[Callable[..., Any]], dg.AssetsDefinition]


@dataclass(frozen=True)
class Plan:
    """What the assets of an engagement are made from: its project and the component's settings."""

    project: Project
    chunks_per_run: int
    owners: tuple[str, ...]

    @property
    def engagement(self) -> str:
        """Name of the engagement."""
        return self.project.engagement.name

    def key(self, name: str) -> dg.AssetKey:
        """Return the key of one asset."""
        return asset_key(self.engagement, name)

    def tags(self, kind: str, name: str) -> dict[str, str]:
        """Return what the driver reads off an asset."""
        return {KIND_TAG: kind, NAME_TAG: name, ENGAGEMENT_TAG: self.engagement}

    def common(self, kind: str, name: str, kinds: set[str]) -> dict[str, Any]:
        """Return what every asset of the engagement is described with."""
        return {
            "group_name": group_name(self.engagement),
            "owners": list(self.owners),
            "tags": self.tags(kind, name),
            "kinds": kinds,
        }

    def asset(self, kind: str, name: str, kinds: set[str], **settings: Any) -> Decorator:
        """Return `dg.asset` with what every asset of the engagement is described with."""
        decorator: Decorator = dg.asset(**self.common(kind, name, kinds), **settings)
        return decorator

    @property
    def pool(self) -> str:
        """One queued run per destination account; the lock itself is the ledger's."""
        return f"account_{self.project.engagement.node.account.name}"


def build_assets(plan: Plan) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return every asset of an engagement."""
    project = plan.project
    with chosen_features():
        assets: list[dg.AssetsDefinition | dg.AssetSpec] = [exports(plan)]
        assets += [staged(plan, name) for name in project.objects]
        assets += [resolved(plan), mapped(plan), discovered(plan), confirmed(plan), destination_schema(plan)]
        previous: str | None = None
        for phase in project.phases:
            assets += [loaded(plan, phase, previous), gated(plan, phase)]
            previous = phase
        assets.append(reconciled(plan))
    return assets


def exports(plan: Plan) -> dg.AssetSpec:
    """The client's files: made outside, observed with name, digest and physical rows."""
    return dg.AssetSpec(
        plan.key("exports"),
        description="CSV files the client exported. One materialization per file: name, SHA-256, physical rows.",
        **plan.common("exports", "exports", {plan.project.engagement.source, "csv"}),
    )


def staged(plan: Plan, name: str) -> dg.AssetsDefinition:
    """Bytes to typed parquet, one partition per file, each held against the source's contract."""
    key = plan.key(f"staged_{name}")
    partitions = chunks_of(plan.engagement, f"staged_{name}")

    @plan.asset(
        "stage",
        name,
        {plan.project.engagement.source, "parquet"},
        key=key,
        deps=[plan.key("exports")],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(plan.chunks_per_run),
        check_specs=[checks.schema_spec(key, partitions)],
        description=f"{name} as typed parquet, one partition per export file; unreadable lines are in quarantine.",
    )
    def stage(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        summaries = []
        with as_failure():
            project = installation.project(plan.engagement)
            for chunk in context.partition_keys:
                summaries.append(stage_chunk(project, chunk))
                context.log_event(checks.schema_evaluation(key, chunk, summaries[-1]))
                _materialized(context, key, chunk, checks.stage_metadata(summaries[-1]))
        return dg.MaterializeResult(check_results=[checks.schema_result(summaries)])

    return stage


def resolved(plan: Plan) -> dg.AssetsDefinition:
    """The fold of all chunks: one canonical row per source key, and what was derived from it."""
    upstream = [after_all_chunks(plan.key(f"staged_{name}")) for name in plan.project.objects]
    specs = [
        dg.AssetSpec(
            plan.key(f"resolved_{name}"),
            deps=upstream,
            description=f"{name}: one canonical row per key out of all chunks, newest file first.",
            **plan.common("resolve", name, {"polars", "parquet"}),
        )
        for name in plan.project.derived
    ]

    @dg.multi_asset(specs=specs, name=f"{group_name(plan.engagement)}__resolve")
    def resolve(context: dg.AssetExecutionContext, installation: Installation) -> Iterator[Materialized]:
        with as_failure(), making_desired(plan.project):
            summaries = resolve_all(installation.project(plan.engagement))
        for name in plan.project.derived:
            yield dg.MaterializeResult(asset_key=plan.key(f"resolved_{name}"), metadata=_counts(summaries.get(name)))

    return resolve


def mapped(plan: Plan) -> dg.AssetsDefinition:
    """Desired records of every phase, by the mapping spec."""
    project = plan.project
    specs = [
        dg.AssetSpec(
            plan.key(f"mapped_{phase}"),
            deps=[plan.key(f"resolved_{name}") for name in project.derived],
            description=f"Desired {phase}: what the confirmed map makes of the exports, before any of it is sent.",
            metadata={"dagster/column_schema": column_schema(project.columns(phase)), **code_references(project.engagement.spec_path)},
            **plan.common("map", phase, {"yaml", "polars"}),
        )
        for phase in project.phases
    ]

    @dg.multi_asset(specs=specs, name=f"{group_name(plan.engagement)}__map")
    def map_records(context: dg.AssetExecutionContext, installation: Installation) -> Iterator[Materialized]:
        with as_failure(), making_desired(plan.project):
            summaries = map_all(installation.project(plan.engagement))
        for phase in plan.project.phases:
            lineage = column_lineage(_sources(plan, phase))
            yield dg.MaterializeResult(
                asset_key=plan.key(f"mapped_{phase}"),
                metadata={**_counts(summaries.get(phase)), "dagster/column_lineage": lineage},
            )

    return map_records


def discovered(plan: Plan) -> dg.AssetsDefinition:
    """The scope document: what the exports and the destination hold, before anything is confirmed."""
    from crm_pipelines.defs.discovering import discovery_metadata, find_out

    @plan.asset(
        "discover",
        "discovery",
        {"html", "markdown"},
        key=plan.key("discovery"),
        deps=[plan.key(f"mapped_{phase}") for phase in plan.project.phases],
        pool=plan.pool,
        description="The scope document: exports profiled, destination inspected, what moves, what is lost, what must be decided.",
    )
    def discovery(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        with as_failure():
            told = find_out(installation.project(plan.engagement))
        return dg.MaterializeResult(metadata=discovery_metadata(told))

    return discovery


def confirmed(plan: Plan) -> dg.AssetsDefinition:
    """Stop here until a person has confirmed the map, and whenever what it covers has changed."""

    @plan.asset(
        "confirm",
        "map_confirmed",
        {"seal"},
        key=plan.key("map_confirmed"),
        deps=[plan.key(f"mapped_{phase}") for phase in plan.project.phases],
        pool=plan.pool,
        description="The seal covers spec, decisions, headings, destination and engine. A difference stops loading and is shown.",
    )
    def map_confirmed(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        with as_failure(), installation.session(plan.engagement, "check the seal", context.instance) as session:
            check_confirmed(session)
        return dg.MaterializeResult()

    return map_confirmed


def destination_schema(plan: Plan) -> dg.AssetsDefinition:
    """Fields, options, labels, pipelines and types that the map needs, made before the first record."""

    @plan.asset(
        "prepare",
        "destination_schema",
        {plan.project.engagement.destination},
        key=plan.key("destination_schema"),
        deps=[plan.key("map_confirmed")],
        pool=plan.pool,
        description="What the map needs in the destination before the first record: found by name or made.",
    )
    def make_schema(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        with as_failure(), installation.session(plan.engagement, "prepare", context.instance) as session:
            remember_forecast(session)
            summary = prepare(session)
        steps = [f"{step.kind} {step.name} ({step.phase})" for step in summary.made]
        spent = {} if summary.tokens is None else {"tokens": summary.tokens}
        return dg.MaterializeResult(metadata={"made": len(steps), **spent, "steps": dg.MetadataValue.json(steps)})

    return make_schema


def loaded(plan: Plan, phase: str, previous: str | None) -> dg.AssetsDefinition:
    """Records of a phase, one partition per chunk that contributes to them."""
    key, project = plan.key(phase), plan.project
    before = [plan.key(f"mapped_{phase}"), plan.key(f"{previous}_gate" if previous else "destination_schema")]
    lineage = column_lineage({field: [(plan.key(f"mapped_{phase}"), field)] for field in project.columns(phase)})

    @plan.asset(
        "phase",
        phase,
        {project.engagement.destination},
        key=key,
        deps=before,
        partitions_def=chunks_of(plan.engagement, phase),
        backfill_policy=dg.BackfillPolicy.multi_run(plan.chunks_per_run),
        pool=plan.pool,
        metadata={"dagster/column_schema": column_schema(project.columns(phase)), **code_references(project.engagement.spec_path)},
        description=f"{phase} in {project.engagement.destination}: every record a chunk contributed to that differs from the ledger.",
    )
    def load_phase(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        with as_failure(), installation.session(plan.engagement, f"load {phase}", context.instance) as session:
            require_open_gate(session, previous)
            report = load(session, phase, list(context.partition_keys))
            for chunk in context.partition_keys:
                states = {f"records {state}": count for state, count in report.per_chunk.get(chunk, {}).items()}
                _materialized(context, key, chunk, {**states, "dagster/column_lineage": lineage})
        return dg.MaterializeResult()

    return load_phase


def gated(plan: Plan, phase: str) -> dg.AssetsDefinition:
    """The gate of a phase: shut until rows and records add up and the destination's own list agrees."""
    key = plan.key(f"{phase}_gate")

    @plan.asset(
        "gate",
        phase,
        {"gate"},
        key=key,
        deps=[after_all_chunks(plan.key(phase))],
        check_specs=[checks.gate_spec(key)],
        pool=plan.pool,
        description=f"Every row and record of {phase} accounted for, and the destination's own list agrees. Shut stops what follows.",
    )
    def hold(context: dg.AssetExecutionContext, installation: Installation) -> Materialized:
        with as_failure(), installation.session(plan.engagement, f"gate {phase}", context.instance) as session:
            found = gate(session, phase)
        return dg.MaterializeResult(metadata=gate_metadata(found), check_results=[checks.gate_result(found)])

    return hold


def reconciled(plan: Plan) -> dg.AssetsDefinition:
    """The report a person reads and a machine checks, and the queues as files."""
    from crm_pipelines.defs.handoff import ReconciliationFrame, reconcile_and_report

    @plan.asset(
        "report",
        "reconciliation",
        {"html", "json", "pandas"},
        key=plan.key("reconciliation"),
        deps=[plan.key(f"{plan.project.phases[-1]}_gate")],
        dagster_type=ReconciliationFrame,
        description="Rows by bucket, records by state, spent against forecast: HTML to read, JSON for machines, queues as CSV.",
    )
    def report(context: dg.AssetExecutionContext, installation: Installation) -> dg.Output[Any]:
        with as_failure():
            return reconcile_and_report(installation.project(plan.engagement))

    return report


def require_open_gate(session: Session, previous: str | None) -> None:
    """Raise SettingsError unless the phase before is through its gate in this pass: a blocking check only holds within one run."""
    if previous is None:
        return
    found = session.ledger.gate(session.engagement, session.pass_no, previous)
    if found is None or not found.is_open:
        state = "was not judged yet" if found is None else "is shut"
        raise SettingsError(
            f"{session.engagement}: the gate of {previous} {state} in this pass; load {previous} first, or: crm run {session.engagement}"
        )


def _materialized(context: dg.AssetExecutionContext, key: dg.AssetKey, chunk: str, metadata: dict[str, Any]) -> None:
    """Record a chunk now: a range that fails later keeps it. The event at the step's end repeats the same figures."""
    context.log_event(dg.AssetMaterialization(key, partition=chunk, metadata=metadata))
    context.add_asset_metadata(metadata, partition_key=chunk)


def _sources(plan: Plan, phase: str) -> dict[str, list[tuple[dg.AssetKey, str]]]:
    """Return, per destination field, the asset and column it comes from: an export's, or a resolved frame's."""
    out: dict[str, list[tuple[dg.AssetKey, str]]] = {}
    for field, columns in plan.project.lineage(phase).items():
        owned = [column.split(".", 1) for column in columns]
        layers = [("staged" if owner in plan.project.objects else "resolved", owner, column) for owner, column in owned]
        out[field] = [(plan.key(f"{layer}_{owner}"), column) for layer, owner, column in layers]
    return out


def _counts(summary: object) -> dict[str, Any]:
    """Return the numbers of a summary; they plot."""
    fields: Iterable[str] = getattr(summary, "__dataclass_fields__", ())
    return {name: getattr(summary, name) for name in fields if isinstance(getattr(summary, name), int)}

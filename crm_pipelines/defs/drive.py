"""The one walker: reads the order off the asset graph and runs each range and gate as a recorded run.

Belongs here: what runs next and when to stop. Not here: what a step does (phases), how it looks in a terminal (cli).

Runs happen in this process: a step process of its own costs five seconds (measured). They happen in a thread beside the
main one, because Dagster turns SIGTERM in the main one into an exception in the middle of a wave; so it drains instead.
Stops at the first shut gate, at the first error, and when a stop was asked for; what was done is in the ledger and in
Dagster's history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Literal

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError  # public neither by name nor by base; the version is pinned

from crm_pipelines.defs.component import CrmMigration
from crm_pipelines.defs.fresh import begin_desired, is_desired, is_staged, remember_desired
from crm_pipelines.defs.intake import register
from crm_pipelines.defs.partitions import (
    ENGAGEMENT_TAG,
    INTAKE_TAG,
    KIND_TAG,
    NAME_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
)
from crm_pipelines.defs.resources import Installation, Stopped, require_local_ledger
from crm_pipelines.errors import CrmError
from crm_pipelines.observe import STOP
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.session import making_desired, open_session

Kind = Literal["stage", "resolve", "map", "discover", "confirm", "prepare", "phase", "gate", "report"]
State = Literal["started", "finished", "shut", "stopped"]
ORDER: tuple[Kind, ...] = ("stage", "resolve", "map", "discover", "confirm", "prepare", "phase", "gate", "report")
ASIDE: frozenset[Kind] = frozenset({"discover"})
"""What a person asks for, and no load waits for."""
DESIRING: frozenset[Kind] = frozenset({"resolve", "map"})
WRITING: frozenset[Kind] = frozenset({"confirm", "prepare", "phase", "gate"})
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Step:
    """Assets that run together: one partitioned asset, or the assets of one unpartitioned step."""

    kind: Kind
    name: str
    keys: tuple[dg.AssetKey, ...]
    partitions: str | None = None
    """Name of the dynamic partition set, when the step has one."""


@dataclass(frozen=True)
class Progress:
    """One event of a walk."""

    step: Step
    state: State
    chunks: Sequence[str] = ()
    run_id: str = ""


@dataclass(frozen=True)
class Batch:
    """Contiguous chunks that one run takes, or none for an unpartitioned step."""

    chunks: tuple[str, ...]

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags by which Dagster runs a range."""
        return {RANGE_START_TAG: self.chunks[0], RANGE_END_TAG: self.chunks[-1]} if self.chunks else {}


class Walk:
    """An engagement's asset graph, walked in this process."""

    def __init__(self, project: Project, instance: dg.DagsterInstance) -> None:
        require_local_ledger(instance)
        self.project = project
        self.instance = instance
        component = CrmMigration.of(project.engagement)
        shared = dg.Definitions(resources={"installation": Installation()}, executor=dg.in_process_executor)
        self.definitions = dg.Definitions.merge(component.definitions(project.engagement), shared)
        self.chunks_per_run = component.chunks_per_run
        self._job = self.definitions.resolve_implicit_global_asset_job_def()

    def steps(self) -> list[Step]:
        """Return what can run, in topological order."""
        graph = self.definitions.resolve_asset_graph()
        taken: set[dg.AssetKey] = set()
        out: list[Step] = []
        for level in graph.toposorted_asset_keys_by_level:
            for key in sorted(level):
                node = graph.get(key)
                if key in taken or not node.is_executable:
                    continue
                together = tuple(sorted(node.execution_set_asset_keys))
                taken |= set(together)
                partitions = node.partitions_def
                named = partitions.name if isinstance(partitions, dg.DynamicPartitionsDefinition) else None
                out.append(Step(_kind(node.tags[KIND_TAG]), node.tags[NAME_TAG], together, named))
        return out

    def run(self, *, until: Kind = "report", phase: str | None = None) -> Iterator[Progress]:
        """Walk up to the last step of a kind, or up to the gate of a phase; yields what happens.

        Raises: the product's own error when a step fails with one; nothing after it has run. LockedError before the first one
        while another process writes to the account.
        """
        made_from = ""
        with ExitStack() as held:
            making = held.enter_context(ExitStack())
            making.enter_context(making_desired(self.project))
            register(self.project, self.instance)
            worker = held.enter_context(ThreadPoolExecutor(1, "walk"))
            is_held = False
            for step in self._wanted(until, phase):
                if step.kind in WRITING and not is_held:
                    making.close()
                    held.enter_context(open_session(self.project, "run"))
                    is_held = True
                if step.kind == "resolve":
                    made_from = begin_desired(self.project)
                for batch in self._batches(step):
                    yield Progress(step, "started", batch.chunks)
                    finished = worker.submit(self._run, step, batch).result()
                    if STOP.is_set() and finished.state == "finished":
                        finished = replace(finished, state="stopped")
                    yield finished
                    if finished.state != "finished":
                        return
                if step.kind == "map":
                    remember_desired(self.project, made_from)

    def _wanted(self, until: Kind, phase: str | None) -> Iterator[Step]:
        for step in self.steps():
            if ORDER.index(step.kind) > ORDER.index(until):
                return
            if step.kind in ASIDE:
                continue
            yield step
            if step.kind == "gate" and step.name == phase:
                return

    def _batches(self, step: Step) -> list[Batch]:
        """Cut a step's chunks into runs of contiguous partitions, in the order in which Dagster knows them."""
        if step.kind in DESIRING and is_desired(self.project):
            return []
        if step.partitions is None:
            return [Batch(())]
        known = self.instance.get_dynamic_partitions(step.partitions)
        wanted = set(self._chunks(step))
        return [Batch(part) for run in _contiguous(known, wanted) for part in _sliced(run, self.chunks_per_run)]

    def _chunks(self, step: Step) -> list[str]:
        if step.kind == "phase":
            return self.project.phase_chunks(step.name)
        return [chunk for chunk in self.project.object_chunks(step.name) if not is_staged(self.project, step.name, chunk)]

    def _run(self, step: Step, batch: Batch) -> Progress:
        tags = {ENGAGEMENT_TAG: self.project.engagement.name, KIND_TAG: step.kind, NAME_TAG: step.name, **batch.tags}
        if step.kind == "phase":
            tags[INTAKE_TAG] = batch.chunks[-1][:3]
        try:
            result = self._job.execute_in_process(instance=self.instance, asset_selection=list(step.keys), tags=tags, run_config=QUIET)
        except DagsterAssetCheckFailedError:
            return Progress(step, "shut", batch.chunks)
        except dg.Failure as failure:
            if isinstance(failure.__cause__, Stopped):
                return Progress(step, "stopped", batch.chunks)
            if isinstance(failure.__cause__, CrmError):
                raise failure.__cause__ from None
            raise
        return Progress(step, "finished", batch.chunks, result.run_id)


def _contiguous(known: Sequence[str], wanted: set[str]) -> Iterator[list[str]]:
    """Yield the stretches of wanted keys: a range run cannot skip a partition."""
    stretch: list[str] = []
    for key in known:
        if key in wanted:
            stretch.append(key)
        elif stretch:
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _sliced(keys: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), size):
        yield tuple(keys[start : start + size])


def _kind(text: str) -> Kind:
    for kind in ORDER:
        if kind == text:
            return kind
    raise AssertionError(f"asset of unknown kind {text}")

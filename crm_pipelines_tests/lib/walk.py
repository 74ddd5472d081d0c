"""All phases of an engagement in order, without Dagster: `python -m crm_pipelines_tests.lib.walk ENGAGEMENT`.

For crash tests, which start the product dozens of times: the same verbs as the asset graph calls, without its two seconds of imports and
its run records. The asset graph itself is driven in test_run.py.
"""

from __future__ import annotations

import sys

from crm_pipelines.errors import CrmError
from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.desired import map_all, resolve_all, stage_chunk
from crm_pipelines.phases.load import load
from crm_pipelines.phases.predicted import compare, remember
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import gate
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.settings import load_engagement


def walk(name: str) -> int:
    """Stage, fold, map, confirm, foresee, prepare and load an engagement; return its exit code: 4 for what is shut, or came unforeseen."""
    project = Project.open(load_engagement(name))
    desire(project)
    confirm(project, "test", without_sample="crash test", paused_by="test")
    return load_all(project)


def go_on(name: str) -> int:
    """Do the same under the seal that is there; return the exit code."""
    project = Project.open(load_engagement(name))
    desire(project)
    return load_all(project)


def load_all(project: Project) -> int:
    """Load every phase of what is desired; return the exit code."""
    with open_session(project, "walk") as session:
        remember(session)
        prepare(session)
        shut = [phase for phase in project.phases if not _phase(session, phase)]
        found = compare(project, session.ledger)
        if not shut:
            session.ledger.close_pass(session.engagement, session.pass_no)
    print("shut:", *shut)  # noqa: T201 - read by the tests
    unforeseen = found.differences if found is not None and not shut else []
    print("unforeseen:", *unforeseen)  # noqa: T201 - read by the tests
    return 4 if shut or unforeseen else 0


def desire(project: Project) -> None:
    """Bring the desired records up to the exports."""
    project.register()
    for name in [*project.spec.schema_exports, *project.objects]:
        for key in project.object_chunks(name):
            if not project.staged_path(name, key).exists():
                stage_chunk(project, key)
    resolve_all(project)
    map_all(project)


def _phase(session: Session, phase: str) -> bool:
    load(session, phase, session.project.phase_chunks(phase))
    verdict = gate(session, phase)
    if not verdict.passed:
        print(phase, verdict.reasons)  # noqa: T201 - read by the tests
    return verdict.passed


if __name__ == "__main__":
    try:
        sys.exit(walk(sys.argv[1]))
    except CrmError as error:
        print(type(error).__name__, error)  # noqa: T201 - read by the tests
        sys.exit(error.exit_code)

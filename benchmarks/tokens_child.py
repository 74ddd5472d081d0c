"""All phases of an engagement in one session, as `crm run` holds it, without Dagster: `python -m benchmarks.tokens_child ENGAGEMENT`.

Belongs here: the process that is killed. Not here: the kills and the bill (tokens).
"""

from __future__ import annotations

import sys

from crm_pipelines.phases.confirm import confirm
from crm_pipelines.phases.load import load
from crm_pipelines.phases.prepare import prepare
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.reconcile import gate
from crm_pipelines.phases.session import open_session
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.walk import desire


def main(name: str) -> int:
    """Bring the account up to the exports; returns 4 when a gate stays shut."""
    project = Project.open(load_engagement(name))
    desire(project)
    with open_session(project, "bench") as session:
        confirm(project, "bench", without_sample="a measurement", paused_by="bench")
        prepare(session)
        for phase in project.phases:
            load(session, phase, project.phase_chunks(phase))
            verdict = gate(session, phase)
            if not verdict.passed:
                print(phase, verdict.reasons)
                return 4
        session.ledger.close_pass(session.engagement, session.pass_no)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

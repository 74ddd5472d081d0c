"""Hold specs and engagements against what they speak of, without opening an export or a destination.

Belongs here: finding the contracts of a route and gathering problems. Not here: what is a problem (spec.check).
"""

from __future__ import annotations

from pathlib import Path

from crm_pipelines.errors import CrmError, Problem, SettingsError, SpecError
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines.spec.check import check_files
from crm_pipelines.spec.client import open_questions
from crm_pipelines.spec.salvage import salvage


def check_spec(path: Path) -> list[Problem]:
    """Return every problem of a mapping spec, each with path and line."""
    if not path.is_file():
        return [Problem("file", "there is no such spec; give a path such as mapping_specs/<source>_to_<destination>.yaml", file=str(path))]
    found = salvage(path.read_text(encoding="utf-8"), path.name)
    if found.parsed is None:
        return found.problems
    route = found.parsed.spec.route
    try:
        contracts = (source_contract(load_source(route.source)), destination_contract(route.destination))
    except CrmError as error:
        return [Problem("route", str(error), file=str(path))]
    return check_files(path, contracts)


def check_engagement(name: str) -> list[Problem]:
    """Return every problem of an engagement's settings and decisions, questions without an answer among them."""
    try:
        project = Project.open(load_engagement(name))
    except (SpecError, SettingsError) as error:
        return error.problems or [Problem("engagement", line) for line in str(error).splitlines()]
    except CrmError as error:
        return [Problem("engagement", line) for line in str(error).splitlines()]
    return open_questions(project.route_spec, project.client)

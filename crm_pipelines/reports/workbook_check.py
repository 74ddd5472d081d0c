"""What a client decided held against the route, with every problem at the cell that says it.

Belongs here: from paths of the client map to cells. Not here: what can be (spec.overlay, spec.check_client).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_pairs import ONE_ADDRESS, one_by_address
from crm_pipelines.phases.twin_groups import APART, Verdict
from crm_pipelines.reports.sheets import CellProblem
from crm_pipelines.reports.workbook_answers import Said
from crm_pipelines.reports.workbook_layout import DUPLICATES
from crm_pipelines.spec.client import MAP
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.contract import DestinationContract, SourceContract
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.overlay import lay_over
from crm_pipelines.spec.parse import Document, Path

_Place = tuple[str, str]


def route_problems(
    spec: MappingSpec,
    source: SourceContract,
    destination: DestinationContract,
    client: ClientMap,
    rows: tuple[Sequence[Said], Sequence[Verdict]],
) -> list[CellProblem]:
    """Return what the route cannot do of what was decided: by cell where a row says it, else by its place in the map."""
    places = _places(client, *rows)
    document = Document(None, "", {path: number for number, path in enumerate(places)})
    try:
        lay_over(spec, client, source, destination, document)
    except SpecError as error:
        return [_told(problem, list(places.values())) for problem in error.problems]
    return []


def one_record_problems(project: Project, client: ClientMap, verdicts: Sequence[Verdict]) -> list[CellProblem]:
    """Return the verdicts that tell two apart which have one e-mail address: they are one record, whatever is answered."""
    people = project.spec.derive.contacts.from_
    said = [each for each in verdicts if each.object == people and each.word == APART]
    wrong = one_by_address(project, [(each.first, each.second) for each in said])
    meant = "records of two people, who have an address each"
    found = [
        CellProblem(DUPLICATES, each.place, meant, "the same e-mail address", ONE_ADDRESS) for n, each in enumerate(said) if n in wrong
    ]
    told = {frozenset((each.first, each.second)) for each in said}
    groups = [group for group in client.different.get(people, ()) if frozenset(group) not in told]
    by_hand = "decisions.yaml: map.different"
    return [
        *found,
        *(CellProblem("", "", meant, "the same e-mail address", f"{by_hand}: {ONE_ADDRESS}") for _ in one_by_address(project, groups)),
    ]


def _told(problem: Problem, cells: Sequence[_Place]) -> CellProblem:
    expected, found = "a choice that works on this route", "one that does not"
    if problem.line is None:
        return CellProblem("", "", expected, found, f"{problem.path}: {problem.message}")
    return CellProblem(*cells[problem.line], expected, found, problem.message)


def _places(client: ClientMap, said: Sequence[Said], verdicts: Sequence[Verdict]) -> dict[Path, _Place]:
    """Return the paths of the map for which rows stand, with their cells."""
    places: dict[Path, _Place] = {}
    for one in said:
        if one.value is not None and one.path[0] not in ("answers", "leave_out"):
            places[MAP, *one.path] = (one.sheet, one.place)
        elif one.value is not None and one.path[0] == "leave_out" and one.path[2] in client.leave_out.get(one.path[1], ()):
            places[MAP, "leave_out", one.path[1], list(client.leave_out[one.path[1]]).index(one.path[2])] = (one.sheet, one.place)
    return places | {path: (DUPLICATES, cell) for path, cell in _groups(client, verdicts)}


def _groups(client: ClientMap, verdicts: Sequence[Verdict]) -> Iterator[tuple[Path, str]]:
    """Yield the paths of groups of records, each with the first cell that says something of two of them."""
    for part, by_object in (("same", client.same), ("different", client.different)):
        for name, groups in by_object.items():
            for number, group in enumerate(groups):
                cell = next((each.place for each in verdicts if each.word and {each.first, each.second} <= set(group)), None)
                if cell is not None:
                    yield (MAP, part, name, number), cell

"""What one client decided, read from `decisions.yaml`: answers to the spec's questions, and the map beside them.

Belongs here: text -> answers and ClientMap, with every mistake by path and line; what is assumed while a question is open. Not here:
the shape of the map (client_map), what it refers to (check_client), its effect (overlay, phases), writing the file (phases.client).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.model import Decision, MappingSpec
from crm_pipelines.spec.parse import Document, Path, chosen, dotted, keys_at, nearest, read_document, written_path
from crm_pipelines.yaml_document import refusal

MAP = "map"
"""The key of the file that is no decision."""
DEPTH = 2
"""How much of a path is shown: what stands below `values.<column>` or `same.<object>` may be somebody's data."""
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class Client:
    """One client's decisions."""

    answers: Mapping[str, str]
    """What the client really answered."""
    decisions: Mapping[str, str]
    """Every decision: answered, by default, or assumed while it is open."""
    map: ClientMap
    unanswered: tuple[str, ...]
    """Decisions that need an answer and have none; nothing may be sent before they do."""
    document: Document
    """The file's text, which knows the lines."""


def load_client(spec: MappingSpec, text: str, file: str = "decisions.yaml") -> Client:
    """Read what a client decided.

    Raises: SpecError naming everything that is wrong with the file; a question without an answer is not wrong (`unanswered`).
    """
    document = read_document(text, file, is_plain=True)
    if not isinstance(document.data, dict):
        raise SpecError([document.problem((), "must be a list of `decision: option` lines")])
    problems = list(document.problems)
    given = {name: answer for name, answer in document.data.items() if name != MAP and answer is not None}
    for name, answer in given.items():
        problems += _answer_problems(document, spec, name, answer)
    client_map = _read_map(document, problems)
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: problem.line or 0))
    decisions, unanswered = completed(spec, given)
    return Client(given, decisions, client_map, unanswered, document)


def load_decisions(spec: MappingSpec, text: str, file: str = "decisions.yaml") -> dict[str, str]:
    """Return the option taken for every decision of the spec, defaults included.

    Raises: SpecError naming unknown decisions, unknown options, and what still needs an answer.
    """
    client = load_client(spec, text, file)
    if client.unanswered:
        raise SpecError(open_questions(spec, client))
    return dict(client.decisions)


def open_questions(spec: MappingSpec, client: Client) -> list[Problem]:
    """Return a problem per decision that still needs an answer: the question and what may be answered."""
    found = [(name, spec.decisions[name]) for name in client.unanswered]
    return [client.document.problem((name,), f"needs an answer: {decision.question} {offer(decision)}") for name, decision in found]


def completed(spec: MappingSpec, answers: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return all decisions with defaults, and the names of those that still need an answer.

    An open question is taken as its first option that asks for nothing more; an address that is missing, as if the option that asks
    for it had not been chosen.
    """
    taken = {name: answers.get(name, decision.default) for name, decision in spec.decisions.items()}
    unanswered = [
        name for name, decision in spec.decisions.items() if taken[name] is None and decision.options and _is_asked(decision, taken)
    ]
    for name in unanswered:
        taken[name] = _first_option(spec, name, taken)
    for name, decision in spec.decisions.items():
        if taken[name] is None and not decision.options and _is_asked(decision, taken):
            unanswered.append(name)
            for other, options in decision.needed_if.items():
                taken[other] = next((option for option in spec.decisions[other].options if option not in options), taken[other])
    return {name: answer for name, answer in taken.items() if answer is not None}, tuple(unanswered)


def offer(decision: Decision) -> str:
    """Return what may be answered, as a sentence."""
    return f"One of: {', '.join(decision.options)}." if decision.options else "Write an e-mail address."


def _is_asked(decision: Decision, taken: Mapping[str, str | None]) -> bool:
    return chosen(decision.needed_if, taken)


def _first_option(spec: MappingSpec, name: str, taken: Mapping[str, str | None]) -> str:
    """Return the first option under which no address is asked for that nobody gave."""
    addresses = [each for other, each in spec.decisions.items() if not each.options and taken[other] is None and name in each.needed_if]
    asking = {option for each in addresses for option in each.needed_if[name]}
    options = list(spec.decisions[name].options)
    return next((option for option in options if option not in asking), options[0])


def _answer_problems(document: Document, spec: MappingSpec, name: str, answer: Any) -> list[Problem]:
    if name not in spec.decisions:
        return [document.problem((name,), f"unknown decision{nearest(name, [*spec.decisions, MAP])}")]
    decision = spec.decisions[name]
    if not isinstance(answer, str):
        return [document.problem((name,), f"must be one answer, not a list of them. {offer(decision)}")]
    if decision.answer == "email":
        return [] if ADDRESS.fullmatch(answer) else [document.problem((name,), "must be an e-mail address")]
    if answer not in decision.options:
        return [document.problem((name,), f"unknown option{nearest(answer, decision.options) or '.'} {offer(decision)}")]
    return []


def _read_map(document: Document, problems: list[Problem]) -> ClientMap:
    written = document.data.get(MAP)
    try:
        return ClientMap.model_validate({} if written is None else _without_blanks(written))
    except ValidationError as error:
        found = [map_problem(document, detail) for detail in error.errors()]
        problems += list(dict.fromkeys(found))
        return ClientMap()


def _without_blanks(written: Any) -> Any:
    """Return the section without parts that were left empty (`values:` and nothing below it)."""
    return {name: part for name, part in written.items() if part is not None} if isinstance(written, Mapping) else written


def map_problem(document: Document, detail: Any) -> Problem:
    """Return one mistake of the map's shape in the client's words, from what the model's validation tells."""
    path = written_path(document.data, (MAP, *detail["loc"]))
    return at(document, path[1:], refusal(detail, str(path[-1]), keys_at(path[1:-1], ClientMap)))


def at(document: Document, path: Path, message: str) -> Problem:
    """Return a problem at a place of the map, by its exact line; words and keys below `values.<column>` and the like stay unsaid."""
    spoken = path if path[:1] == ("columns",) else (*path[:DEPTH], *(piece for piece in path[DEPTH:] if isinstance(piece, int)))
    shown = path[:1] if path[:1] == ("owners",) else spoken
    return Problem(dotted((MAP, *shown)), message, document.line((MAP, *path)), document.file)

"""Hold a spec against what the source offers and the destination accepts; say everything that does not fit.

Belongs here: the order of the checks, and those about phases as wholes. Not here: one field (check_fields), columns that
nobody mapped (check_columns), homes of exports (check_homes), decisions (check_decisions), the shape of the text (parse).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.check_columns import column_problems
from crm_pipelines.spec.check_decisions import decision_problems
from crm_pipelines.spec.check_fields import FieldChecks
from crm_pipelines.spec.check_homes import home_problems
from crm_pipelines.spec.client import load_decisions
from crm_pipelines.spec.contract import DestinationContract, PhaseContract, SourceContract
from crm_pipelines.spec.derived import Frame, resolved_frames
from crm_pipelines.spec.model import MappingSpec, Phase
from crm_pipelines.spec.parse import Document, ParsedSpec, Path, closest, nearest
from crm_pipelines.spec.rules_choice import forms
from crm_pipelines.spec.salvage import salvage

Contracts = tuple[SourceContract, DestinationContract]
LIMIT = re.compile(r"^\d+(?:\.\d+)?\s*%$")


def check(parsed: ParsedSpec, source: SourceContract, destination: DestinationContract) -> list[Problem]:
    """Return every problem of a spec that parsed, in the order of its lines."""
    spec, document = parsed.spec, parsed.document
    frames = resolved_frames(spec.derive, source.objects)
    problems = [
        *_route_problems(spec, document, source, destination),
        *decision_problems(spec, document),
        *_word_problems(spec, document, destination),
        *home_problems(spec, document, source),
        *(each for name in spec.phases for each in _phase_problems(name, spec, document, frames, destination)),
        *_circle_problems(spec, document),
        *column_problems(spec, document, source, frames),
    ]
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)


def check_files(spec_path: FilePath, contracts: Contracts, decisions_path: FilePath | None = None) -> list[Problem]:
    """Return every problem of a mapping spec, and of an engagement's decisions when they are given."""
    found = salvage(spec_path.read_text("utf-8"), spec_path.name)
    parsed, problems = found.parsed, found.problems
    if parsed is None:
        return problems
    problems += [problem for problem in check(parsed, *contracts) if found.is_own(problem)]
    problems.sort(key=lambda problem: problem.line or 0)
    if decisions_path is not None:
        text = decisions_path.read_text("utf-8") if decisions_path.exists() else ""
        try:
            load_decisions(parsed.spec, text, str(decisions_path))
        except SpecError as error:
            problems += error.problems
    return problems


def _route_problems(spec: MappingSpec, document: Document, source: SourceContract, destination: DestinationContract) -> Iterable[Problem]:
    for side, given, known in (("source", spec.route.source, source.name), ("destination", spec.route.destination, destination.name)):
        if given != known:
            yield document.problem(("route", side), f"is {given!r}, but was checked against {known!r}")


def _word_problems(spec: MappingSpec, document: Document, destination: DestinationContract) -> Iterable[Problem]:
    for name, words in spec.words.items():
        meanings: dict[str, str] = {}
        for word, each in words.items():
            if len(word) > destination.option_label_max:
                yield document.problem(("words", name, word), f"is longer than the {destination.option_label_max} characters of an option")
            for form in forms({word: each}):
                if meanings.setdefault(form, word) != word:
                    yield document.problem(("words", name, word), f"{form!r} stands for {meanings[form]!r} too; it can mean one word only")


def _phase_problems(
    name: str, spec: MappingSpec, document: Document, frames: Mapping[str, Frame], destination: DestinationContract
) -> Iterable[Problem]:
    phase, path = spec.phases[name], ("phases", name)
    contract = destination.phases.get(name)
    if contract is None:
        return [document.problem(path, f"{destination.name} has no phase {name!r}{nearest(name, destination.phases)}")]
    if phase.from_ not in frames:
        return [document.problem((*path, "from"), f"there is no frame {phase.from_!r}{nearest(phase.from_, frames)}")]
    fields = FieldChecks(name, spec, document, frames[phase.from_], destination)
    return [*fields.problems(), *_whole_problems(name, phase, document, contract), *_expectation_problems(name, phase, document, fields)]


def _whole_problems(name: str, phase: Phase, document: Document, contract: PhaseContract) -> Iterable[Problem]:
    path = ("phases", name)
    misspelt = {closest(field, contract.fields) for field in phase.fields if field not in contract.fields}
    for required in (field for field, each in contract.fields.items() if each.required and field not in {*phase.fields, *misspelt}):
        yield document.problem((*path, "fields"), f"{required!r} is required by the destination and not mapped")
    if contract.match_only != (phase.create == "never"):
        wanted = "never" if contract.match_only else "when_missing"
        yield document.problem((*path, "create"), f"must be {wanted!r} for {name}")
    if contract.labels in phase.fields and phase.labels != contract.labels:
        yield document.problem((*path, "labels"), f"must be {contract.labels!r}, the field that carries labels")
    if contract.types in phase.fields and phase.record_type != contract.types:
        yield document.problem((*path, "record_type"), f"must be {contract.types!r}, the field whose words must exist as types")
    for field in (field for field, each in contract.fields.items() if each.create_only and field in phase.fields):
        if field not in phase.send_once:
            yield document.problem((*path, "fields", field), "is taken only when a record is created; list it under send_once")
    yield from _named_field_problems(path, phase, document)
    yield from _external_id_problems(path, phase, document, contract)
    yield from _stage_problems(path, phase, document, contract)


def _named_field_problems(path: Path, phase: Phase, document: Document) -> Iterable[Problem]:
    money = (phase.money.amount, phase.money.currency, phase.money.status) if phase.money else ()
    named = {
        "match": phase.match,
        "send_once": phase.send_once,
        "labels": (phase.labels,),
        "record_type": (phase.record_type,),
        "money": money,
    }
    for key, fields in named.items():
        for field in fields:
            if field is not None and field not in phase.fields:
                yield document.problem((*path, key), f"{field!r} is not among the fields{nearest(field, phase.fields)}")


def _external_id_problems(path: Path, phase: Phase, document: Document, contract: PhaseContract) -> Iterable[Problem]:
    marked = [name for name, node in phase.custom_fields.items() if node.external_id]
    if contract.native_key:
        for name in marked:
            yield document.problem((*path, "custom_fields", name), "the destination keeps source keys itself; take external_id away")
        return
    if contract.custom_fields and len(marked) != 1:
        found = ", ".join(repr(name) for name in marked) or "none"
        yield document.problem(
            (*path, "custom_fields"), f"exactly one field must be the external_id, by which records are found again; found {found}"
        )
    for name in marked:
        if phase.custom_fields[name].type not in (None, "text"):
            yield document.problem((*path, "custom_fields", name), "the external_id must be of type text; only text can be looked up")


def _stage_problems(path: Path, phase: Phase, document: Document, contract: PhaseContract) -> Iterable[Problem]:
    known = {
        contract.pipeline: [each.name for each in phase.pipelines],
        contract.stage: [s for each in phase.pipelines for s in each.stages],
    }
    for number, pipeline in enumerate(phase.pipelines):
        if pipeline.open and len(phase.pipelines) > 1:
            yield document.problem(
                (*path, "pipelines", number, "open"), "is for a phase with one pipeline; nothing tells whose a stage would be"
            )
        if pipeline.open and (pipeline.stage != contract.stage or pipeline.stage not in phase.fields):
            yield document.problem(
                (*path, "pipelines", number), f"is open, so {contract.stage!r} must be mapped: records name stages there"
            )
    for field, names in known.items():
        node = phase.fields.get(field) if field else None
        if node is None:
            continue
        words = [node.value, node.otherwise, *(case.then for case in node.cases)]
        for word in (str(word) for word in words if word is not None and word not in names):
            yield document.problem((*path, "fields", str(field)), f"{word!r} is not listed under pipelines{nearest(word, names)}")


def _expectation_problems(name: str, phase: Phase, document: Document, fields: FieldChecks) -> Iterable[Problem]:
    path = ("phases", name, "expect")
    for key in ("waiting_max", "refused_max", "excluded_max"):
        limit = getattr(phase.expect, key)
        if limit is None:
            continue
        is_count = isinstance(limit.limit, int) and not isinstance(limit.limit, bool) and limit.limit >= 0
        is_share = isinstance(limit.limit, str) and LIMIT.match(limit.limit) and float(limit.limit.rstrip(" %")) <= 100
        if not is_count and not is_share:
            yield document.problem((*path, key), f"{limit.limit!r} is neither a count (5) nor a share (5 %)")
    for column in phase.expect.unique:
        if column not in fields.types:
            yield document.problem((*path, "unique"), f"unknown column {column!r}{nearest(column, fields.types)}")


def _circle_problems(spec: MappingSpec, document: Document) -> Iterable[Problem]:
    """Links go from child to parent; a record must not need itself."""
    links = {name: {node.link for node in phase.fields.values() if node.link in spec.phases} for name, phase in spec.phases.items()}
    done: set[str] = set()
    while ready := [name for name in links if name not in done and links[name] <= {*done, name}]:
        done.update(ready)
    waiting = [name for name in links if name not in done]
    if waiting:
        yield document.problem(("phases", waiting[0]), f"links go in a circle among {', '.join(waiting)}; one of them must do without")

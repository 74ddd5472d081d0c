"""Every export has exactly one home, whatever the client decides, so that every row is accounted for once.

Belongs here: which export is at home in which phase, exports that stay behind, phases that `derive` names. Not here: the `where`
of a home (check_fields), columns (check_columns).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from crm_pipelines.errors import Problem
from crm_pipelines.spec.contract import SourceContract
from crm_pipelines.spec.model import Choice, MappingSpec
from crm_pipelines.spec.parse import Document, Path, chosen, nearest

Homes = Mapping[str, tuple[Choice, ...]]
"""Phase -> the choices that must all hold for it to be the home of one export."""


def home_problems(spec: MappingSpec, document: Document, source: SourceContract) -> Iterable[Problem]:
    """Return exports without a home or with two, and names of exports and phases that do not exist."""
    yield from _unknown_exports(spec, document, source)
    for each in source.objects:
        homes = _homes_of(each, spec)
        if homes and each in spec.not_migrated:
            yield document.problem(("not_migrated", each), "has a home above, so it does move; remove one of the two")
        elif homes:
            yield from _home_count_problems(each, homes, spec, document)
        elif each not in spec.schema_exports and each not in spec.not_migrated:
            told = "name it in one phase's home_of, in schema_exports, or say under not_migrated why it stays behind"
            yield document.problem(("phases",), f"export {each!r} has no home; {told}")
    for path, name in _derived_phases(spec):
        if name not in spec.phases:
            yield document.problem(path, f"there is no phase {name!r}{nearest(name, spec.phases)}")


def _unknown_exports(spec: MappingSpec, document: Document, source: SourceContract) -> Iterable[Problem]:
    named: list[tuple[Path, str]] = [(("required",), each) for each in spec.required]
    named += [(("schema_exports", each), each) for each in spec.schema_exports]
    for name, phase in spec.phases.items():
        named += [(("phases", name, "home_of"), each) for each in phase.home_of]
        named += [(("phases", name, "home_if"), each) for each in phase.home_if]
    for path, each in named:
        if each not in source.objects:
            yield document.problem(path, f"{each!r} is no export of {source.name}{nearest(each, source.objects)}")


def _homes_of(export: str, spec: MappingSpec) -> Homes:
    always = {name: (phase.only_if,) for name, phase in spec.phases.items() if export in phase.home_of}
    sometimes = {name: (phase.only_if, phase.home_if[export]) for name, phase in spec.phases.items() if export in phase.home_if}
    return {**sometimes, **always}


def _home_count_problems(export: str, homes: Homes, spec: MappingSpec, document: Document) -> Iterable[Problem]:
    """Try every answer to the decisions that have a say; tell the first that leaves an export with no home or with two."""
    for answers in _answers(homes, spec):
        found = [name for name, choices in homes.items() if all(chosen(choice, answers) for choice in choices)]
        when = " and ".join(f"{name} is {option}" for name, option in answers.items())
        if not found:
            last = list(homes)[-1]
            path: Path = ("phases", last, "home_if" if export in spec.phases[last].home_if else "home_of")
            yield document.problem(path, f"{export!r} has no home when {when}; its rows would be accounted for nowhere")
            return
        if len(found) > 1:
            path = ("phases", found[-1], "home_of" if export in spec.phases[found[-1]].home_of else "home_if")
            told = f"{export!r} is at home in {found[0]!r} already" + (f" when {when}" if when else "")
            yield document.problem(path, f"{told}; a row is counted once")
            return


def _answers(homes: Homes, spec: MappingSpec) -> Iterator[dict[str, str]]:
    names = list(dict.fromkeys(name for choices in homes.values() for choice in choices for name in choice if name in spec.decisions))
    for options in product(*(spec.decisions[name].options for name in names)):
        yield dict(zip(names, options, strict=True))


def _derived_phases(spec: MappingSpec) -> Iterable[tuple[Path, str]]:
    """Yield where `derive` names a phase."""
    for section in ("contacts", "owners", "companies", "purchases", "products", "deals", "bookings"):
        if (node := getattr(spec.derive, section)) is not None:
            yield ("derive", section, "phase"), node.phase
    if spec.derive.purchases and spec.derive.purchases.phase_of:
        for option, homes in spec.derive.purchases.phase_of.options.items():
            yield from ((("derive", "purchases", "phase_of", "options", option, kind), phase) for kind, phase in homes.items())

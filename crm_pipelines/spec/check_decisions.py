"""Every decision that a spec asks for is declared, every declared one is asked for, every option exists.

Belongs here: references to decisions anywhere in the spec. Not here: the client's answers (client).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crm_pipelines.errors import Problem
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import Document, Path, closest, nearest

CHOICES = ("only_if", "needed_if")
DERIVE_CHOICES = ("when", "exclude_cancelled")


def decision_problems(spec: MappingSpec, document: Document) -> Iterable[Problem]:
    """Return unknown decisions, unknown options, defaults that are no option, and decisions that decide nothing."""
    asked: set[str] = set()
    for path, name, options in _references(document.data, ()):
        asked |= {name, closest(name, spec.decisions) or name}
        yield from _reference_problems(spec, document, path, name, options)
    for name, decision in spec.decisions.items():
        path = ("decisions", name)
        if name not in asked:
            yield document.problem(path, "decides nothing: no field, phase or derive step asks for it")
        if decision.answer == "option" and len(decision.options) < 2:
            yield document.problem((*path, "options"), "needs at least two options, or `answer: email`")
        if decision.default is not None and decision.options and decision.default not in decision.options:
            yield document.problem((*path, "default"), f"{decision.default!r} is no option{nearest(decision.default, decision.options)}")


def _reference_problems(spec: MappingSpec, document: Document, path: Path, name: str, options: tuple[str, ...]) -> Iterable[Problem]:
    decision = spec.decisions.get(name)
    if decision is None:
        yield document.problem(path, f"decision {name!r} is not declared under decisions{nearest(name, spec.decisions)}")
        return
    for option in options:
        if decision.options and option not in decision.options:
            yield document.problem(path, f"{option!r} is no option of decision {name!r}{nearest(option, decision.options)}")


def _references(data: Any, path: Path) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """Yield every place that names a decision: path, decision, options it names there."""
    if isinstance(data, list):
        for number, each in enumerate(data):
            yield from _references(each, (*path, number))
    if not isinstance(data, Mapping):
        return
    for key, value in data.items():
        inner = (*path, key)
        if _is_choice(key, value, path):
            yield from ((inner, str(name), _names(options)) for name, options in value.items())
        elif key == "decision" and isinstance(value, str):
            yield inner, value, tuple(map(str, data.get("options") or ()))
        elif key == "replace_by" and isinstance(value, str):
            yield inner, value, ()
        elif key == "home_if" and isinstance(value, Mapping):
            for export, choice in value.items():
                yield from (((*inner, export), str(name), _names(options)) for name, options in choice.items())
        else:
            yield from _references(value, inner)


def _is_choice(key: str, value: Any, path: Path) -> bool:
    if not isinstance(value, Mapping):
        return False
    return key in CHOICES or (path[:1] == ("derive",) and key in DERIVE_CHOICES)


def _names(options: Any) -> tuple[str, ...]:
    return tuple(map(str, options)) if isinstance(options, list) else (str(options),)

"""Read YAML into a MappingSpec, or say everything that is wrong with it, with path and line.

Belongs here: text -> model. Not here: lines and suggestions (yaml_document, whose names the checks of a spec take from here), what one
client decided (client), whether columns, rules and fields exist (check), what they do (compile).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.model import Choice, MappingSpec
from crm_pipelines.yaml_document import Document, Path, closest, dotted, keys_at, model_problem, nearest, read_document, written_path

__all__ = [
    "Document",
    "ParsedSpec",
    "Path",
    "chosen",
    "closest",
    "dotted",
    "keys_at",
    "load_spec",
    "nearest",
    "parse",
    "read_document",
    "shape_problem",
    "written_path",
]


@dataclass(frozen=True)
class ParsedSpec:
    """A spec and the document it came from, which knows the lines."""

    spec: MappingSpec
    document: Document


def parse(text: str, file: str = "") -> ParsedSpec:
    """Return the spec that the text describes.

    Raises: SpecError with every problem of shape at once; nothing refers to columns or fields yet (check does).
    """
    document = read_document(text, file)
    problems = list(document.problems)
    try:
        spec = MappingSpec.model_validate(document.data)
    except ValidationError as error:
        problems += [shape_problem(document, detail) for detail in error.errors()]
    if problems:
        raise SpecError(sorted(problems, key=lambda problem: problem.line or 0))
    return ParsedSpec(spec, document)


def load_spec(path: FilePath) -> MappingSpec:
    """Read a mapping spec from its file. Raises: SpecError with every problem of shape at once."""
    return parse(path.read_text("utf-8"), path.name).spec


def chosen(choice: Choice, answers: Mapping[str, str | None]) -> bool:
    """Tell whether every decision that `choice` names was answered with one of the options it lists."""
    return all(answers.get(name) in options for name, options in choice.items())


def shape_problem(document: Document, detail: Any) -> Problem:
    """Return one mistake of a spec's shape in the author's words, from what the model's validation tells."""
    return model_problem(document, detail, MappingSpec)

"""Read YAML into a MappingSpec, or say everything that is wrong with it, with path and line.

Belongs here: text -> model, line numbers, suggestions for misspelt keys. Not here: what one client decided (client), whether columns,
rules and fields exist (check), what they do (compile).
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.spec.model import Choice, MappingSpec

Path = tuple[str | int, ...]
NOTHING = "tag:yaml.org,2002:null"


_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads a spec ten times faster


class _Loader(_Base):  # type: ignore[misc]
    """YAML with the booleans of YAML 1.2: `Off`, `No` and dates stay the words that the author wrote."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


@dataclass
class Document:
    """Plain data of a YAML text and the line of every path in it (counted from 1)."""

    data: Any
    file: str
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    is_plain: bool = False
    """Every value is the text as it was written, or None: `0012`, `12.50` and `true` are words. References are refused."""
    seen: dict[int, Any] = field(default_factory=dict, repr=False)

    def line(self, path: Path) -> int | None:
        """Return the line of the path, or of its nearest parent that stands in the text."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at this path."""
        return Problem(path=dotted(path), message=message, line=self.line(path), file=self.file)


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


def read_document(text: str, file: str = "", *, is_plain: bool = False) -> Document:
    """Return the plain data of a YAML text with its lines; what YAML itself refuses becomes a SpecError."""
    document = Document(None, file, {(): 1}, is_plain=is_plain)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        document.data = _plain(loader, node, (), document) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise SpecError([Problem("(text)", f"is not readable YAML: {error.problem}", line, file)]) from error
    except (yaml.YAMLError, ValueError) as error:  # a control character; a date that no calendar has
        raise SpecError(
            [Problem("(text)", "is not readable YAML: it holds characters or values that YAML does not know", None, file)]
        ) from error
    except RecursionError as error:
        raise SpecError([Problem("(text)", "is nested too deeply, or refers to itself", None, file)]) from error
    return document


def dotted(path: Path) -> str:
    """Return a path as an author would say it: phases.people.fields.name, parts[0]."""
    text = ""
    for piece in path:
        text += f"[{piece}]" if isinstance(piece, int) else (f".{piece}" if text else str(piece))
    return text or "(document)"


def nearest(word: str, known: typing.Iterable[str]) -> str:
    """Return `; did you mean ...?` when a known word is close, else nothing."""
    close = closest(word, known)
    return f"; did you mean {close!r}?" if close else ""


def closest(word: str, known: typing.Iterable[str]) -> str | None:
    """Return the known word that is close to this one, if there is one."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def _plain(loader: _Loader, node: yaml.Node, path: Path, document: Document) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if document.is_plain and isinstance(node, yaml.CollectionNode):
        if id(node) in document.seen:  # nine lines of references to references are a billion words
            document.problems.append(document.problem(path, "refers to another place (`*name`); write it out"))
            return None
        document.seen[id(node)] = node
    if isinstance(node, yaml.MappingNode):
        return _plain_mapping(loader, node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, number), document) for number, item in enumerate(node.value)]
    if document.is_plain:
        return None if node.tag == NOTHING else str(node.value)
    return loader.construct_object(node)


def _plain_mapping(loader: _Loader, node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        inner = (*path, key)
        if key in data:
            document.problems.append(Problem(dotted(inner), "is written twice; keep one", key_node.start_mark.line + 1, document.file))
        document.lines[inner] = key_node.start_mark.line + 1
        data[key] = _plain(loader, value_node, inner, document)
    return data


def shape_problem(document: Document, detail: Any) -> Problem:
    """Return one mistake of a spec's shape in the author's words, from what the model's validation tells."""
    path = written_path(document.data, tuple(detail["loc"]))
    kind = detail["type"]
    if kind == "extra_forbidden":
        return document.problem(path, f"unknown key{nearest(str(path[-1]), keys_at(path[:-1]))}")
    if kind == "missing":
        return document.problem(path, "is missing")
    if kind == "value_error":
        return document.problem(path, str(detail["ctx"]["error"]))
    message = detail["msg"][0].lower() + detail["msg"][1:]
    expected = detail.get("ctx", {}).get("expected")
    found = detail.get("input")
    hint = nearest(str(found), re.findall(r"'([^']+)'", str(expected))) if expected and isinstance(found, str) else ""
    return document.problem(path, message + hint)


def written_path(data: Any, loc: Path) -> Path:
    """Drop what pydantic adds to a location (names of union members) and the text does not hold."""
    path: list[str | int] = []
    for number, piece in enumerate(loc):
        last = number == len(loc) - 1
        if isinstance(data, Mapping) and piece in data:
            path.append(piece)
            data = data[str(piece)]
        elif isinstance(data, list) and isinstance(piece, int) and piece < len(data):
            path.append(piece)
            data = data[piece]
        elif last and isinstance(data, Mapping):
            path.append(piece)
    return tuple(path)


def keys_at(path: Path, model: type[BaseModel] = MappingSpec) -> list[str]:
    """Return the keys that the model allows at a path."""
    annotation: Any = model
    for piece in path:
        annotation = _step(annotation, piece)
    node = _node_of(annotation)
    return [info.alias or name for name, info in node.model_fields.items()] if node else []


def _step(annotation: Any, piece: str | int) -> Any:
    node = _node_of(annotation)
    if node and not _is_container(annotation):
        info = next((info for name, info in node.model_fields.items() if piece in (info.alias, name)), None)
        return info.annotation if info else None
    arguments = [argument for argument in typing.get_args(annotation) if argument not in (type(None), ...)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        containers = [argument for argument in arguments if _node_of(argument)]
        return _step(containers[0], piece) if containers else None
    return arguments[-1] if arguments else None


def _is_container(annotation: Any) -> bool:
    return typing.get_origin(annotation) is not None


def _node_of(annotation: Any) -> type[BaseModel] | None:
    """Return the node class that an annotation holds, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = _node_of(argument)
        if found:
            return found
    return None

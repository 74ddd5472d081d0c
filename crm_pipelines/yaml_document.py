"""YAML that people write, read with the line of every key; and what is said of a key or value that may not stand there.

Belongs here: text -> plain data with lines, suggestions for misspelt keys, the words for a model's refusals. Not here: the models
themselves (settings, spec.model, spec.client_map), what their values must refer to (spec.check).
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel

from crm_pipelines.errors import Problem, SpecError

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


def read_document(text: str, file: str = "", *, is_plain: bool = False) -> Document:
    """Return the plain data of a YAML text with its lines; what YAML itself refuses becomes a SpecError."""
    document = Document(None, file, {(): 1}, is_plain=is_plain)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        document.data = _plain(loader, node, (), document) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        told = "a text that begins with * needs quotes" if "undefined alias" in str(error.problem) else error.problem  # it quotes the text
        raise SpecError([Problem("(text)", f"is not readable YAML: {told}", line, file)]) from error
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


def model_problem(document: Document, detail: Any, model: type[BaseModel], inside: Path = ()) -> Problem:
    """Return one mistake of a model's shape in the author's words; `inside` is where in the text the model stands."""
    path = written_path(document.data, (*inside, *detail["loc"]))
    known = keys_at(path[len(inside) : -1], model) if detail["type"] == "extra_forbidden" else []
    return document.problem(path, refusal(detail, str(path[-1]) if path else "", known))


def refusal(detail: Any, key: str = "", known: typing.Sequence[str] = ()) -> str:
    """Return why a model refuses a value, and what it takes: our words for pydantic's, and never the value.

    `key` and `known` are the key that was written and those that may stand beside it.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(key, known)
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        words, found = context["expected"], detail.get("input")
        hint = nearest(found, re.findall(r"'([^']+)'", words)) if isinstance(found, str) else ""
        return f"must be {'one of ' if ' or ' in words else ''}{words}{hint}"
    if kind in LIMITS:
        word, limit = LIMITS[kind]
        return f"must be {word} {context[limit]:g}"
    if kind == "string_too_short":
        return f"needs {context['min_length']} characters or more: words that others understand"
    return SHAPES.get(kind) or SHAPES.get(kind.partition("_")[0], "cannot stand here; look the key up in the documentation")


def unknown_key(key: str, known: typing.Sequence[str]) -> str:
    """Return what is said of a key that nothing knows: the nearest spelling, and all that could stand there."""
    listed = f"; known here: {', '.join(sorted(known))}" if known else ""
    return f"unknown key{nearest(key, known)}{listed}"


LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
LINES = "must hold `name: value` lines"
LIST = "must be a list, as [one, another]"
SHAPES = {
    "missing": "is missing",
    "string": "must be one text; write nothing but a word or a quoted sentence here",
    "string_pattern_mismatch": "must be a name of lower-case letters, digits and _, as acme_sales",
    "int": "must be a whole number, as 25",
    "float": "must be a number, as 30 or 2.5",
    "bool": "must be true or false",
    "date": "must be a day, as 2025-06-01",
    "datetime": "must be a day and time with offset, as 2025-06-01T09:00:00-04:00",
    "timezone": "must be a day and time with offset, as 2025-06-01T09:00:00-04:00",
    "tuple": LIST,
    "list": LIST,
    "model": LINES,
    "mapping": LINES,
    "dict": LINES,
}
"""Kind of refusal, or its first word -> what is taken. Source of the kinds: pydantic_core.core_schema.ErrorType."""


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


def keys_at(path: Path, model: type[BaseModel]) -> list[str]:
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

"""Read a spec past its mistakes of shape, so that one look tells all mistakes: the misspelt key and the unknown column further down.

Belongs here: mending a copy of the data only as far as needed to go on checking. Not here: what is loaded and run (parse: a spec with any
mistake is refused).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from crm_pipelines.errors import Problem
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import Document, ParsedSpec, Path, closest, dotted, keys_at, read_document, shape_problem, written_path

ROUNDS = 5  # a mended key can bring up mistakes below it


@dataclass
class Salvaged:
    """What could be read, and what is wrong with its shape."""

    parsed: ParsedSpec | None
    """None when the text is too far from a spec to go on."""
    problems: list[Problem]
    mended: list[Path] = field(default_factory=list)
    """Paths that were renamed or left out; what follows from that is no mistake of its own."""

    def is_own(self, problem: Problem) -> bool:
        """Tell whether a later problem is the author's own, not a consequence of the mending."""
        return not any(problem.path == dotted(path) or problem.path.startswith(f"{dotted(path)}.") for path in self.mended)


def salvage(text: str, file: str = "") -> Salvaged:
    """Read a spec as far as it can be read; every mistake of shape is told once."""
    document = read_document(text, file)
    problems, mended = list(document.problems), list[Path]()
    data = copy.deepcopy(document.data)
    for _ in range(ROUNDS):
        try:
            spec = MappingSpec.model_validate(data)
        except ValidationError as error:
            here = Document(data, document.file, document.lines)
            problems += [shape_problem(here, detail) for detail in error.errors()]
            is_mended = [_mend(here, detail, mended) for detail in error.errors()]
            if not all(is_mended):
                return Salvaged(None, _sorted(problems), mended)
        else:
            return Salvaged(ParsedSpec(spec, Document(data, document.file, document.lines)), _sorted(problems), mended)
    return Salvaged(None, _sorted(problems), mended)


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0)


def _mend(document: Document, detail: Any, mended: list[Path]) -> bool:
    """Rename a misspelt key to the one that was meant, or leave the wrong part out; False when that is not possible."""
    path = written_path(document.data, tuple(detail["loc"]))
    parent = _at(document.data, path[:-1])
    if not path or not isinstance(parent, dict) or path[-1] not in parent:
        return False
    meant = closest(str(path[-1]), keys_at(path[:-1], MappingSpec)) if detail["type"] == "extra_forbidden" else None
    value = parent.pop(path[-1])
    if meant is not None and meant not in parent:
        parent[meant] = value
        _follow(document, path, (*path[:-1], meant))
    else:
        mended.append(path)
    return True


def _follow(document: Document, old: Path, new: Path) -> None:
    """Let the lines of a renamed key be found under its new name."""
    moved = {(*new, *path[len(old) :]): line for path, line in document.lines.items() if path[: len(old)] == old}
    document.lines.update(moved)


def _at(data: Any, path: Path) -> Any:
    for piece in path:
        if isinstance(data, Mapping):
            data = data.get(str(piece))
        elif isinstance(data, list) and isinstance(piece, int) and piece < len(data):
            data = data[piece]
        else:
            return None
    return data

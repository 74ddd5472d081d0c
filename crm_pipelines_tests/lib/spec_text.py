"""Specs for tests: the real one with edits, and a small one of two phases.

Belongs here: text of specs. Not here: what must be true of them (unit/spec, unit/phases).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from crm_pipelines.spec.client import load_decisions
from crm_pipelines.spec.compile import Compiled, compile_spec
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import parse

ROUTE = Path(__file__).parent.parent.parent / "mapping_specs" / "kartra_to_pipedrive.yaml"
NEW_YORK = "America/New_York"


def route_text(*edits: tuple[str, str]) -> str:
    """Return the route's spec with each text replaced once."""
    text = ROUTE.read_text("utf-8")
    for before, after in edits:
        assert text.count(before) >= 1, f"the spec no longer holds {before!r}"
        text = text.replace(before, after, 1)
    return text


def compiled_route(custom_fields: list[dict[str, Any]] | None = None, *edits: tuple[str, str], **decisions: str) -> Compiled:
    """Return the route compiled for these answers; owners wait unless told otherwise."""
    spec = _spec(*edits)
    answers = {"owners": "queue_rows", **decisions}
    given = load_decisions(spec, "".join(f"{name}: {answer}\n" for name, answer in answers.items()))
    return compile_spec(spec, given, custom_fields or (), NEW_YORK)


@lru_cache
def _spec(*edits: tuple[str, str]) -> MappingSpec:
    return parse(route_text(*edits)).spec


def line_of(text: str, piece: str) -> int:
    """Return the line (from 1) on which a piece of text first stands."""
    return text[: text.index(piece)].count("\n") + 1

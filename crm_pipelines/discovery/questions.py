"""The questions that a client was asked, with what was answered, and what the route cannot move, under names that a client knows.

Belongs here: what spec and decisions alone tell, without a library that a look at an account would have to wait for. Not here: the rest of
the scope document (assemble).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.phases.project import Project
from crm_pipelines.spec.parse import chosen

NAMES = {"mrr_and_arr": "recurring revenue per month and year"}
"""Gaps that a client knows under another name."""


def decisions(project: Project) -> tuple[dict[str, Any], ...]:
    """Return the questions that apply, open ones first.

    Shape: name, question, options (option -> meaning), default, answer (None where the client gave none), why, is_open.
    """
    found = [
        {
            "name": name,
            "question": one.question,
            "options": dict(one.options),
            "default": one.default,
            "answer": project.answered.get(name),
            "why": one.why,
            "is_open": name in project.unanswered,
        }
        for name, one in project.spec.decisions.items()
        if name in project.unanswered or chosen(one.needed_if, project.decisions)
    ]
    return tuple(sorted(found, key=lambda one: not one["is_open"]))

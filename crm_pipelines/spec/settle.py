"""Decisions applied to a spec: what is left is what this client gets.

Belongs here: `only_if` and `decision` forms. Not here: whether the decisions exist (check) or are answered (parse).
"""

from __future__ import annotations

from collections.abc import Mapping

from crm_pipelines.spec.model import FieldMap
from crm_pipelines.spec.parse import chosen


def settle(node: FieldMap, decisions: Mapping[str, str]) -> FieldMap | None:
    """Return the field map under these decisions, free of them; None when the field does not exist then."""
    if not chosen(node.only_if, decisions):
        return None
    if node.decision is not None:
        return _settled_option(node, decisions)
    if_empty = settle(node.if_empty, decisions) if node.if_empty else None
    node = node.model_copy(update={"only_if": {}, "if_empty": if_empty})
    if node.parts:
        parts = tuple(part for part in (settle(each, decisions) for each in node.parts) if part is not None)
        return node.model_copy(update={"parts": parts}) if parts else None
    if node.cases:
        cases = tuple(case for case in node.cases if chosen(case.only_if, decisions))
        constant = {} if cases else {"value": node.otherwise}
        return node.model_copy(update={"cases": cases, **constant}) if cases or node.otherwise is not None else None
    return node


def _settled_option(node: FieldMap, decisions: Mapping[str, str]) -> FieldMap | None:
    option = node.options.get(decisions[str(node.decision)], "nothing")
    if option == "nothing" or not isinstance(option, FieldMap):
        return None
    settled = settle(option, decisions)
    if settled is None:
        return None
    only_when = {**node.only_when, **settled.only_when}
    return settled.model_copy(update={"only_when": only_when, "type": settled.type or node.type, "external_id": node.external_id})

"""Several exports of the source's own list of custom fields, made one list: a newer one describes the same fields once more.

Belongs here: whose word counts, and which options there are. Not here: reading the exports (phases.project), what becomes of a described
field (compile).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_pipelines.spec.headings import normalise_heading
from crm_pipelines.spec.model import SchemaFields

Row = Mapping[str, Any]


def joined(lists: Sequence[Iterable[Row]], node: SchemaFields) -> list[dict[str, Any]]:
    """Return one row per field out of several lists, the oldest first.

    Shape: fields in the order in which they first appear. The newest list that has a field tells name and type; its options come first,
    then those that only older lists know, for older records hold them. Rows without a name stay, and two rows of one list are two fields.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in lists:
        told: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            told.setdefault(normalise_heading(str(row.get(node.name_column) or "")), []).append(dict(row))
        for name, newer in told.items():
            older = found.get(name, [])
            found[name] = [*older, *newer] if not name else _renewed(older, newer, node)
    return [row for rows in found.values() for row in rows]


def _renewed(older: Sequence[Row], newer: Sequence[Row], node: SchemaFields) -> list[dict[str, Any]]:
    if len(older) != 1 or len(newer) != 1 or _kind(older[0], node) != _kind(newer[0], node):
        return [dict(row) for row in newer]
    return [_with_options(newer[0], older[0], node)]


def _kind(row: Row, node: SchemaFields) -> str:
    return str(row.get(node.type_column) or "").casefold()


def _with_options(row: Row, older: Row, node: SchemaFields) -> dict[str, Any]:
    """Return a row with the options that only the older one has, and their ids as far as no other option has them now."""
    options, before = _listed(row, node.options_column), _listed(older, node.options_column)
    known = {option.casefold() for option in options}
    more = [place for place, option in enumerate(before) if option.casefold() not in known]
    out = {**row, node.options_column: [*options, *(before[place] for place in more)]}
    if node.option_ids_column:
        ids, old_ids = _listed(row, node.option_ids_column), _listed(older, node.option_ids_column)
        if len(ids) == len(options):
            is_told = len(old_ids) == len(before)
            spare = {place: old_ids[place] if is_told and old_ids[place] not in ids else before[place] for place in more}
            out[node.option_ids_column] = [*ids, *spare.values()]  # an option without an id stands for itself
    return out


def _listed(row: Row, column: str) -> list[str]:
    return [str(each) for each in row.get(column) or []]

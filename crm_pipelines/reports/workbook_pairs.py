"""The rows of the sheet Duplicates: likely pairs by the groups that they make, each record by what one recognises it by.

Belongs here: rows about pairs. Not here: finding pairs (discovery.duplicates), what verdicts mean (phases.twin_groups), other rows
(workbook_rows).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crm_pipelines.phases.twin_groups import APART, FIRST, SECOND
from crm_pipelines.reports.sheets import STATE, Cell, Scalar
from crm_pipelines.reports.workbook_material import Material

Values = dict[str, Scalar | Cell]
Key = tuple[str, str, str]
"""Object, first, second."""
SURE = 0.99
"""No pair is shown as more certain: rules find it, and a rule can be wrong."""


def duplicate_rows(material: Material) -> list[Values]:
    """Return a row per likely pair, and per pair that was decided before; the pairs of a group stand together."""
    verdicts = pairs_decided(material)
    found: dict[Key, Mapping[str, object]] = {}
    for pair in material.proposed.duplicates:
        first, *others = (str(key) for key in _listed(pair.get("keys")))
        for other in others:
            if (str(pair["object"]), other, first) not in found:
                found[str(pair["object"]), first, other] = pair
    for name, first, second in verdicts:
        if (name, second, first) not in found:
            found.setdefault((name, first, second), {})
    rows: list[Values] = []
    for number, keys in enumerate(groups_of(found), 1):
        rows += [_pair(key, number, found[key], verdicts) for key in keys]
    return rows


def groups_of(keys: Iterable[Key]) -> list[list[Key]]:
    """Return pairs by the groups that they make, each group where its first pair stood."""
    home: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        name, first, second = key
        one, other = home.get((name, first), []), home.get((name, second), [])
        group = one if one is other else [*one, *other]
        group.append(key)
        home.update({(each[0], record): group for each in group for record in each[1:]})
    groups = {id(group): group for group in home.values()}
    return list(groups.values())


def pairs_decided(material: Material) -> dict[Key, str]:
    """Return (object, first, other) -> verdict: each group as pairs with its survivor, all pairs of what is different."""
    verdicts = {}
    for name, groups in material.client.same.items():
        verdicts.update({(name, group[0], other): FIRST for group in groups for other in group[1:]})
    for name, groups in material.client.different.items():
        for group in groups:
            verdicts.update({(name, one, other): APART for place, one in enumerate(group) for other in group[place + 1 :]})
    return verdicts


def _pair(key: Key, number: int, pair: Mapping[str, object], verdicts: Mapping[Key, str]) -> Values:
    name, first, second = key
    turned = {FIRST: SECOND, SECOND: FIRST}
    back = verdicts.get((name, second, first), "")
    verdict = verdicts.get(key) or turned.get(back, back)
    score = pair.get("score")
    why = pair.get("why", "Decided before.")
    shown = [str(each) for each in _listed(pair.get("shown"))] or ["", ""]
    return {
        "object": name,
        "group": number,
        "first": first,
        "first_shown": shown[0],
        "second": second,
        "second_shown": shown[-1],
        "score": f"{min(score, SURE):.0%}" if isinstance(score, float) else "",
        "why": "; ".join(map(str, _listed(why))) if isinstance(why, list | tuple) else str(why),
        "verdict": Cell(verdict, state="done" if verdict else "may"),
        STATE: "band" if number % 2 else "",
    }


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list | tuple) else ()

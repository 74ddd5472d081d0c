"""What the scope document says of mailing people: how many it may be, what decides, what the new system does not hold back.

Belongs here: sentences. Not here: counting (discovery.mailing), the same after the load (reconciliation_facts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_pipelines.discovery.values import Discovery
from crm_pipelines.reports.scope_words import Line, title


def may_be_mailed(found: Discovery) -> str:
    """Return how many people may be mailed and why not the others; empty where it is not known."""
    said = found.mailing
    if not said:
        return ""
    rest = [f"{said['refused']:,} said no", f"{said['unproven']:,} have no consent that the exports prove"]
    rest += [f"{said['unusable']:,} have no usable e-mail address"] if said["unusable"] else []
    return f"Of {said['people']:,} people you may mail {said['agreed']:,}: their consent stands in the exports. {', '.join(rest)}."


def to_settle(found: Discovery) -> list[Line]:
    """Return what the client has to settle about mailing, marked as important."""
    if not found.mailing:
        return []
    asked = [one for one in found.decisions if one["name"] in found.mailing["decisions"]]
    if found.mailing["kept"] and not asked:
        return []
    what = f"Important: who may be mailed ({found.mailing['agreed']:,} of {found.mailing['people']:,} people)"
    return [Line(what, f"{may_be_mailed(found)} {_asked(asked[0]) if asked else _unguarded(found)}")]


def tile(found: Discovery) -> list[tuple[str, str]]:
    """Return the figure for the top of the page; none where it is not known."""
    return [(f"{found.mailing['agreed']:,}", f"of {found.mailing['people']:,} people you may mail")] if found.mailing else []


def _asked(decision: Mapping[str, Any]) -> str:
    """Return the question that decides it, with the answer that counts."""
    chosen = decision["answer"] or decision["default"] or ""
    taken = decision["options"].get(chosen) or chosen
    whose = "Your answer" if decision["answer"] else "Our answer, which counts until you give another"
    return f"The question in the workbook: {decision['question']} {whose}: {taken} Look at this one yourself."


def _unguarded(found: Discovery) -> str:
    system = title(found.destination)
    return (
        f"{system} only holds back those who said no ({found.mailing['refused']:,}); it would mail the other "
        f"{found.mailing['unproven']:,} as well. Before the first mailing choose the {found.mailing['agreed']:,} by the consent "
        "that arrives with each person; if you have proof for more, tell us."
    )

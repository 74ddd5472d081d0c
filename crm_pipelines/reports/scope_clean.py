"""What a scope document says of contacts that are hardly worth moving: the four kinds that may stay behind, and what is only good to know.

Belongs here: choosing and saying. Not here: the rules and the counting (discovery.clean), leaving out (phases.resolve).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from crm_pipelines.discovery.values import CleanCount, Discovery
from crm_pipelines.reports.scope_words import Line, plain, upper_first
from crm_pipelines.spec.client_map import LeaveOut

OUTCOMES = {
    "unsubscribed": "They arrive as unsubscribed.",
    "complained": "They arrive as unsubscribed.",
    "likely_duplicate": "Both arrive, unless you say in the workbook (sheet “Duplicates”) that they are one.",
    "ruined_phone": "The person arrives; the text stays as it is, and is no phone number.",
}
"""Kind that is no choice -> what happens to such contacts."""
LABELS = {
    "no_email": "without an e-mail address",
    "role_account": "addresses of a role",
    "unusable_email": "with an e-mail address that cannot be used",
    "complained": "complained about spam",
    "duplicate_email": "with the address of another contact",
    "likely_duplicate": "probably the same person as another contact",
    "ruined_phone": "with a ruined phone number",
}
"""Kind -> what the client reads."""


def contacts_of(found: Discovery) -> CleanCount | None:
    """Return the count of the object that is judged by more than its keys; None when it was not exported, or holds no record."""
    judged = [one for one in found.clean if len(one.rules) > 1 and one.distinct_keys]
    return judged[0] if judged else None


def to_clean(found: Discovery) -> tuple[Line, ...]:
    """Return the kinds of contacts that the client may leave behind, most first."""
    count = contacts_of(found)
    return _lines(count, get_args(LeaveOut), lambda kind: _stale(count) if kind == "stale" else "")


def good_to_know(found: Discovery) -> tuple[Line, ...]:
    """Return the kinds that are no choice, each with what happens to such contacts."""
    count = contacts_of(found)
    kinds = [kind for kind in count.kinds if kind not in get_args(LeaveOut)] if count else []
    return _lines(count, kinds, lambda kind: OUTCOMES.get(kind, "") or _decided(found.decisions, kind))


def clean_kind(kind: str) -> str:
    """Return a kind as a client reads it."""
    return LABELS.get(kind, plain(kind))


def clean_rule(count: CleanCount) -> str:
    """Return how the figures follow from each other, in one sentence after the other."""
    people, name = count.distinct_keys - count.merged, plain(count.object)
    merged = (
        f"{count.merged:,} of {count.distinct_keys:,} different {name} share an address with another one and become one person with it. "
    )
    share = f" ({100 * (people - count.clean) // people} %)" if people else ""
    return (
        f"{merged if count.merged else ''}{people - count.clean:,} of the {people:,} people{share} are of at least one of the four kinds "
        f"that you may leave behind (no address, of a role, bounced, stale). If all four stay behind, {count.clean:,} arrive."
    )


def _lines(count: CleanCount | None, kinds: Any, more: Any) -> tuple[Line, ...]:
    if count is None:
        return ()
    told = sorted(((kind, count.kinds.get(kind, 0)) for kind in kinds), key=lambda one: -one[1])
    words = [(kind, rows, f"{upper_first(count.rules.get(kind, ''))} {more(kind)}".strip()) for kind, rows in told if rows]
    return tuple(Line(f"{rows:,} {clean_kind(kind)}", text) for kind, rows, text in words)


def _stale(count: CleanCount | None) -> str:
    """Return how many of the stale ones a mailing list or a tag speaks for: the rule does not look at either."""
    said = count.stale_with if count else {}
    parts = [f"{said['subscribed']:,} of them are subscribed"] if "subscribed" in said else []
    parts += [f"{said['tagged']:,} carry a tag" if parts else f"{said['tagged']:,} of them carry a tag"] if "tagged" in said else []
    return f"{' and '.join(parts)} all the same." if parts else ""


def _decided(decisions: tuple[Mapping[str, Any], ...], kind: str) -> str:
    """Return what the decision of that name says now; empty where there is none."""
    for one in decisions:
        if one["name"] == kind and (meaning := one["options"].get(one["answer"] or one["default"] or "")):
            return f"{meaning} ({'Your answer' if one['answer'] else 'Unless you decide otherwise'}.)"
    return ""


def kinds_told(count: CleanCount) -> str:
    """Return the kinds of an object that is judged by its keys alone."""
    told = [f"{rows:,} {plain(kind)}: {count.rules.get(kind, '')}" for kind, rows in count.kinds.items() if rows]
    return " ".join(told) or "none"

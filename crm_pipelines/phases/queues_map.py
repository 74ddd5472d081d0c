"""The client's map with answers to queues in it.

Belongs here: joining answers with what was decided before, so that every decision is found in one step. Not here: judging answers
(queues_answers), groups of keys (twin_groups), writing the map (client).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from crm_pipelines.errors import Problem, SpecError
from crm_pipelines.phases.queues_answers import Answers
from crm_pipelines.phases.twin_groups import APART, Groups, Verdict, apply_verdicts, is_one, kept_first
from crm_pipelines.spec.client_map import ClientMap, ConflictAnswer

Sides = Mapping[str, Mapping[str, Mapping[str, ConflictAnswer]]]


class CircularError(Exception):
    """Owners hand records around; caught by whoever knows what was answered."""


def wanted_map(known: ClientMap, answers: Answers) -> ClientMap:
    """Return the client's map with the answers in it. Raises: SpecError where answers contradict each other or what was decided."""
    same, different = dict(known.same), dict(known.different)
    for name in dict.fromkeys([*answers.same, *answers.different]):
        same[name], different[name] = _groups(known, answers, name)
    same, different = ({name: groups for name, groups in part.items() if groups} for part in (same, different))
    try:
        owners = settled(known.owners, answers.owners)
    except CircularError:
        told = "the answers hand records around in a circle of owners; name the user who takes over in the end"
        raise SpecError([Problem("queue owner", told)]) from None
    names = {**known.values, **answers.values}
    values = {name: repointed(known.values.get(name, {}), answers.values.get(name, {})) for name in names}
    lines = {
        name: {**known.left_lines.get(name, {}), **answers.left_lines.get(name, {})} for name in {**known.left_lines, **answers.left_lines}
    }
    rows: dict[str, object] = {
        "conflicts": with_sides(known.conflicts, answers.conflicts),
        "left_behind": _joined(known.left_behind, answers.left_behind),
        "left_lines": {name: _joined(known.left_lines.get(name, {}), each) for name, each in lines.items()},
    }
    return known.model_copy(update={"owners": owners, "values": values, "same": same, "different": different, **rows})


def _joined(known: Mapping[str, Mapping[str, str]], answers: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {name: {**known.get(name, {}), **answers.get(name, {})} for name in dict.fromkeys([*known, *answers])}


def with_sides(known: Sides, answers: Sides) -> Sides:
    """Return which side counts in conflicts after answers, by phase, key and field."""
    phases = dict.fromkeys([*known, *answers])
    keys = {phase: dict.fromkeys([*known.get(phase, {}), *answers.get(phase, {})]) for phase in phases}
    return {
        phase: {key: {**known.get(phase, {}).get(key, {}), **answers.get(phase, {}).get(key, {})} for key in keys[phase]}
        for phase in phases
    }


def _groups(known: ClientMap, answers: Answers, name: str) -> tuple[Groups, Groups]:
    """Return who is one and who is not after the answers. Raises: SpecError; an answer takes back nothing that was decided before."""
    same, different = known.same.get(name, ()), known.different.get(name, ())
    apart = [Verdict(name, *pair, APART, "") for pair in answers.different.get(name, ())]
    together = kept_first(same, name, answers.same.get(name, ()))
    after, others, wrong = apply_verdicts(same, different, [*together, *apart])
    pairs = [*(pair for group in different for pair in combinations(group, 2)), *answers.different.get(name, ())]
    if any(is_one((*same, *after), *pair) for pair in pairs):
        told = f"{name}: two records are called the same, and somewhere different; keep one of the two answers"
        raise SpecError([Problem("queue duplicate", told)])
    if wrong:
        raise SpecError([Problem("queue duplicate", "the answers merge records in a circle; say of each pair once which one survives")])
    return after, others


def repointed(known: Mapping[str, str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return words with their meanings after answers: what meant a word that was answered now, means what that word means."""
    meant = {_folded(word): meaning for word, meaning in answers.items()}
    kept = {word: meant.get(_folded(meaning), meaning) for word, meaning in known.items() if _folded(word) not in meant}
    return {**kept, **answers}


def settled(known: Mapping[str, str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return owners with who takes over in the end: words are looked up once, so nobody may be handed on. Raises: CircularError."""
    anew = {_folded(owner) for owner in answers}
    owners = {**{owner: user for owner, user in known.items() if _folded(owner) not in anew}, **answers}
    users = {_folded(owner): user for owner, user in owners.items()}
    return {owner: _end(owner, users) for owner in owners}


def _end(owner: str, users: Mapping[str, str]) -> str:
    seen, user = {_folded(owner)}, users[_folded(owner)]
    while _folded(users.get(_folded(user), user)) != _folded(user):
        if _folded(user) in seen:
            raise CircularError(owner)
        seen.add(_folded(user))
        user = users[_folded(user)]
    return user


def _folded(word: str) -> str:
    return word.strip().casefold()

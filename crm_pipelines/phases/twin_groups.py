"""Verdicts on pairs of records, made into groups: who is one, who survives, who stays apart.

Belongs here: groups and the contradictions in them, for the workbook and for queue files. Not here: sheets (reports.workbook_answers,
reports.queues), likely pairs (queues_pairs), merging records (phases.resolve).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FIRST, SECOND, APART = "Same: keep the first", "Same: keep the second", "Different"
"""The words of a verdict, as people read them."""
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Verdict:
    """What somebody says of two records of one object; an empty word takes back what was said."""

    object: str
    first: str
    second: str
    word: str
    place: str
    """Cell that says it."""


@dataclass(frozen=True)
class Contradiction:
    """Cells that cannot all be meant."""

    place: str
    expected: str


def verdict_in(same: Groups, different: Groups, first: str, second: str) -> str:
    """Return what groups say of two records; empty when nothing."""
    for group in same:
        if first in group and second in group:
            return FIRST if group[0] == first else SECOND if group[0] == second else ""
    return APART if any(first in group and second in group for group in different) else ""


def is_one(groups: Iterable[Sequence[str]], first: str, second: str) -> bool:
    """Whether one of the groups holds both."""
    return any(first in group and second in group for group in groups)


def kept_first(same: Groups, object_name: str, pairs: Iterable[tuple[str, str]]) -> list[Verdict]:
    """Return pairs that are one, the first to be kept, as verdicts on the records that they are part of by then.

    Who says of three that 1 and 3 are one, and 2 and 3, says nothing of 1 and 2: the later pair's first survives. A pair that turns round
    what was said before stays as it is, to be told as a contradiction.
    """
    head = {key: group[0] for group in same for key in group}
    found = []
    for first, second in pairs:
        kept, gone = head.get(first, first), head.get(second, second)
        if kept != gone:
            found.append(Verdict(object_name, kept, gone, FIRST, ""))
            head |= dict.fromkeys((first, second, gone, *(key for key, top in head.items() if top == gone)), kept)
        elif second == kept:
            found.append(Verdict(object_name, first, second, FIRST, ""))
    return found


def apply_verdicts(same: Groups, different: Groups, verdicts: Sequence[Verdict]) -> tuple[Groups, Groups, list[Contradiction]]:
    """Return the groups of one object after the verdicts, and what contradicts itself in them."""
    told = {frozenset((each.first, each.second)) for each in verdicts}
    edges = [(group[0], other) for group in same for other in group[1:] if frozenset((group[0], other)) not in told]
    touched = {key for pair in told for key in pair}
    untouched = tuple(group for group in same if touched.isdisjoint(group))
    edges = [edge for edge in edges if not any(edge[0] in group for group in untouched)]
    wins = [
        (each.first, each.second) if each.word == FIRST else (each.second, each.first) for each in verdicts if each.word in (FIRST, SECOND)
    ]
    groups, wrong = _grouped([*edges, *wins])
    apart = tuple(group for group in different if not any(pair <= set(group) for pair in told))
    split = [pair for group in different for pair in _pairs(group) if group not in apart and frozenset(pair) not in told]
    apart = (*apart, *split, *((each.first, each.second) for each in verdicts if each.word == APART))
    problems = _contradictions((*untouched, *groups), apart, wrong, verdicts)
    return (*untouched, *groups), apart, problems


def _grouped(wins: Sequence[tuple[str, str]]) -> tuple[Groups, list[frozenset[str]]]:
    """Return groups with their survivor first, and those in which nobody or more than one survives."""
    members: dict[str, set[str]] = {}
    for winner, loser in wins:
        merged = members.get(winner, {winner}) | members.get(loser, {loser})
        members.update(dict.fromkeys(merged, merged))
    losers = {loser for _, loser in wins}
    groups, wrong = [], []
    for group in {id(each): each for each in members.values()}.values():
        survivors = [key for key in group if key not in losers]
        if len(survivors) == 1:
            groups.append((survivors[0], *dict.fromkeys(loser for _, loser in wins if loser in group)))
        else:
            wrong.append(frozenset(group))
    return tuple(groups), wrong


def _contradictions(same: Groups, apart: Groups, wrong: Iterable[frozenset[str]], verdicts: Sequence[Verdict]) -> list[Contradiction]:
    found = []
    for group in wrong:
        for each in verdicts:
            if {each.first, each.second} <= group and each.word in (FIRST, SECOND):
                found.append(
                    Contradiction(each.place, "exactly one record of those that are the same to be kept, not a circle and not two")
                )
    home: Mapping[str, int] = {key: number for number, group in enumerate([*same, *map(tuple, wrong)]) for key in group}
    for one, other in (pair for group in apart for pair in _pairs(group)):
        if one in home and home[one] == home.get(other):
            for each in verdicts:
                if {each.first, each.second} == {one, other} or (each.word in (FIRST, SECOND) and home.get(each.first) == home[one]):
                    found.append(Contradiction(each.place, "records that are the same not to be called different elsewhere"))
    return list(dict.fromkeys(found))


def _pairs(group: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, other) for place, one in enumerate(group) for other in group[place + 1 :]]

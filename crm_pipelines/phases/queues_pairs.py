"""Likely twins that were judged: groups of keys that are one record, joined with those decided before.

Belongs here: joining groups, finding contradictions. Not here: merging records (phases.resolve), finding twins (discovery).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Groups = tuple[tuple[str, ...], ...]


class CircularError(Exception):
    """Two answers about the same records exclude each other; caught by whoever knows the cell."""


def joined(groups: Iterable[Sequence[str]], pairs: Iterable[tuple[str, str]]) -> Groups:
    """Return groups of keys that are one record, after some pairs more; the first of a group survives.

    Raises: CircularError when a pair turns around which of the two survives.
    """
    found = [list(group) for group in groups]
    for first, second in pairs:
        home = next((group for group in found if first in group), None)
        other = next((group for group in found if second in group), None)
        if other is not None and other is home:
            if other[0] == second:
                raise CircularError(f"{second}, {first}")
            continue
        if home is None:
            home = [first]
            found.append(home)
        home += other if other is not None else [second]
        if other is not None:
            found.remove(other)
    return tuple(tuple(group) for group in found)


def contradiction(same: Iterable[Sequence[str]], different: Iterable[Sequence[str]]) -> bool:
    """Whether two keys of one group are told apart somewhere."""
    apart = [set(group) for group in different]
    return any(len(set(group) & each) > 1 for group in same for each in apart)


def with_pairs(known: Mapping[str, Groups], pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Groups]:
    """Return groups by object after pairs were joined in. Raises: CircularError."""
    return {name: joined(known.get(name, ()), pairs.get(name, ())) for name in dict.fromkeys([*known, *pairs])}


def with_apart(known: Mapping[str, Groups], pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Groups]:
    """Return by object the groups that are no one record, after some pairs more."""
    return {name: tuple(dict.fromkeys([*known.get(name, ()), *pairs.get(name, ())])) for name in dict.fromkeys([*known, *pairs])}

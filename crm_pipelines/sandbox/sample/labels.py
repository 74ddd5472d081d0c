"""Tag and list cells: several names in one cell, soiled as real accounts soil them.

Belongs here: choosing names and writing them into a cell. Not here: which contacts get how many (people).
A spelling is only ever twisted where the contract decides which one wins: the inventory's, else the most frequent.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.world import EMPTY, Cell

MANY = 80


def some_tags(rng: random.Random) -> list[str]:
    """Choose the tags of one contact: mostly a few, often none."""
    count = rng.choices((0, 1, 2, 3, 5, 8), (20, 25, 22, 18, 10, 5))[0]
    return rng.sample(words.TAGS + words.OTHER_TAGS, count)


def some_lists(rng: random.Random) -> list[str]:
    """Choose the lists of one contact."""
    return rng.sample(words.LISTS, rng.choices((0, 1, 2, 3), (40, 38, 17, 5))[0])


def tag_cell(rng: random.Random, names: Sequence[str], separator: str) -> Cell:
    """Write tags into a cell with case twins, repetitions and stray spaces now and then."""
    if not names:
        return EMPTY
    soiled = [_soiled(rng, name) for name in names]
    pieces = [piece for piece, _ in soiled]
    quirks = {quirk for _, quirk in soiled if quirk}
    if rng.random() < 0.04:
        pieces.append(pieces[0])
        quirks.add("tag_repeated")
    if rng.random() < 0.04:
        pieces.append(names[-1].lower())
        quirks.add("tag_case_twin")
    if words.COMMA_TAG in names:
        quirks.add("tag_with_comma")
    return Cell(_joined(rng, pieces, separator), list(names), tuple(sorted(quirks)))


def list_cell(rng: random.Random, names: Sequence[str], separator: str) -> Cell:
    """Write lists into a cell."""
    return Cell(_joined(rng, names, separator), list(names)) if names else EMPTY


def crowded_cell(rng: random.Random, separator: str) -> Cell:
    """Write a cell of 80 tags, most of them repetitions in another case."""
    names = list(words.TAGS)
    pieces = names + [rng.choice((name.upper(), name.lower(), f" {name} ")) for name in rng.choices(names, k=MANY - len(names))]
    return Cell(_joined(rng, pieces, separator), names, ("tag_with_comma",))


def _soiled(rng: random.Random, name: str) -> tuple[str, str]:
    draw = rng.random()
    if draw < 0.02 and name in words.TAGS:
        return name.upper() if rng.random() < 0.5 else name.lower(), "tag_other_case"
    if draw < 0.04:
        return f"  {name.replace(' ', '  ', 1)} ", "tag_stray_spaces"
    return name, ""


def _joined(rng: random.Random, pieces: Sequence[str], separator: str) -> str:
    return (separator + rng.choice(("", " ", " "))).join(pieces)

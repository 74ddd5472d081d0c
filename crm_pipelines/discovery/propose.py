"""Propose a home for every column of an export: ranked, with evidence, one-to-one, abstaining where nothing comes near.

Belongs here: ranking, one-to-one assignment, states. Not here: what is known of a column (features), weights (model), reading an
engagement (proposing), sentences (telling). Pure: the same columns, targets and overlap give the same proposals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from scipy.optimize import linear_sum_assignment

from crm_pipelines.discovery import telling
from crm_pipelines.discovery.features import ColumnSample, Facts, Surveyor
from crm_pipelines.discovery.model import TINY, Model, load_model
from crm_pipelines.discovery.overlap import Overlap
from crm_pipelines.discovery.proposal import Candidate, Proposal, State, Target

PLACES = 3
"""Fields offered beside the two that are no place."""
NEAR = 0.08
"""Confidence below which a field is not worth a choice."""
NO_TARGET = Target("", "no target", "none", "", label="No target")
NEW_FIELD = Target("", "new custom field", "new", "", label="New custom field")


def propose_columns(
    columns: Sequence[ColumnSample],
    targets: Sequence[Target],
    overlap: Overlap | None = None,
    *,
    taken: Sequence[Target] = (),
    model: Model | None = None,
) -> tuple[Proposal, ...]:
    """Propose for every column, each file (object) by itself; a target is first for one column of a file only.

    `taken` are filled already, cannot be chosen, or (kind `new`) have no field: a column that means one is not pushed to the next best.
    Shape: one proposal per column, in the order given; up to three fields and both of `no target` and `new custom field`, best first.
    """
    weights = model or load_model()
    surveyor = Surveyor((*targets, *taken), overlap or Overlap())
    made: dict[int, Proposal] = {}
    for _, group in groupby(sorted(enumerate(columns), key=lambda each: each[1].object), key=lambda each: each[1].object):
        places, file = zip(*group, strict=True)
        made.update(zip(places, _of_file(surveyor, file, weights, len(targets)), strict=True))
    return tuple(made[place] for place in range(len(columns)))


def weighed(surveyor: Surveyor, columns: Sequence[ColumnSample], model: Model) -> tuple[list[Facts], np.ndarray]:
    """Return the facts of a file's columns and the probability of every target, neighbours taken into account."""
    facts = surveyor.survey(columns)
    facts = surveyor.with_neighbours(facts, [model.probable(each) for each in facts])
    return facts, np.array([model.probable(each) for each in facts]).reshape(len(facts), len(surveyor.targets))


def _of_file(surveyor: Surveyor, columns: Sequence[ColumnSample], model: Model, offered: int) -> Iterator[Proposal]:
    """Yield a proposal per column; targets from the place `offered` on are taken, and their share goes to no target."""
    facts, every = weighed(surveyor, columns, model)
    probable = every[:, :offered]
    chosen = assign(probable)
    left = shared_out(probable, chosen)
    for place, each in enumerate(facts):
        yield _proposal(_Look(surveyor, each, _claimed(every[place], offered)), left[place], chosen[place], model)


def _claimed(probable: np.ndarray, offered: int) -> int | None:
    """Return the taken target that a column means rather than any other or none."""
    likeliest = int(probable.argmax()) if len(probable) else -1
    is_meant = likeliest >= offered and probable[likeliest] > 1 - probable.sum()
    return likeliest if is_meant else None


def assign(probable: np.ndarray) -> list[int | None]:
    """Give every column its target, or none, so that all together are most probable; no target is given twice."""
    if not probable.size:
        return [None] * len(probable)
    none = np.clip(1 - probable.sum(axis=1), TINY, 1)
    gain = np.log(np.clip(probable, TINY, 1))
    dummies = np.where(np.eye(len(probable), dtype=bool), np.log(none)[:, None], np.log(TINY))
    rows, places = linear_sum_assignment(np.hstack([gain, dummies]), maximize=True)
    width = probable.shape[1]
    found = {int(row): int(place) for row, place in zip(rows, places, strict=True)}
    return [place if (place := found[row]) < width else None for row in range(len(probable))]


def shared_out(probable: np.ndarray, chosen: Sequence[int | None]) -> np.ndarray:
    """Take from every column what another one has better reason to claim."""
    left = probable.copy()
    for owner, place in enumerate(chosen):
        if place is not None:
            rest = np.arange(len(probable)) != owner
            left[rest, place] *= 1 - probable[owner, place]
    total = left.sum(axis=1) + np.clip(1 - probable.sum(axis=1), 0, 1)
    return np.asarray(left / total[:, None])


@dataclass(frozen=True)
class _Look:
    """One column with what is known of it, and the taken target that it means most likely."""

    surveyor: Surveyor
    facts: Facts
    claimed: int | None


def _proposal(look: _Look, probable: np.ndarray, chosen: int | None, model: Model) -> Proposal:
    surveyor, facts = look.surveyor, look.facts
    none = float(np.clip(1 - probable.sum(), 0, 1))
    order = sorted(range(len(probable)), key=lambda place: (place != chosen, -probable[place], place))[:PLACES]
    fields = [
        Candidate(surveyor.targets[place], model.confidence(probable[place]), telling.of_target(facts, place, surveyor.targets[place]))
        for place in order
    ]
    ranked = _ranked(fields, _no_places(look, model.confidence(none)), chosen is not None)
    column = facts.column
    return Proposal(
        object=column.object,
        heading=column.heading,
        column=column.column,
        filled=column.filled,
        inferred=column.inferred,
        candidates=ranked,
        state=_state(ranked, model.threshold),
    )


def _ranked(fields: list[Candidate], no_places: list[Candidate], is_placed: bool) -> tuple[Candidate, ...]:
    """Put the assigned one first, the others by confidence; together they are sure at most once."""
    first = (fields or no_places)[0] if is_placed else no_places[0]
    rest = [each for each in (*fields, *no_places) if each is not first]
    share = min(1.0, (1 - first.confidence) / max(TINY, sum(each.confidence for each in rest)))
    scaled = [replace(each, confidence=round(each.confidence * share, 4)) for each in rest]
    return (first, *sorted(scaled, key=lambda each: -each.confidence))


def _no_places(look: _Look, confidence: float) -> list[Candidate]:
    """Return `no target` and `new custom field`, the likelier one with the confidence that no field fits."""
    is_technical = look.claimed is None and telling.is_technical(look.facts)
    likely, other = (NO_TARGET, NEW_FIELD) if is_technical else (NEW_FIELD, NO_TARGET)
    told = telling.of_none(look.facts)
    if look.claimed is not None:
        told = telling.of_taken(look.facts, look.claimed, look.surveyor.targets[look.claimed])
    return [Candidate(likely, confidence, told), Candidate(other, round(confidence * 0.2, 4), ())]


def _state(ranked: Sequence[Candidate], threshold: float) -> State:
    if ranked[0].confidence >= threshold:
        return "pre-ticked"
    is_near = any(each.confidence >= NEAR and each.target.kind in ("field", "custom_field") for each in ranked)
    return "choose" if is_near else "unmapped"

"""The few numbers that weigh the evidence, and the confidence that comes out.

Belongs here: weights (aliases/calibration.yaml, fitted by `python -m benchmarks.mapping --fit`), probabilities, calibration. Not here:
what is weighed (features), one-to-one assignment (propose), fitting (benchmarks/mapping_fit.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from crm_pipelines.discovery.features import FEATURES, NONE_FEATURES, Facts
from crm_pipelines.discovery.lexicon import read_table

TINY = 1e-9


@dataclass(frozen=True)
class Model:
    """Weights of the features, and what turns a probability into a confidence."""

    target: np.ndarray
    """One weight per feature of (column, target)."""
    none: np.ndarray
    """One weight per feature of (column, no target)."""
    slope: float
    offset: float
    """Confidence = logistic(slope * logit(probability) + offset)."""
    threshold: float
    """Confidence from which a proposal is pre-ticked."""

    def probable(self, facts: Facts) -> np.ndarray:
        """Return the probability of every target; what is missing to 1 is that of none."""
        scores = np.append(facts.matrix @ self.target, facts.none @ self.none)
        odds = np.exp(scores - scores.max())
        return np.asarray((odds / odds.sum())[:-1])

    def confidence(self, probability: float) -> float:
        """Return the calibrated confidence, rounded so that equal input gives equal files."""
        clipped = min(max(probability, TINY), 1 - TINY)
        return round(float(1 / (1 + np.exp(-(self.slope * np.log(clipped / (1 - clipped)) + self.offset)))), 4)


@cache
def load_model() -> Model:
    """Read the stored weights."""
    return from_table(read_table("calibration"))


def from_table(table: Mapping[str, Mapping[str, str]]) -> Model:
    """Make a model of the stored numbers."""
    weights, none, confidence = table["target"], table["none"], table["confidence"]
    return Model(
        target=_vector(weights, FEATURES),
        none=_vector(none, NONE_FEATURES),
        slope=float(confidence["slope"]),
        offset=float(confidence["offset"]),
        threshold=float(confidence["threshold"]),
    )


def _vector(table: Mapping[str, str], names: Sequence[str]) -> np.ndarray:
    return np.array([float(table[name]) for name in names])

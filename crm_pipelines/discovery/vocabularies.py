"""The words in use in status, stage, type and list columns, and those the map has no answer for.

Belongs here: counting them. Not here: which columns hold words (spec.vocabularies), choosing an answer (propose, the client's map), tags
(tags), choices of custom fields (custom_fields).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.values import VocabularyFinding
from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.vocabularies import WordColumn, folded_word, word_columns

WORDS_MAX = 200
"""Words of one column that are told; what holds more is no vocabulary."""


def vocabularies(project: Project) -> tuple[VocabularyFinding, ...]:
    """Count the words of every column that the map reads as words, in the spec's order."""
    found = []
    for (name, column), told in _columns(project).items():
        words = _counted(frames.column_values(project, name, column)) if name in project.objects else {}
        if words:
            found.append(VocabularyFinding(name, column, told.role, words, _unknown(project, name, column, words, told.known)))
    return tuple(found)


def known_words(project: Project) -> dict[tuple[str, str], frozenset[str]]:
    """Return the words that the map has an answer for, per column of words, as far as it lists them; folded, `otherwise` left out."""
    return {place: frozenset(told.known or ()) for place, told in _columns(project).items()}


def _unknown(project: Project, name: str, column: str, words: Mapping[str, int], known: Mapping[str, str] | None) -> tuple[str, ...]:
    if known is None:
        return ()
    answered = {folded_word(word) for word in project.client_map.values.get(f"{name}.{column}", {})}
    return tuple(word for word in words if folded_word(word) not in {*known, *answered})


def _counted(cells: pl.Series) -> dict[str, int]:
    """Return word -> rows, most frequent first; spellings that differ by case are told apart, as they stand in the file."""
    pieces = cells.list.unique().explode(empty_as_null=False) if isinstance(cells.dtype, pl.List) else cells.cast(pl.String)
    text = pieces.drop_nulls().str.strip_chars().alias("word")
    counts = text.filter(text != "").value_counts().sort("count", "word", descending=[True, False])
    return dict(counts.head(WORDS_MAX).iter_rows())


def _columns(project: Project) -> dict[tuple[str, str], WordColumn]:
    return word_columns(project.spec, source_contract(project.source).objects)

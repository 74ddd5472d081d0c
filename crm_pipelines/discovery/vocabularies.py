"""The words in use in status, stage, type and list columns, and those the map has no answer for.

Belongs here: counting them. Not here: which columns hold words (spec.vocabularies), choosing an answer (propose, the client's map), tags
(tags), choices of custom fields (custom_fields).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.values import VocabularyFinding
from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.contract import SourceContract
from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.vocabularies import WordColumn, word_columns

WORDS_MAX = 200
"""Words of one column that are told beside those nobody has answered, which all are."""


def vocabularies(project: Project) -> tuple[VocabularyFinding, ...]:
    """Count the words of every column that the map reads as words, in the spec's order."""
    found = []
    for (name, column), told in _columns(project).items():
        words = _counted(frames.column_values(project, name, column)) if name in project.objects else {}
        if words:
            unknown = _unknown(project, name, column, words, told.known)
            shown = {word: words[word] for word in dict.fromkeys([*islice(words, WORDS_MAX), *unknown])}
            found.append(VocabularyFinding(name, column, told.role, shown, unknown))
    return tuple(found)


def known_words(project: Project) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the words that the map has an answer for, per column of words, as far as it lists them; spelled as it spells them."""
    return {place: tuple(sorted((told.known or {}).values())) for place, told in _columns(project).items()}


def _unknown(project: Project, name: str, column: str, words: Mapping[str, int], known: Mapping[str, str] | None) -> tuple[str, ...]:
    if known is None:
        return ()
    contract = source_contract(project.source)
    decided = [words for place, words in project.client_map.values.items() if _is_place(contract, place, name, column)]
    answered = {*known, *(folded_word(word) for words in decided for word in words)}
    return tuple(word for word in words if folded_word(word) not in answered)


def _is_place(contract: SourceContract, place: str, name: str, column: str) -> bool:
    owner, _, heading = place.partition(".")
    return owner == name and contract.staged_column(name, heading) == column


def _counted(cells: pl.Series) -> dict[str, int]:
    """Return word -> rows, most frequent first; spellings that differ by case are told apart, as they stand in the file."""
    pieces = cells.list.unique().explode(empty_as_null=False) if isinstance(cells.dtype, pl.List) else cells.cast(pl.String)
    text = pieces.drop_nulls().str.strip_chars().alias("word")
    counts = text.filter(text != "").value_counts().sort("count", "word", descending=[True, False])
    return dict(counts.iter_rows())


def _columns(project: Project) -> dict[tuple[str, str], WordColumn]:
    return word_columns(project.spec, source_contract(project.source).objects)

"""What of the exports nobody decided about: filled columns that stay behind for that reason, words that the map cannot read.

Belongs here: counting it and saying it, for those who decide, plan and confirm. Not here: what becomes of each column (phases.columns),
which words are unknown (vocabularies, custom_fields), questions without an answer (phases.project).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from crm_pipelines.discovery.custom_fields import custom_field_findings
from crm_pipelines.discovery.grades import Count
from crm_pipelines.discovery.vocabularies import vocabularies
from crm_pipelines.phases.columns import column_account
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.folding import folded_word

NAMED = 6


@dataclass(frozen=True)
class Undecided:
    """What is open in the sense that nobody said anything; a load goes on without it."""

    columns: tuple[str, ...]
    """`object: heading` of filled columns without a place."""
    words: Mapping[str, int]
    """`object.column` -> words that the map has no answer for."""

    @property
    def told(self) -> str:
        """What it is and what becomes of it, in a sentence; empty where everything is decided."""
        return f"{'; '.join(parts)}." if (parts := [*self._columns(), *self._words()]) else ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, the sentence among them."""
        return {**asdict(self), "words": dict(self.words), "told": self.told}

    def _columns(self) -> list[str]:
        if not self.columns:
            return []
        become = "stays" if len(self.columns) == 1 else "stay"
        return [f"{Count(len(self.columns)):column} with content {become} behind, because nobody said where to ({_some(self.columns)})"]

    def _words(self) -> list[str]:
        count = sum(self.words.values())
        places = ", ".join(self.words)
        return [f"nobody said what {Count(count):word} of {places} {'means' if count == 1 else 'mean'}"] if count else []


def undecided(project: Project) -> Undecided:
    """Return what nobody decided about, as the files that were read have it and decisions.yaml stands now."""
    lines = [line for line in column_account(project) if line["state"] == "waiting" and line["filled"]]
    words: dict[str, set[str]] = {}
    for found in vocabularies(project):
        words.setdefault(f"{found.object}.{found.column}", set()).update(map(folded_word, found.unknown))
    for field in custom_field_findings(project):
        words.setdefault(f"{field.object}.{field.name}", set()).update(map(folded_word, field.unknown_options))
    counts = {place: len(unknown) for place, unknown in words.items() if unknown}
    return Undecided(tuple(f"{line['object']}: {line['heading']}" for line in lines), counts)


def _some(names: tuple[str, ...]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest:,} more" if rest > 0 else "")

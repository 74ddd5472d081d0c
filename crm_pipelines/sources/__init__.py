"""Where exports come from: one module per source system, found by name.

Belongs here: the registry. Not here: reading a CSV file (csv_export), what a source's files look like (kartra),
the order of files in an engagement (phases.extract).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from crm_pipelines.errors import SourceError

if TYPE_CHECKING:
    from crm_pipelines.sources.base import Source

SOURCES = {"kartra": "crm_pipelines.sources.kartra:Kartra"}


def load_source(name: str) -> Source:
    """Return the source registered under `name`.

    Raises: SourceError naming the sources that exist.
    """
    if name not in SOURCES:
        raise SourceError(f"source '{name}' is not known; known sources: {', '.join(sorted(SOURCES))}")
    module, _, attribute = SOURCES[name].partition(":")
    return cast("Source", getattr(importlib.import_module(module), attribute)())

"""What a spec is held against: the source's columns and the destination's fields, as the language's own values.

Belongs here: building contracts from the registries. Not here: checking (spec.check), the registries themselves.
"""

from __future__ import annotations

import importlib

from crm_pipelines.errors import SettingsError
from crm_pipelines.sources import SOURCES
from crm_pipelines.sources.base import Source, SourceObject
from crm_pipelines.spec.contract import DestinationContract, ObjectContract, SourceContract
from crm_pipelines.spec.headings import normalise_heading


def load_source(name: str) -> Source:
    """Return a source by name. Raises: SettingsError with the known names."""
    if name not in SOURCES:
        raise SettingsError(f"unknown source {name!r}; known: {', '.join(sorted(SOURCES))}")
    module, _, attribute = SOURCES[name].partition(":")
    source: Source = getattr(importlib.import_module(module), attribute)()
    return source


def source_contract(source: Source) -> SourceContract:
    """Return the columns that a source's exports hold."""
    return SourceContract(source.name, {name: _object_contract(contract) for name, contract in source.objects.items()})


def _object_contract(contract: SourceObject) -> ObjectContract:
    return ObjectContract(
        columns={column.name: column.type for column in contract.columns},
        key=contract.key,
        aliases={normalise_heading(alias): column.name for column in contract.columns for alias in column.aliases},
        patterns={column.pattern: column.name for column in contract.columns if column.pattern},
    )


def destination_contract(name: str) -> DestinationContract:
    """Return what a destination accepts. Raises: SettingsError when no such destination exists."""
    try:
        module = importlib.import_module(f"crm_pipelines.destinations.{name}.contract")
    except ModuleNotFoundError as error:
        raise SettingsError(f"unknown destination {name!r}") from error
    contract: DestinationContract = module.CONTRACT
    return contract

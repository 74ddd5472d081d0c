"""What a spec is held against: the source's columns and the destination's fields, as the language's own values.

Belongs here: building contracts from the registries. Not here: checking (spec.check), the registries themselves.
"""

from __future__ import annotations

import importlib

from crm_pipelines.errors import SettingsError
from crm_pipelines.sources import SOURCES
from crm_pipelines.sources.base import Source
from crm_pipelines.spec.contract import DestinationContract, ObjectContract, SourceContract


def load_source(name: str) -> Source:
    """Return a source by name. Raises: SettingsError with the known names."""
    if name not in SOURCES:
        raise SettingsError(f"unknown source {name!r}; known: {', '.join(sorted(SOURCES))}")
    module, _, attribute = SOURCES[name].partition(":")
    source: Source = getattr(importlib.import_module(module), attribute)()
    return source


def source_contract(source: Source) -> SourceContract:
    """Return the columns that a source's exports hold."""
    objects = {
        name: ObjectContract(columns={column.name: column.type for column in contract.columns}, key=contract.key)
        for name, contract in source.objects.items()
    }
    return SourceContract(source.name, objects)


def destination_contract(name: str) -> DestinationContract:
    """Return what a destination accepts. Raises: SettingsError when no such destination exists."""
    try:
        module = importlib.import_module(f"crm_pipelines.destinations.{name}.contract")
    except ModuleNotFoundError as error:
        raise SettingsError(f"unknown destination {name!r}") from error
    contract: DestinationContract = module.CONTRACT
    return contract

"""The contracts of the first route, as the command line builds them."""

from __future__ import annotations

from crm_pipelines.destinations.pipedrive.contract import CONTRACT
from crm_pipelines.sources.kartra import Kartra
from crm_pipelines.spec.contract import DestinationContract, ObjectContract, SourceContract


def kartra_contract() -> SourceContract:
    """Return what Kartra exports."""
    source = Kartra()
    objects = {
        name: ObjectContract({column.name: column.type for column in each.columns}, each.key) for name, each in source.objects.items()
    }
    return SourceContract(source.name, objects)


def route_contracts() -> tuple[SourceContract, DestinationContract]:
    """Return both sides of Kartra to Pipedrive."""
    return kartra_contract(), CONTRACT

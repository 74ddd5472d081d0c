"""Names shared by assets, sensors and the driver: asset keys, groups, partition sets, tags.

Belongs here: how an engagement is spelled in Dagster. Not here: what the assets do (assets), in which order (drive).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

KIND_TAG = "crm/kind"
NAME_TAG = "crm/name"
ENGAGEMENT_TAG = "crm/engagement"
INTAKE_TAG = "crm/intake"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
ACCOUNTED = "every_row_accounted"
SCHEMA = "schema"


def asset_key(engagement: str, name: str) -> dg.AssetKey:
    """Return the key of one asset of an engagement."""
    return dg.AssetKey([engagement, name])


def group_name(engagement: str) -> str:
    """Return the asset group of an engagement; Dagster allows letters, digits and underscores."""
    return engagement.replace("-", "_")


def partition_set(engagement: str, name: str) -> str:
    """Return the name of the dynamic partition set of `staged_<object>` or of a phase."""
    return f"{engagement}__{name}"


def chunks_of(engagement: str, name: str) -> dg.DynamicPartitionsDefinition:
    """Return the partitions of an object or a phase: one per chunk, in the order in which they were registered."""
    return dg.DynamicPartitionsDefinition(name=partition_set(engagement, name))


def after_all_chunks(key: dg.AssetKey) -> dg.AssetDep:
    """Depend on every partition of an asset. Two dynamic sets without a stated mapping would not depend at all."""
    return dg.AssetDep(key, partition_mapping=dg.AllPartitionMapping())


@contextmanager
def chosen_features() -> Iterator[None]:
    """Silence the notices about backfill policies (beta) and partitioned checks (preview).

    Both are chosen knowingly: Dagster is pinned to one version, and tests hold what they do.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        yield

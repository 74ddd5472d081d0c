"""Single rows of which a person says that they do not move: taken out before anything is folded, with their fates.

Belongs here: rows of what hangs on contacts, by source key. Not here: contacts, which take along what hangs on them (suppress), lines
without a key (phases.accounts), who says so (spec.client_map).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crm_pipelines.phases.resolve.values import EXCLUDED, LEFT_BEHIND, StagedObject, fate_lines
from crm_pipelines.spec.derive import DeriveSpec

Named = Mapping[str, Mapping[str, str]]
"""Object -> source key -> why it stays behind."""


def without_named(
    derive: DeriveSpec, staged: Mapping[str, StagedObject], named: Named
) -> tuple[dict[str, StagedObject], dict[str, pl.DataFrame]]:
    """Return the staged objects without the rows that stay behind, and the fates of those by object. Contacts stay as they are."""
    kept, fates = dict(staged), {}
    for name, column in _key_columns(derive).items():
        keys = named.get(name, {})
        if not keys or name not in staged:
            continue
        rows = pl.concat([chunk.only(column, keys) for chunk in staged[name].frames])
        fates[name] = fate_lines(rows, fate=EXCLUDED, reason=reason_of(pl.col("_key"), keys))
        kept[name] = StagedObject(name, [chunk.without(column, keys) for chunk in staged[name].frames])
    return kept, fates


def reason_of(key: pl.Expr, named: Mapping[str, str]) -> pl.Expr:
    """Return why rows stay behind, by an expression of their source keys; null for others."""
    told = {name: f"{LEFT_BEHIND}: {why}" for name, why in named.items()}
    return key.replace_strict(told, default=None, return_dtype=pl.String)


def _key_columns(derive: DeriveSpec) -> dict[str, str]:
    """Return object -> column of its source key, of what hangs on contacts."""
    found = {part.from_: part.key for part in (derive.deals, derive.bookings, derive.partners) if part is not None}
    if derive.purchases is not None:
        found[derive.purchases.payments] = derive.purchases.columns.id
        found[derive.purchases.subscriptions] = derive.purchases.subscription_columns.id
    return found

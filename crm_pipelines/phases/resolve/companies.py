"""Companies and owners, which have no rows of their own: distinct values on canonical contacts (and bookings).

Belongs here: collecting them part by part. Not here: the contact's own link to its company (contacts), partners as
companies (partners).
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from crm_pipelines.phases.resolve.columns import collapsed, text, united_lists
from crm_pipelines.phases.resolve.fold import Held
from crm_pipelines.spec.derive import Contacts

GROUPS = 16
NO_LIST = pl.lit([], dtype=pl.List(pl.String))
NOTHING = pl.lit(None, dtype=pl.String())
COMPANY_COLUMNS = (
    "key",
    "aliases",
    "contributors",
    "queue",
    "reason",
    "contact_key",
    "company_key",
    "owner_key",
    "kind",
    "name",
    "joined_at",
)


class Companies:
    """Companies of the contacts seen so far, kept in groups that fit into memory one at a time."""

    def __init__(self, spec: Contacts) -> None:
        self.spec = spec
        self._seen = [Held() for _ in range(GROUPS)]

    def absorb(self, people: pl.DataFrame) -> pl.DataFrame:
        """Take in the named companies of some contacts; return those contacts' companies of one."""
        company = collapsed(text(people, self.spec.company))
        joined = pl.col(self.spec.joined) if self.spec.joined in people.columns else pl.lit(None, dtype=pl.Datetime("us", "UTC"))
        rows = people.filter(pl.col("company_key").is_not_null()).select(
            "company_key", "contact_key", "contributors", "full_name", joined.alias("joined_at"), company.alias("company")
        )
        self._keep(_first_and_all(rows.filter(pl.col("company").is_not_null()).with_columns(_number())))
        return _shaped(rows.filter(pl.col("company").is_null()), "single_person", pl.col("full_name"), pl.col("contact_key"))

    def named(self) -> Iterator[pl.DataFrame]:
        """Yield the named companies: name of the lowest contact, the earliest date."""
        for held in self._seen:
            seen = held.taken()
            together = _NONE if seen is None else _first_and_all(seen)
            yield _shaped(together, "company", pl.col("company"), NOTHING)

    def _keep(self, companies: pl.DataFrame) -> None:
        numbered = companies.with_columns((pl.col("company_key").hash() % GROUPS).cast(pl.Int64).alias("_group"))
        for (group,), some in numbered.partition_by("_group", as_dict=True, include_key=False).items():
            self._seen[int(str(group))].add(some)


class Owners:
    """Owners named by the rows seen so far."""

    def __init__(self) -> None:
        self._seen = Held()

    def absorb(self, rows: pl.DataFrame) -> None:
        """Take in the owners of some canonical rows."""
        named = rows.filter(pl.col("owner_key").is_not_null())
        self._seen.add(named.group_by("owner_key").agg(united_lists(pl.col("contributors"))))

    def frame(self) -> pl.DataFrame:
        """Return one row per owner."""
        schema = {"owner_key": pl.String(), "contributors": pl.List(pl.String())}
        seen, nobody = self._seen.taken(), pl.DataFrame(schema=schema)
        together = (nobody if seen is None else seen).group_by("owner_key").agg(united_lists(pl.col("contributors"))).sort("owner_key")
        return together.select(
            pl.col("owner_key").alias("key"),
            NO_LIST.alias("aliases"),
            "contributors",
            *(NOTHING.alias(name) for name in ("queue", "reason", "contact_key", "company_key")),
            "owner_key",
            pl.col("owner_key").alias("email"),
        )


def _number() -> pl.Expr:
    return pl.col("contact_key").cast(pl.Int64, strict=False).alias("_number")


def _first_and_all(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.sort(pl.col("_number").is_null(), "_number", "contact_key")
    return (
        ordered.group_by("company_key", maintain_order=True)
        .agg(
            pl.col("contact_key", "full_name", "company", "_number").first(),
            pl.col("joined_at").min(),
            united_lists(pl.col("contributors")),
        )
        .select(_NONE.columns)
    )


def _shaped(rows: pl.DataFrame, kind: str, name: pl.Expr, contact: pl.Expr) -> pl.DataFrame:
    return rows.select(
        pl.col("company_key").alias("key"),
        NO_LIST.alias("aliases"),
        "contributors",
        NOTHING.alias("queue"),
        NOTHING.alias("reason"),
        contact.alias("contact_key"),
        "company_key",
        NOTHING.alias("owner_key"),
        pl.lit(kind).alias("kind"),
        name.alias("name"),
        "joined_at",
    )


_NONE = pl.DataFrame(
    schema={
        "company_key": pl.String(),
        "contact_key": pl.String(),
        "contributors": pl.List(pl.String()),
        "full_name": pl.String(),
        "joined_at": pl.Datetime("us", "UTC"),
        "company": pl.String(),
        "_number": pl.Int64(),
    }
)

"""From a child's row to its contact: by key or alias first, else by an address that is one contact's.

Belongs here: the lookup and its joins, contacts that were left out among them. Not here: what happens to a row without a contact, or
with one that does not move (children, purchases, partners).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from crm_pipelines.phases.resolve.emails import with_emails


class Links:
    """The contacts that children ask for; everything else is let go at once."""

    def __init__(self, children: list[pl.DataFrame], carried: Mapping[str, str]) -> None:
        self.carried = dict(carried)
        self._keys = pl.concat([_TEXT, *(child.select(pl.col("lead").alias("value")) for child in children)])["value"].unique()
        self._emails = pl.concat([_TEXT, *(child.select(pl.col("email_match_key").alias("value")) for child in children)])["value"].unique()
        self._ids: list[pl.DataFrame] = [pl.DataFrame(schema={"lead": pl.String, "contact_key": pl.String})]
        self._addresses: list[pl.DataFrame] = [pl.DataFrame(schema={"email_match_key": pl.String, "contact_key": pl.String})]
        self._gone: list[pl.DataFrame] = [pl.DataFrame(schema={"contact_key": pl.String})]
        self._people: list[pl.DataFrame] = []

    def absorb(self, people: pl.DataFrame) -> None:
        """Remember those of some contacts that a child may ask for."""
        wanted = self._asked(people)
        self._people.append(_let_go(people.filter(pl.col("contact_key").is_in(wanted.implode())).select(self._person_columns(people))))

    def absorb_left_out(self, people: pl.DataFrame) -> None:
        """Remember those of some contacts that do not move (as folded) and that a child may ask for."""
        self._gone.append(self._asked(people.rename({"_key": "contact_key", "_aliases": "aliases"})).to_frame())

    def is_left_out(self) -> pl.Expr:
        """Tell of rows with a `contact_key` whether that contact does not move."""
        return pl.col("contact_key").is_in(pl.concat(self._gone)["contact_key"].implode()).fill_null(value=False)

    def linked(self, children: pl.DataFrame) -> pl.DataFrame:
        """Add `contact_key` and `by_email` to rows with `lead` and `email_match_key`.

        Shape: the key is null when there is no contact; contacts that were left out have theirs, too (`is_left_out`).
        """
        ids = pl.concat(self._ids).rename({"contact_key": "_by_id"})
        addresses = pl.concat(self._addresses).rename({"contact_key": "_by_email"})
        joined = children.join(ids, on="lead", how="left").join(addresses, on="email_match_key", how="left")
        return joined.with_columns(
            pl.coalesce("_by_id", "_by_email").alias("contact_key"),
            (pl.col("_by_id").is_null() & pl.col("_by_email").is_not_null()).alias("by_email"),
        ).drop("_by_id", "_by_email")

    def _asked(self, people: pl.DataFrame) -> pl.Series:
        """Remember how some contacts are asked for; return the keys of those that are."""
        every = pl.concat_list(pl.concat_list("contact_key"), "aliases")
        ids = people.select(every.alias("lead"), "contact_key").explode("lead").filter(pl.col("lead").is_in(self._keys.implode()))
        addresses = _addresses(people).filter(pl.col("email_match_key").is_in(self._emails.implode()))
        self._ids.append(_let_go(ids))
        self._addresses.append(_let_go(addresses))
        return pl.concat([ids["contact_key"], addresses["contact_key"]]).unique()

    def with_contact(self, records: pl.DataFrame) -> pl.DataFrame:
        """Add the contact's company, owner and carried columns to records with a `contact_key`."""
        people = pl.concat(self._people, how="diagonal_relaxed") if self._people else pl.DataFrame(schema={"contact_key": pl.String})
        missing = [name for name in ("company_key", "owner_key") if name not in people.columns]
        people = people.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
        return records.join(people, on="contact_key", how="left")

    def _person_columns(self, people: pl.DataFrame) -> list[pl.Expr]:
        carried = [pl.col(name).alias(new) for name, new in self.carried.items() if name in people.columns]
        return [pl.col(name) for name in ("contact_key", "company_key", "owner_key") if name in people.columns] + carried


def _addresses(people: pl.DataFrame) -> pl.DataFrame:
    """Return every address of every contact: its own, and those of twins that it stands for."""
    own = people.select("email_match_key", "contact_key")
    if "_other_keys" not in people.columns:
        return own
    others = people.filter(pl.col("_other_keys").list.len() > 0).select(pl.col("_other_keys").alias("email_match_key"), "contact_key")
    return pl.concat([own, others.explode("email_match_key")])


def _let_go(found: pl.DataFrame) -> pl.DataFrame:
    """Return a frame without rows anew: the filtered one keeps all texts alive that it was filtered from."""
    return found if found.height else found.clear()


def with_link_columns(frame: pl.DataFrame, lead: pl.Expr, email: pl.Expr) -> pl.DataFrame:
    """Add `lead` and `email_match_key`, the two ways in which a row names its contact."""
    named = frame.with_columns(lead.alias("lead"), email.alias("_email"))
    return with_emails(named, "_email").drop("_email", "email_normal", "email_problem")


_TEXT = pl.DataFrame(schema={"value": pl.String})

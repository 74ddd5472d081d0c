"""Contacts of many overlapping files as one row per person, in passes that hold only doubtful rows together.

Belongs here: the survey that finds rows with a shared key or address, the pass that lets all others straight
through, and the columns every person gets. Not here: what merged rows hold (fold, twins), companies (companies).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from crm_pipelines.phases.resolve.columns import comparable, full_name, key_from, text
from crm_pipelines.phases.resolve.differing import differing_values, none_differing
from crm_pipelines.phases.resolve.emails import with_emails
from crm_pipelines.phases.resolve.fates import merged_lines, record_lines
from crm_pipelines.phases.resolve.fold import NO_ROWS, Held, fold_rows, tagged
from crm_pipelines.phases.resolve.labels import chosen_spellings, distinct_labels, doubtful_labels, label_counts, respelled
from crm_pipelines.phases.resolve.suppress import LeftOut
from crm_pipelines.phases.resolve.twins import declared, merge_twins, without_twins
from crm_pipelines.phases.resolve.values import EXCLUDED, QUARANTINED, StagedObject, fate_lines
from crm_pipelines.spec.derive import Contacts, DeriveSpec, Wait
from crm_pipelines.spec.derive_nodes import applies

GROUP_ROWS = 20_000  # rows that are merged at a time, 25 MB of forty columns


@dataclass
class Part:
    """Some of the canonical contacts, the fates of all other rows, and how many twins were merged, and the people left out."""

    rows: pl.DataFrame
    fates: list[pl.DataFrame] = field(default_factory=list)
    twins: int = 0
    older: int = 0
    left_out: pl.DataFrame | None = None
    """People who do not move, as folded."""
    differing: pl.DataFrame = field(default_factory=none_differing)
    """What merged rows said otherwise than the person they became."""


@dataclass(frozen=True)
class Survey:
    """What the first pass saw: rows that may have to be merged, and the labels in use.

    Shape: `involved` has `hash` of a key and `group`; rows that could become one person are in one group. The hashes only
    widen the set of rows that is looked at together; what is merged is decided on the texts.
    """

    involved: pl.DataFrame
    groups: int
    labels: Mapping[str, set[str]]


class ContactFold:
    """The canonical contacts of one staged object; `parts` can be read as often as needed."""

    def __init__(
        self,
        derive: DeriveSpec,
        staged: StagedObject,
        decisions: Mapping[str, str],
        inventories: Mapping[str, list[str]],
        *,
        same: Iterable[Iterable[str]] = (),
        left_out: LeftOut | None = None,
    ) -> None:
        self.derive, self.spec, self.staged, self.decisions = derive, derive.contacts, staged, decisions
        self.same, self.left_out = declared(same), left_out
        self.survey = survey_contacts(self.spec, staged, self.same)
        self.spellings = self._chosen(inventories)

    def people(self) -> Iterator[Part]:
        """Yield the canonical contacts with every column they end with."""
        for part in self.parts():
            part.rows = self._finished(part.rows)
            yield part

    def parts(self, wanted: Iterable[str] | None = None) -> Iterator[Part]:
        """Yield the canonical contacts as folded: rows nobody shares a key or address with, then the merged ones."""
        judged = self.left_out.columns if self.left_out else ()
        columns = None if wanted is None else {self.spec.key, self.spec.email, *judged, *wanted}
        held = [Held() for _ in range(self.survey.groups)]
        for rows in _rows(self.spec, self.staged, columns):
            marked = rows.with_columns(pl.col("_key").hash().alias("_hash")).join(
                self.survey.involved, left_on="_hash", right_on="hash", how="left", maintain_order="left"
            )
            busy = pl.col("group").is_not_null() & pl.col("_key").is_not_null()
            for (group,), some in marked.filter(busy).partition_by("group", as_dict=True, include_key=False).items():
                held[int(str(group))].add(some.drop("_hash"))
            yield self._moving(self._straight(marked.filter(~busy).drop("_hash", "group")))
        for group in held:
            if (rest := group.taken()) is not None:
                yield self._moving(self._merged(rest))

    def _moving(self, part: Part) -> Part:
        """Take out the people of whom the client says that they do not move, and give all rows behind them that fate."""
        if self.left_out is None:
            return part
        judged = part.rows.with_columns(self.left_out.reason(part.rows).alias("_why"))
        gone = judged.filter(pl.col("_why").is_not_null())
        kept = judged.filter(pl.col("_why").is_null()).drop("_why")
        fates = [*(_excluded_with(lines, gone) for lines in part.fates), fate_lines(gone, fate=EXCLUDED, reason=pl.col("_why"))]
        differing = part.differing.join(gone.select(pl.col("_key").alias("into_key")), on="into_key", how="anti", maintain_order="left")
        return Part(kept, fates, part.twins, part.older, gone, differing)

    def _straight(self, rows: pl.DataFrame) -> Part:
        keyless = fate_lines(rows.filter(pl.col("_key").is_null()), fate=QUARANTINED, reason="missing_key")
        single = rows.filter(pl.col("_key").is_not_null()).with_columns(pl.concat_list("_chunk").alias("_chunks"))
        return Part(without_twins(single), [keyless])

    def _merged(self, rows: pl.DataFrame) -> Part:
        folded = fold_rows(rows.drop("email_normal", "email_match_key", "email_problem"))
        read = with_contact_emails(folded.frame, self.spec.email)
        people, losers = merge_twins(read, self.spec.twins, self.spec.email, self.same)
        survivors = losers.select("_key", "_survivor")
        older = folded.older.join(survivors, on="_key", how="left").with_columns(pl.coalesce("_survivor", "_key").alias("_survivor"))
        fates = [merged_lines(frame, self.spec.phase) for frame in (losers, older)]
        differing = differing_values(read, people, losers, self.spec)
        return Part(people, fates, losers.height, older.height, differing=differing)

    def _finished(self, rows: pl.DataFrame) -> pl.DataFrame:
        spelled = respelled(rows, self.spellings)
        named = spelled.with_columns(
            full_name(spelled, self.spec.name).alias("full_name"),
            text(spelled, self.spec.owner).str.to_lowercase().alias("owner_key"),
        )
        waiting = named.with_columns(*self._waits(), self._company_key(named))
        return waiting.with_columns(
            pl.when(pl.col("queue").is_null()).then(pl.col("company_key")).alias("company_key"),
            pl.coalesce("full_name", "email_normal", text(waiting, self.spec.email)).alias("full_name"),
            pl.col("_key").alias("contact_key"),
        ).rename({"_key": "key", "_aliases": "aliases", "_chunks": "contributors"})

    def _waits(self) -> list[pl.Expr]:
        rules = {"no_email": self.spec.require_email, "unusable_email": self.spec.unusable_email}
        active = {problem: wait for problem, wait in rules.items() if wait is not None and applies(wait.when, self.decisions)}
        return [_wait_column(active, name) for name in ("queue", "reason")]

    def _company_key(self, frame: pl.DataFrame) -> pl.Expr:
        named = key_from(self.derive.companies.key, "name", comparable(text(frame, self.spec.company)))
        single = self.derive.companies.single_person
        if single is None or not applies(single.when, self.decisions):
            return named.alias("company_key")
        return pl.coalesce(named, key_from(single.key, "id", pl.col("_key"))).alias("company_key")

    def _chosen(self, inventories: Mapping[str, list[str]]) -> dict[str, dict[str, str]]:
        doubtful = {name: doubtful_labels(self.survey.labels[name], inventories.get(name, [])) for name in self.spec.spellings}
        unsettled = [name for name, labels in doubtful.items() if labels]
        counts = label_counts((part.rows for part in self.parts(unsettled)), unsettled) if unsettled else {}
        return {name: chosen_spellings(labels, inventories.get(name, []), counts.get(name, {})) for name, labels in doubtful.items()}


def survey_contacts(spec: Contacts, staged: StagedObject, same: pl.DataFrame) -> Survey:
    """Read keys, addresses and labels of all rows; find the keys whose rows share a key, an address or a declared group with others."""
    groups_of = same.select(pl.col("_key").hash().alias("key"), pl.col("_group").cast(pl.UInt64).alias("declared"))
    hashes: list[pl.DataFrame] = []
    labels: dict[str, set[str]] = {name: set() for name in spec.spellings}
    for rows in _rows(spec, staged, {spec.key, spec.email, *spec.spellings}):
        keyed = rows.filter(pl.col("_key").is_not_null())
        hashes.append(keyed.select(pl.col("_key").hash().alias("key"), pl.col("email_match_key").hash().alias("email"), _addressed()))
        for name in spec.spellings:
            labels[name] |= distinct_labels(rows, name)
    shared = _sharing(pl.concat(hashes).join(groups_of, on="key", how="left"))
    groups = max(1, -(-shared.height // GROUP_ROWS))
    return Survey(_grouped(shared, groups), groups, labels)


def with_contact_emails(frame: pl.DataFrame, email: str) -> pl.DataFrame:
    """Add the e-mail columns; a cell the reader could not type is judged by the text it kept."""
    raw = f"raw_{email}"
    if raw not in frame.columns or email not in frame.columns:
        return with_emails(frame, email)
    return with_emails(frame.with_columns(pl.coalesce(email, raw).alias(email)), email)


def people_fates(part: Part, spec: Contacts) -> pl.DataFrame:
    """Return the fate lines of all rows behind a finished part."""
    return pl.concat([record_lines(part.rows.rename({"key": "_key"}), spec.phase), *part.fates])


def _rows(spec: Contacts, staged: StagedObject, wanted: set[str] | None) -> Iterator[pl.DataFrame]:
    if not staged.frames:
        yield with_contact_emails(pl.DataFrame(schema=NO_ROWS), spec.email)
    for order, chunk in enumerate(staged.in_order()):
        for frame in chunk.batches(wanted):
            yield with_contact_emails(tagged(frame, chunk, order, spec.key), spec.email)


def _excluded_with(lines: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of merged rows, of which those that became part of somebody left out are left out, too."""
    joined = lines.join(gone.select(pl.col("_key").alias("into_key"), "_why"), on="into_key", how="left", maintain_order="left")
    out = pl.col("_why").is_not_null()
    nothing = pl.lit(None, dtype=pl.String())
    return joined.with_columns(
        pl.when(out).then(pl.lit(EXCLUDED)).otherwise("fate").alias("fate"),
        *(pl.when(out).then(nothing).otherwise(name).alias(name) for name in ("into_phase", "into_key", "queue")),
        pl.coalesce("_why", "reason").alias("reason"),
    ).drop("_why")


def _wait_column(rules: Mapping[str, Wait], name: str) -> pl.Expr:
    column = pl.lit(None, dtype=pl.String())
    for problem, wait in rules.items():
        column = pl.when(pl.col("email_problem") == problem).then(pl.lit(getattr(wait, name))).otherwise(column)
    return column.alias(name)


def _addressed() -> pl.Expr:
    return pl.col("email_match_key").is_not_null().alias("addressed")


def _sharing(seen: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose key, address or declared group another row has too."""
    by_key = _repeated(seen["key"])
    by_email = _repeated(seen.filter("addressed")["email"])
    by_address = pl.col("addressed") & pl.col("email").is_in(by_email.implode())
    shared = seen.filter(pl.col("key").is_in(by_key.implode()) | by_address | pl.col("declared").is_not_null())
    return shared.with_columns(pl.when("addressed").then("email").otherwise("key").alias("email"), pl.coalesce("declared", "key"))


def _grouped(shared: pl.DataFrame, groups: int) -> pl.DataFrame:
    """Spread the keys over groups so that rows with a common key, address or declared group, directly or over others, stay together."""
    linked = shared.select("key", "email", "declared", pl.col("key").alias("label"))
    names = ("email", "key") if shared["declared"].equals(shared["key"]) else ("email", "declared", "key")
    while True:
        least = linked
        for name in names:
            least = least.with_columns(pl.col("label").min().over(name))
        if least["label"].equals(linked["label"]):
            break
        linked = least
    return linked.select(pl.col("key").alias("hash"), (pl.col("label") % groups).cast(pl.Int64).alias("group")).unique("hash")


def _repeated(hashes: pl.Series) -> pl.Series:
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift(1)).unique()

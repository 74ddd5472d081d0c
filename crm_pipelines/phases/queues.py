"""What waits for a person, as tables that can be worked: rows as exported, owners, unknown words, likely twins.

Belongs here: the content of every queue. Not here: files (reports.queues), what people answer (phases.queues_answers), the counting
behind it (phases.accounts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from rapidfuzz import fuzz

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases import accounts
from crm_pipelines.phases.contracts import source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues_blocked import money_text, waiting_records
from crm_pipelines.phases.queues_conflicts import ConflictLine, conflict_lines
from crm_pipelines.phases.queues_pairs import PairLine
from crm_pipelines.phases.queues_sales import candidates
from crm_pipelines.phases.queues_source import SourceRows, source_rows, unique_headings
from crm_pipelines.phases.queues_words import Word, unknown_words
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.stage import read_sidecar

OWNER, REVIEW, REMEDIATION, DUPLICATE, DECISION = "owner", "review", "remediation", "duplicate", "decision"
CONFLICT, REFUSED, PARENT = "conflict", "refused", "parent"
QUEUES = (OWNER, REVIEW, REMEDIATION, DECISION, DUPLICATE, CONFLICT, REFUSED, PARENT)
EDITED = (REVIEW, REMEDIATION)
"""Queues whose rows people correct and give back."""
LEFT_OVER, LEFT_OUT_SINCE, NOT_MADE, LIKELY = "left_over", "left_out_since", "made_no_more", "likely_duplicate"
INVITED = "invited"
"""The answer that a user was added in the destination."""
SAME, DIFFERENT = "same", "different"
ALIKE = 80
"""How alike two names have to be, of 100, before one is suggested for the other."""
EMPTY = {"queue": pl.String, "object": pl.String, "file": pl.String, "chunk": pl.String, "row": pl.Int64, "key": pl.String}
EMPTY |= {"reason": pl.String, "into_phase": pl.String, "into_key": pl.String}


@dataclass(frozen=True)
class RowLine:
    """One source row that waits: where it stands, why, and its cells as exported."""

    queue: str
    object: str
    file: str
    chunk: str
    row: int
    key: str | None
    reason: str
    headings: tuple[str, ...] = ()
    """Unique headings of its file; empty where the queue only lists rows."""
    cells: tuple[str, ...] = ()
    raw: str = ""
    """The line as it stands, where it could not be read."""
    key_heading: str = ""
    """The heading of the cell that identifies the row: not to be changed, once the row has a key."""
    candidates: tuple[str, ...] = ()
    """What the row may belong to, in words that begin with the key."""
    takes_parent: bool = False
    """Whether it can be told what the row belongs to."""


@dataclass(frozen=True)
class OwnerLine:
    """One owner without a user, and what waits for that user."""

    owner: str
    rows: Mapping[str, int]
    """Object -> rows."""
    records: int
    money: str
    suggested: str = ""


@dataclass(frozen=True)
class LeftOver:
    """A record of ours in the destination that no row wants any more."""

    phase: str
    key: str
    destination_id: str
    into: str
    """The record that its row became part of; empty when it did not."""
    reason: str = LEFT_OVER
    """Why no row wants it: merged (`left_over`), left out since (`left_out_since`), or the map makes it no more (`made_no_more`)."""


@dataclass(frozen=True)
class Summary:
    """One queue and reason, and what waits on it."""

    queue: str
    reason: str
    object: str
    rows: int
    records: int
    money: str


@dataclass(frozen=True)
class Tables:
    """Everything that waits for a person."""

    engagement: str
    rows: tuple[RowLine, ...] = ()
    owners: tuple[OwnerLine, ...] = ()
    words: tuple[Word, ...] = ()
    pairs: tuple[PairLine, ...] = ()
    left: tuple[LeftOver, ...] = ()
    conflicts: tuple[ConflictLine, ...] = ()
    """Fields on which the export and the destination's people disagree."""
    summary: tuple[Summary, ...] = ()
    owners_known: frozenset[str] = frozenset()
    """Every owner that the exports name; after a sample most of them wait for nothing yet."""
    users: tuple[str, ...] = ()
    """E-mail addresses of the destination's users, as far as they are known without asking it."""

    def of(self, queue: str) -> list[RowLine]:
        """Return the rows of one queue."""
        return [line for line in self.rows if line.queue == queue]


def read_tables(project: Project, ledger: Ledger, pairs: Sequence[PairLine] = ()) -> Tables:
    """Return everything that waits, from the work folder and the ledger alone; `pairs` are likely twins that somebody found."""
    waiting, records = waiting_rows(project, ledger), waiting_records(project, ledger)
    users, left = known_users(project), left_over(project)
    return Tables(
        engagement=project.engagement.name,
        rows=tuple(_row_lines(project, waiting)),
        owners=tuple(_owner_lines(project, waiting, records, users)),
        words=unknown_words(project, waiting),
        pairs=tuple(pairs),
        left=left,
        conflicts=conflict_lines(project, records),
        owners_known=frozenset(key for name in never_made(project) for key in project.mapped(name, "key").get_column("key")),
        summary=(
            *_summaries(waiting, records.filter(~pl.col("phase").is_in(never_made(project)))),
            *_left_summaries(left),
            *_pair_summaries(pairs),
        ),
        users=users,
    )


def waiting_rows(project: Project, ledger: Ledger) -> pl.DataFrame:
    """Return every source row that waits, was refused, or could not be read and did not come back yet.

    Shape: columns of EMPTY; queue `refused` for refused ones, `remediation` for lines that could not be read.
    """
    names = pl.DataFrame([(c.key, c.file_name) for c in project.chunks()], schema={"chunk": pl.String, "file": pl.String}, orient="row")
    found = [pl.DataFrame(schema=EMPTY)]
    for name in (name for name in project.objects if name not in project.spec.schema_exports):
        rows = accounts.row_buckets(project, ledger, name).filter(pl.col("bucket").is_in(["waiting", REFUSED, "quarantined"]))
        queue = pl.when(pl.col("bucket") == REFUSED).then(pl.lit(REFUSED)).when(pl.col("bucket") == "waiting").then("queue")
        named = rows.with_columns(queue.otherwise(pl.lit(REMEDIATION)).alias("queue"), pl.lit(name).alias("object"))
        found.append(named.join(names, on="chunk", how="left", maintain_order="left").select(list(EMPTY)))
    return pl.concat(found, how="vertical_relaxed")


def left_over(project: Project) -> tuple[LeftOver, ...]:
    """Return the records in the destination that no row wants any more: why, and where it was merged, the record that stayed."""
    found = [(phase, key, number) for phase in project.phases for key, number in accounts.left_over(project, phase).items()]
    if not found:
        return ()
    stayed: dict[tuple[str, str], str] = {}
    gone: dict[str, set[str]] = {}
    for name in (name for name in project.objects if name not in project.spec.schema_exports):
        fates = read_resolved(project.resolved_folder, f"fates/{name}")
        merged = fates.filter((pl.col("fate") == "merged") & (pl.col("key") != pl.col("into_key")))
        stayed |= {(phase, key): into for phase, key, into in merged.select("into_phase", "key", "into_key").iter_rows()}
        out = fates.filter((pl.col("fate") == "excluded") & pl.col("reason").str.contains("^(left_out_|left_behind)"))
        gone[name] = set(out.get_column("key").drop_nulls())
    return tuple(_left_over(project, each, stayed, gone) for each in found)


def _left_over(
    project: Project, found: tuple[str, str, str], stayed: Mapping[tuple[str, str], str], gone: Mapping[str, set[str]]
) -> LeftOver:
    """Say why a record of ours is wanted no more; records without rows of their own (notes) go with the contact whose key they carry."""
    phase, key, number = found
    if into := stayed.get((phase, key)):
        return LeftOver(phase, key, number, into)
    names = project.compiled.phases[phase].home_of or (project.spec.derive.contacts.from_,)
    is_left_out = any(key in gone.get(name, ()) for name in names)
    return LeftOver(phase, key, number, "", LEFT_OUT_SINCE if is_left_out else NOT_MADE)


def never_made(project: Project) -> list[str]:
    """Return the phases whose records are only matched: owners."""
    return [name for name in project.phases if project.compiled.phases[name].create == "never"]


def export_headings(project: Project) -> dict[str, list[str]]:
    """Return the headings of every export that was read, by object: the columns in which a row may come back."""
    found: dict[str, list[str]] = {}
    for name in project.objects:
        for key in project.object_chunks(name):
            raw = [heading["raw"] for heading in read_sidecar(project.staged_folder, name, key)["headings"]]
            found.setdefault(name, []).extend(unique_headings(raw))
    return {name: list(dict.fromkeys(headings)) for name, headings in found.items()}


def known_users(project: Project) -> tuple[str, ...]:
    """Return the destination's users as the last run saw them."""
    return accounts.seen_users(project)


def _row_lines(project: Project, waiting: pl.DataFrame) -> Iterator[RowLine]:
    for (chunk, object_name), rows in waiting.partition_by("chunk", "object", as_dict=True, maintain_order=True).items():
        edited = rows.filter(pl.col("queue").is_in(EDITED))
        cells = source_rows(project, str(chunk), edited.get_column("row").to_list()) if edited.height else None
        sales = candidates(project, str(object_name), edited)
        key_heading = _key_heading(project, str(object_name), cells)
        for row in rows.iter_rows(named=True):
            yield _row_line(row, cells if row["queue"] in EDITED else None, key_heading, sales)


def _row_line(
    row: Mapping[str, object], source: SourceRows | None, key_heading: str, sales: Mapping[tuple[str, int], tuple[str, ...]]
) -> RowLine:
    number = int(str(row["row"]))
    place = (str(row["chunk"]), number)
    return RowLine(
        queue=str(row["queue"]),
        object=str(row["object"]),
        file=str(row["file"]),
        chunk=place[0],
        row=number,
        key=None if row["key"] is None else str(row["key"]),
        reason=str(row["reason"]),
        headings=source.headings if source else (),
        cells=source.cells.get(number, ()) if source else (),
        raw=source.raw.get(number, "") if source else "",
        key_heading=key_heading,
        candidates=sales.get(place, ()),
        takes_parent=place in sales,
    )


def _key_heading(project: Project, object_name: str, source: SourceRows | None) -> str:
    """Return the heading of the key's cell, as the file writes it."""
    if source is None:
        return ""
    contract = source_contract(project.source).objects[object_name]
    return next((heading for heading in source.headings if contract.column_of(heading) == contract.key), "")


def _owner_lines(project: Project, waiting: pl.DataFrame, records: pl.DataFrame, users: Sequence[str]) -> Iterator[OwnerLine]:
    never = never_made(project)
    behind = records.filter(pl.col("root_phase").is_in(never))
    held = behind.filter(~pl.col("phase").is_in(never))
    rows = waiting.join(held, left_on=["into_phase", "into_key"], right_on=["phase", "key"], how="inner")
    for (owner,), own in behind.partition_by("root_key", as_dict=True, maintain_order=True).items():
        mine = own.filter(~pl.col("phase").is_in(never))
        counted = dict(rows.filter(pl.col("root_key") == owner).group_by("object").len().sort("object").iter_rows())
        yield OwnerLine(str(owner), counted, mine.height, money_text(mine), suggested_user(str(owner), users))


def suggested_user(owner: str, users: Sequence[str]) -> str:
    """Return the user whose address is most like an owner's, where one clearly is; empty otherwise."""
    name = owner.partition("@")[0].casefold()
    scored = sorted(((fuzz.token_sort_ratio(name, user.partition("@")[0].casefold()), user) for user in users), reverse=True)
    if not scored or scored[0][0] < ALIKE or (len(scored) > 1 and scored[1][0] == scored[0][0]):
        return ""
    return scored[0][1]


def _summaries(waiting: pl.DataFrame, records: pl.DataFrame) -> Iterator[Summary]:
    """Yield, by what has to be settled, the rows and records that wait on it, those behind others included."""
    rooted = waiting.join(records, left_on=["into_phase", "into_key"], right_on=["phase", "key"], how="left")
    behind = pl.col("queue") == PARENT
    rows = rooted.with_columns(
        pl.when(behind).then(pl.col("root_queue").fill_null(PARENT)).otherwise("queue").alias("queue"),
        pl.when(behind).then(pl.col("root_reason").fill_null(pl.col("reason"))).otherwise("reason").alias("reason"),
    )
    for (queue, reason), some in rows.partition_by("queue", "reason", as_dict=True, maintain_order=True).items():
        held = records.filter((pl.col("root_queue") == queue) & (pl.col("root_reason") == reason))
        names = ", ".join(some.get_column("object").unique(maintain_order=True))
        yield Summary(str(queue), str(reason), names, some.height, held.height, money_text(held))


def _left_summaries(left: Sequence[LeftOver]) -> Iterator[Summary]:
    for (phase, reason), count in Counter((each.phase, each.reason) for each in left).items():
        yield Summary(CONFLICT, reason, phase, 0, count, "")


def _pair_summaries(pairs: Sequence[PairLine]) -> Iterator[Summary]:
    for name in dict.fromkeys(each.object for each in pairs):
        own = [each for each in pairs if each.object == name]
        yield Summary(DUPLICATE, LIKELY, name, 0, len({key for each in own for key in (each.key_a, each.key_b)}), "")

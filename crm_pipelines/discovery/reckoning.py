"""What stands behind the numbers of a load: why records wait, what is left of it once owners are settled, money, private persons.

Belongs here: adding up mapped records. Not here: foreseeing their states (phases.predict), counts by state and by row (foreseen).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.shapes import RUINED
from crm_pipelines.phases import files
from crm_pipelines.phases.merged import merged_differences
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.resolve.values import ROW

HELD = ("waiting", "refused")
OWNER = "owner"
PRIVATE = "single_person"
"""What the resolved companies call a contact who stands for a company."""


def waiting_records(states: Mapping[str, pl.DataFrame], phases: list[str]) -> tuple[dict[str, Any], ...]:
    """Return why records wait, phase by phase, most first. Shape: phase, reason, records."""
    found = []
    for phase in phases:
        held = states[phase].filter(pl.col("state").is_in(HELD))
        counts = held.group_by("reason").len("records").sort(["records", "reason"], descending=[True, False])
        found += [{"phase": phase, **row} for row in counts.iter_rows(named=True)]
    return tuple(found)


def waiting_without_owners(project: Project, states: Mapping[str, pl.DataFrame], phases: list[str]) -> dict[str, int]:
    """Return phase -> records that still wait once every owner has a user: those held back by something else, and what hangs on them."""
    stuck: dict[str, pl.Series] = {}
    for phase in project.phases:
        compiled = project.compiled.phases[phase]
        if compiled.create == "never" or compiled.pairs:
            continue
        links = {f"link_{name}": parent for name, parent in compiled.links.items() if parent in stuck}
        held = states[phase].filter(pl.col("state").is_in(HELD))
        rows = held.select("key", "queue").join(project.scan_mapped(phase).select("key", *links).collect(), on="key", how="left")
        own = ~pl.col("queue").is_in([OWNER, "parent"])
        behind = [_hangs_on(rows, name, stuck[parent]) for name, parent in links.items()]
        stuck[phase] = rows.filter(pl.any_horizontal(own, *behind))["key"]
    return {phase: stuck[phase].len() for phase in phases}


def money(project: Project, states: Mapping[str, pl.DataFrame]) -> tuple[dict[str, Any], ...]:
    """Return the amounts that are to move. Shape: phase, currency, status, records, amount, waiting (decimal texts of two places)."""
    found = []
    for phase in project.phases:
        spec = project.spec.phases.get(phase)
        if spec is None or spec.money is None or phase not in states:
            continue
        mapped = project.mapped(phase, "key", "amount", "currency", "status").with_columns(pl.col("amount").cast(pl.Decimal(38, 4)))
        rows = mapped.filter(pl.col("currency").is_not_null()).join(states[phase].select("key", "state"), on="key", how="left")
        held = pl.col("amount").filter(pl.col("state").is_in(HELD)).sum()
        sums = rows.group_by("currency", "status").agg(records=pl.len(), amount=pl.col("amount").sum(), waiting=held)
        for row in sums.sort("currency", "amount", descending=[False, True]).iter_rows(named=True):
            found.append({"phase": phase, **row, "amount": f"{row['amount']:.2f}", "waiting": f"{row['waiting']:.2f}"})
    return tuple(found)


def money_aside(project: Project) -> tuple[dict[str, Any], ...]:
    """Return the amounts of payment rows that wait and belong to no record yet, such as a refund that fits more than one sale.

    Shape: object, reason, currency, rows, amount (decimal text of two places); lines that cannot be read stand at the end without
    reason, currency and amount.
    """
    spec = project.spec.derive.purchases
    if spec is None or not spec.columns.amount or not files.parts(project.resolved_folder / "fates" / spec.payments):
        return ()
    fates = read_resolved(project.resolved_folder, f"fates/{spec.payments}")
    held = fates.filter((pl.col("fate") == "waiting") & pl.col("into_phase").is_null()).select("chunk", "row", "reason")
    wanted = {"amount": spec.columns.amount, "currency": spec.columns.currency}
    parts = [_amounts(project, spec.payments, key, wanted) for key in frames.export_chunks(project, spec.payments)] if held.height else []
    unread = sum(one["rows"] for one in broken_lines(project) if one["object"] == spec.payments)
    bad = [{"object": spec.payments, "reason": None, "currency": "", "rows": unread, "amount": ""}] if unread else []
    if not parts:
        return tuple(bad)
    sums = held.join(pl.concat(parts), on=["chunk", "row"]).group_by("reason", "currency").agg(rows=pl.len(), amount=pl.col("amount").sum())
    told = sums.filter(pl.col("currency").is_not_null()).sort("reason", "currency").iter_rows(named=True)
    return (*({"object": spec.payments, **one, "amount": f"{one['amount']:.2f}"} for one in told), *bad)


def _amounts(project: Project, name: str, key: str, wanted: Mapping[str, str | None]) -> pl.DataFrame:
    """Return [chunk, row, amount, currency] of one file; null where the file has no such column."""
    scanned = pl.scan_parquet(project.staged_path(name, key))
    there = set(scanned.collect_schema().names())
    types = {"amount": pl.Decimal(38, 4), "currency": pl.String()}
    columns = [(pl.col(of) if of in there else pl.lit(None)).cast(types[each]).alias(each) for each, of in wanted.items()]
    return scanned.select(pl.lit(key).alias("chunk"), pl.col(ROW).cast(pl.Int64).alias("row"), *columns).collect()


def private_persons(project: Project) -> int:
    """Count the organizations that are contacts who name no company; 0 where the map makes none of them."""
    companies = frames.resolved(project, "companies")
    if companies is None or "kind" not in companies.collect_schema().names():
        return 0
    phase = project.spec.derive.companies.phase
    keys = project.scan_mapped(phase).select("key")
    made = companies.filter(pl.col("kind") == PRIVATE).select("key").join(keys, on="key", how="semi")
    return int(made.select(pl.len()).collect().item())


def broken_lines(project: Project) -> tuple[dict[str, Any], ...]:
    """Return the lines that could not be read, file by file. Shape: file, object, reason, rows."""
    found = []
    for name in project.objects:
        for key in frames.export_chunks(project, name):
            reasons = pl.Series([line["reason"] for line in frames.sidecar(project, name, key)["bad_lines"]], dtype=pl.String)
            for reason, rows in sorted(reasons.value_counts(name="rows").iter_rows()):
                found.append({"file": project.chunk(key).file_name, "object": name, "reason": reason, "rows": rows})
    return tuple(found)


def ruined_phones(project: Project) -> tuple[dict[str, Any], ...]:
    """Return the files in which a spreadsheet rounded telephone numbers that no newer file tells whole. Shape: file, object, rows."""
    name, found = project.spec.derive.contacts.from_, []
    identity = project.source.objects[name].key
    phones = [column.name for column in project.source.objects[name].columns if column.type == "phone"]
    newest = frames.newest_rows(project, name, phones)
    lost = newest.filter(_rounded(newest.columns, phones))["_key"].cast(pl.String)
    for key in frames.export_chunks(project, name) if lost.len() else ():
        scanned = pl.scan_parquet(project.staged_path(name, key))
        columns = scanned.collect_schema().names()
        is_lost = pl.col(identity).cast(pl.String).is_in(lost.implode())
        rows = int(scanned.filter(is_lost & _rounded(columns, phones)).select(pl.len()).collect().item()) if identity in columns else 0
        if rows:
            found.append({"file": project.chunk(key).file_name, "object": name, "rows": rows})
    return tuple(found)


def _rounded(there: Sequence[str], phones: Sequence[str]) -> pl.Expr:
    held = [pl.col(name).cast(pl.String).str.strip_chars().str.contains(RUINED).fill_null(value=False) for name in phones if name in there]
    return pl.any_horizontal(held) if held else pl.lit(value=False)


def merged_values(project: Project) -> dict[str, int]:
    """Count what merged contacts said otherwise than the person they became, and is kept nowhere. Shape: values, records."""
    differing = merged_differences(project)
    return {"values": differing.height, "records": differing.get_column("into_key").n_unique()} if differing.height else {}


def seats_short(schema: Mapping[str, Any], missing: Sequence[str]) -> int:
    """Return how many seats would have to be bought so that all these people could be invited; 0 where the vendor tells no seats."""
    seats = schema.get("seats") or 0
    return max(0, len(missing) - max(0, seats - len(schema.get("users", ())))) if seats else 0


def without_owner(project: Project) -> int | None:
    """Count contacts that name no team member; None where the export names nobody at all."""
    name, column = project.spec.derive.contacts.from_, project.spec.derive.contacts.owner
    if not column or not frames.staged_chunks(project, name):
        return None
    rows = frames.newest_rows(project, name, [column])
    if column not in rows.columns:
        return None
    named = rows[column].cast(pl.String).str.strip_chars().str.to_lowercase()
    return int((named.is_null() | named.is_in(["", "n/a"])).sum())


def _hangs_on(rows: pl.DataFrame, link: str, stuck: pl.Series) -> pl.Expr:
    keys = stuck.implode()
    if isinstance(rows.schema[link], pl.List):
        return pl.col(link).list.eval(pl.element().is_in(keys)).list.any().fill_null(value=False)
    return pl.col(link).is_in(keys).fill_null(value=False)

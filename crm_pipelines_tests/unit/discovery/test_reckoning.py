"""What stands behind the numbers: they add up with the counts of the same discovery, and with the frames counted another way."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from crm_pipelines.discovery import frames, reckoning
from crm_pipelines.discovery.clean import clean_counts
from crm_pipelines.phases.predict import PhasePrediction
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import StagedObject

MAKES = "people"


def test_every_line_of_the_exports_that_cannot_be_read_names_its_file(project: Project) -> None:
    told = reckoning.broken_lines(project)
    files = {chunk.file_name: chunk.object for chunk in project.chunks()}
    assert {(one["file"], one["object"]) for one in told} <= set(files.items())
    assert {one["reason"] for one in told} >= {"unterminated_quote", "truncated_last_row"}


def test_money_is_all_of_it_and_the_part_that_waits(project: Project) -> None:
    states = _states(project, waits=lambda keys: keys.head(5))
    told = reckoning.money(project, states)
    for phase in {one["phase"] for one in told}:
        mapped = project.mapped(phase, "key", "amount", "currency").drop_nulls()
        whole = sum((Decimal(str(amount)) for amount in mapped["amount"]), Decimal(0))
        held = mapped.filter(pl.col("key").is_in(states[phase].filter(pl.col("state") == "waiting")["key"].implode()))
        assert abs(sum(Decimal(one["amount"]) for one in told if one["phase"] == phase) - whole) < 1
        assert abs(sum(Decimal(one["waiting"]) for one in told if one["phase"] == phase) - Decimal(str(held["amount"].sum()))) < 1
    assert told


def test_money_of_rows_that_are_of_no_record_yet_is_told_beside_and_so_are_lines_nobody_can_read(project: Project) -> None:
    told = reckoning.money_aside(project)
    payments = project.spec.derive.purchases.payments  # type: ignore[union-attr]
    unread = sum(one["rows"] for one in reckoning.broken_lines(project) if one["object"] == payments)
    assert [one["rows"] for one in told if not one["amount"]] == ([unread] if unread else [])
    assert all(Decimal(one["amount"]) != 0 and one["reason"] for one in told if one["amount"])


def test_the_files_with_rounded_numbers_hold_all_of_them(project: Project) -> None:
    told = reckoning.ruined_phones(project)
    count = next(one for one in clean_counts(project, *_people(project)) if one.object == "contacts").kinds.get("ruined_phone", 0)
    assert bool(told) == bool(count)
    assert sum(one["rows"] for one in told) >= count


def test_what_hangs_on_somebody_held_back_for_another_reason_waits_on_when_owners_are_settled(project: Project) -> None:
    phases = [name for name, one in project.compiled.phases.items() if one.create != "never" and not one.pairs and name in project.phases]
    child = next(name for name in phases if MAKES in project.compiled.phases[name].links.values() and name != MAKES)
    link = next(name for name, parent in project.compiled.phases[child].links.items() if parent == MAKES)
    linked = project.scan_mapped(child).select("key", f"link_{link}").collect()
    linked = linked.explode(f"link_{link}") if isinstance(linked.schema[f"link_{link}"], pl.List) else linked
    first, second = linked.drop_nulls()[f"link_{link}"].unique(maintain_order=True).head(2)
    states = _states(project)
    states[MAKES] = _held(states[MAKES], {first: ("owner", "no_user"), second: ("review", "no_email")})
    children = {key for key, parent in linked.iter_rows() if parent in (first, second)}
    states[child] = _held(states[child], dict.fromkeys(children, ("parent", f"parent_{MAKES}")))
    told = reckoning.waiting_without_owners(project, states, [MAKES, child])
    stuck = {key for key, parent in linked.iter_rows() if parent == second}
    assert told == {MAKES: 1, child: len(stuck)}
    assert sum(one["records"] for one in reckoning.waiting_records(states, [MAKES, child])) == 2 + len(children)


def test_contacts_without_an_owner_are_all_contacts_less_those_of_somebody(project: Project) -> None:
    frame = pl.concat([pl.read_parquet(project.staged_path("contacts", key)) for key in project.object_chunks("contacts")], how="diagonal")
    owned = frame.filter(pl.col("owner").is_not_null())["id"].n_unique()
    assert reckoning.without_owner(project) == frame["id"].n_unique() - owned


def _people(project: Project) -> tuple[dict[str, StagedObject], pl.DataFrame]:
    staged = {name: frames.staged_object(project, name) for name in project.objects}
    return staged, frames.people(project, staged)


def _states(project: Project, waits: object = None) -> dict[str, pl.DataFrame]:
    """Return every record as created; the keys that `waits` picks of each phase as waiting."""
    found = {}
    for phase in project.phases:
        keys = project.mapped(phase, "key")
        picked = waits(keys["key"]) if callable(waits) else pl.Series([], dtype=pl.String)
        is_held = pl.col("key").is_in(picked.implode())
        found[phase] = PhasePrediction(
            phase,
            keys.with_columns(
                decision=pl.lit("create"),
                state=pl.when(is_held).then(pl.lit("waiting")).otherwise(pl.lit("created")),
                queue=pl.when(is_held).then(pl.lit("owner")),
                reason=pl.when(is_held).then(pl.lit("no_user")),
            ),
        ).states
    return found


def _held(states: pl.DataFrame, why: dict[str, tuple[str, str]]) -> pl.DataFrame:
    rows = [
        {**row, "state": "waiting", "queue": why[row["key"]][0], "reason": why[row["key"]][1]} if row["key"] in why else row
        for row in states.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=states.schema)

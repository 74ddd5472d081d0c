"""How many planted twins the search for duplicates finds, and how many pairs are none: `python -m benchmarks twins`.

Belongs here: running the search as the product does, figures with their intervals. Not here: planting (twins_planted), the rules
(crm_pipelines.discovery.duplicates).

A pair is right when both records are of one person, false otherwise, also where nobody could know better: father and son with one
name at one address, two namesakes in one postal code. `python -m benchmarks.twins --seed N` measures any list, `--show` its misses.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks.figures import Goal, Result, number
from benchmarks.mapping import wilson
from benchmarks.twins_planted import Planted, plant

FULL, QUICK = 1_000_000, 100_000
SEED_LOOKING, SEED_JUDGING = 1, 20_261_123  # rules were looked at with the first only; 20_261_122 judged the rules before
CPU, PRECISION, RECALL = Goal("at most", 5), Goal("at least", 99.8), Goal("at least", 95)  # issue 4
ROUNDS = 3
FALSE_KINDS = ("one name in one household", "one household", "one name", "colleagues", "others")


@dataclass(frozen=True)
class Judged:
    """What one search found."""

    pairs: pl.DataFrame
    """first, second, rule, is_right, why: `why` is what the two are to each other when they are not one person."""
    twins: pl.DataFrame
    """Planted twins with is_found and is_reachable."""
    cost: dict[str, float]


def run(result: Result, *, seeds: tuple[int, ...] = (SEED_LOOKING, SEED_JUDGING)) -> None:
    """Measure lists; the goals are held against the last, which no rule was made with."""
    for seed in seeds:
        judged = judge(QUICK if result.is_quick else FULL, seed)
        has_goals = seed == seeds[-1]
        name = f"seed {seed}: "
        _add_cost(result, name, judged, has_goals=has_goals)
        _add_whole(result, name, judged, has_goals=has_goals)
        if has_goals:
            _add_details(result, judged)


def judge(rows: int, seed: int, rounds: int = ROUNDS) -> Judged:
    """Plant a list, search it, hold what was found against the truth."""
    return searched(plant(rows, seed), rounds)


def searched(planted: Planted, rounds: int) -> Judged:
    """Search a list; the cost is that of the cheapest of several rounds, since other work shares the machine."""
    with tempfile.TemporaryDirectory(prefix="twins-") as folder:
        people, pairs = Path(folder) / "people.parquet", Path(folder) / "pairs.parquet"
        planted.people.write_parquet(people)
        costs = [_searched(people, Path(folder) / f"found{turn}", pairs) for turn in range(rounds)]
        return held_against(planted, pl.read_parquet(pairs), min(costs, key=lambda cost: cost["cpu_s"]))


def _searched(people: Path, found: Path, pairs: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.twins_child", str(people), str(found), str(pairs)], check=True, capture_output=True, text=True
    )
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def held_against(planted: Planted, pairs: pl.DataFrame, cost: dict[str, float]) -> Judged:
    """Say of each pair whether it is right, and of each twin whether it was found."""
    known = planted.truth.select("key", "person", "household", "firm", "plain")
    both = pairs.join(known, left_on="first", right_on="key").join(known, left_on="second", right_on="key", suffix="_2")
    marked = both.with_columns(is_right=pl.col("person") == pl.col("person_2"), why=_why())
    both_ways = [pairs.select(a=a, b=b) for a, b in (("first", "second"), ("second", "first"))]
    hits = pl.concat(both_ways).unique().with_columns(is_found=pl.lit(value=True))
    twins = planted.twins.join(hits, left_on=("first", "second"), right_on=("a", "b"), how="left")
    twins = twins.with_columns(pl.col("is_found").fill_null(value=False), is_reachable=pl.col("agrees") != "nothing")
    return Judged(marked, twins, cost)


def _why() -> pl.Expr:
    same_home, same_name = (pl.col(name) == pl.col(f"{name}_2") for name in ("household", "plain"))
    same_firm = (pl.col("firm") == pl.col("firm_2")) & (pl.col("firm") >= 0)
    names = map(pl.lit, FALSE_KINDS)
    return (
        pl.when(same_home & same_name)
        .then(next(names))
        .when(same_home)
        .then(next(names))
        .when(same_name)
        .then(next(names))
        .when(same_firm)
        .then(next(names))
        .otherwise(next(names))
    )


def _add_cost(result: Result, name: str, judged: Judged, *, has_goals: bool) -> None:
    result.add(f"{name}CPU of the search, reading included", judged.cost["cpu_s"], "s", CPU if has_goals else None, f"best of {ROUNDS}")
    result.add(f"{name}time of the search", judged.cost["wall_s"], "s")
    result.add(f"{name}peak memory of the process", judged.cost["peak_mb"], "MB")


def _add_whole(result: Result, name: str, judged: Judged, *, has_goals: bool) -> None:
    twins, reachable = judged.twins, judged.twins.filter("is_reachable")
    share(result, f"{name}precision", judged.pairs["is_right"], PRECISION if has_goals else None)
    share(result, f"{name}recall, of planted twins within reach", reachable["is_found"], RECALL if has_goals else None)
    share(result, f"{name}recall, of all planted twins", twins["is_found"])
    share(result, f"{name}planted twins out of reach: nothing agrees but the name", ~twins["is_reachable"])


def _add_details(result: Result, judged: Judged) -> None:
    reachable = judged.twins.filter("is_reachable")
    for column, said in (("agrees", "agrees: "), ("kind", "name: ")):
        for (value,), rows in sorted(reachable.group_by(column), key=lambda pair: -pair[1].height):
            share(result, f"recall, {said}{value}", rows["is_found"])
    for (rule, company), rows in sorted(judged.pairs.group_by("rule", "same_company"), key=lambda pair: -pair[1].height):
        share(result, f"rule {rule}{', same company' if company else ''}: right", rows["is_right"])
    for (phone,), rows in sorted(judged.pairs.group_by("same_phone")):
        share(result, f"pairs {'with' if phone else 'without'} the same telephone number: right", rows["is_right"])
    wrong = judged.pairs.filter(~pl.col("is_right"))
    for why in FALSE_KINDS:
        result.add(f"false pairs: {why}", wrong.filter(pl.col("why") == why).height, "pairs")


def share(result: Result, name: str, hits: pl.Series, goal: Goal | None = None) -> None:
    """Add the share of true values in per cent, with its 95 % interval."""
    hit = int(hits.sum() or 0)
    low, high = wilson(hit, hits.len())
    result.add(name, 100 * hit / max(1, hits.len()), "%", goal, f"{hit:,} of {hits.len():,}; {_fine(low)} to {_fine(high)}")


def _fine(value: float) -> str:
    """Return per cent with the digits that tell 99.8 from 99.85."""
    return f"{value:.2f}" if value >= 10 else number(value)


def main(arguments: list[str] | None = None) -> int:
    """Measure one list, and show what was missed and what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.twins", description="How many planted twins are found.")
    parser.add_argument("--seed", type=int, default=SEED_LOOKING)
    parser.add_argument("--rows", type=int, default=FULL)
    parser.add_argument("--show", type=int, default=0, metavar="N", help="so many misses and false pairs (never of the judging seed)")
    given = parser.parse_args(arguments)
    if given.show and given.seed == SEED_JUDGING:
        parser.error("the misses of the judging seed are not shown: who sees them tunes on them")
    planted = plant(given.rows, given.seed)
    judged = searched(planted, 1)
    result = Result("twins", f"seed {given.seed}", "")
    _add_cost(result, "", judged, has_goals=True)
    _add_whole(result, "", judged, has_goals=True)
    _add_details(result, judged)
    print("\n".join(figure.line() for figure in result.figures))
    if given.show:
        _show(planted, judged, given.show)
    return 0


def _show(planted: Planted, judged: Judged, count: int) -> None:
    wrong = judged.pairs.filter(~pl.col("is_right")).select("why", "rule", "first", "second")
    missed = judged.twins.filter(~pl.col("is_found") & pl.col("is_reachable")).select("kind", "agrees", "first", "second")
    seen = planted.people.select("key", "name", "postcode", "company", "phone")
    for rows in (wrong, missed):
        some = rows.sample(min(count, rows.height), seed=1)
        shown = some.join(seen, left_on="first", right_on="key").join(seen, left_on="second", right_on="key", suffix="_2")
        print("\n".join(str(row) for row in shown.drop("first", "second").sort(shown.columns[0]).rows()))


if __name__ == "__main__":
    sys.exit(main())

"""How often the proposed map is right, on labelled headings of four languages: `python -m benchmarks mapping`.

Belongs here: reading labelled headings, running the engine as the product does, figures with their intervals. Not here: the engine
(crm_pipelines.discovery.propose), fitting its weights (mapping_fit), writing headings (headings/README.md).

`python -m benchmarks.mapping --judge FILE` measures any file of that format, `--fit` refits the weights on the development
sets and tells how each fares when it is left out. What each figure means stands beside it. The last judging set is only ever measured as
a whole: its misses are never shown.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from benchmarks.figures import Goal, Result, number
from crm_pipelines.discovery.features import ColumnSample
from crm_pipelines.discovery.lexicon import load_lexicon
from crm_pipelines.discovery.model import Model, load_model
from crm_pipelines.discovery.proposal import Proposal, Target
from crm_pipelines.discovery.propose import PLACES, propose_columns

HEADINGS = Path(__file__).parent / "headings"
TUNING, JUDGING = HEADINGS / "tuning.csv", HEADINGS / "judging_final.csv"
DEVELOPMENT = (TUNING, HEADINGS / "judging.csv", HEADINGS / "judging_fresh.csv")  # weights and names were adjusted on all of them
NEAR_MISSES = HEADINGS / "near_misses.csv"  # by the author of the aliases: columns that sound like a target; for tuning only
GOALS = {
    "top1": Goal("at least", 85),
    "top3": Goal("at least", 95),
    "false": Goal("at most", 3),
    "precision": Goal("at least", 95),
}  # issue 4
Z = 1.96


@dataclass(frozen=True)
class Labelled:
    """One heading with what it should become."""

    column: ColumnSample
    target: str
    """Concept of targets.csv, or `none`."""
    language: str

    @property
    def is_none(self) -> bool:
        return self.target == "none"


@dataclass(frozen=True)
class Judged:
    """A heading and what was proposed for it."""

    labelled: Labelled
    proposal: Proposal

    @property
    def first(self) -> str:
        """The field proposed first, `none` for no target and new custom field alike."""
        return _name(self.proposal.best.target)

    @property
    def is_right(self) -> bool:
        return self.first == self.labelled.target

    @property
    def is_ticked(self) -> bool:
        return self.proposal.state == "pre-ticked"

    @property
    def is_in_choice(self) -> bool:
        """Whether the right field is among the fields offered (three, beside `no target` and `new custom field`)."""
        fields = [each.target.name for each in self.proposal.candidates if each.target.kind == "field"]
        return self.labelled.target in fields[:PLACES]

    @property
    def is_in_three_lines(self) -> bool:
        """Whether it is in the first three lines, those two among them."""
        return self.labelled.target in [_name(each.target) for each in self.proposal.candidates[:3]]


def targets() -> list[Target]:
    """Return every concept as a field to be proposed."""
    concepts = load_lexicon().concepts.values()
    return [Target(each.object, each.name, "field", each.kind, each.name, each.label) for each in concepts]


def read(path: Path) -> list[Labelled]:
    """Read labelled headings; files of one name belong together."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_labelled(row) for row in csv.DictReader(file)]


def _labelled(row: dict[str, str]) -> Labelled:
    values = tuple(value for value in row["sample_values"].split("|") if value.strip())
    column = ColumnSample(row["source_file"], row["heading"], row["heading"], values, len(values))
    return Labelled(column, row["target"], row["lang"])


def judge(labelled: Sequence[Labelled], model: Model | None = None) -> list[Judged]:
    """Propose for all headings, file by file."""
    made = propose_columns([each.column for each in labelled], targets(), model=model)
    return [Judged(each, proposal) for each, proposal in zip(labelled, made, strict=True)]


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, in per cent."""
    if of == 0:
        return 0.0, 100.0
    share, spread = hits / of, Z * Z / of
    middle, half = share + spread / 2, Z * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, 100 * (middle - half) / (1 + spread)), min(100.0, 100 * (middle + half) / (1 + spread))


def run(result: Result) -> None:
    """Measure every set; the goals are held against the last one, on which nothing was adjusted."""
    for path in (*DEVELOPMENT, JUDGING):
        if path.exists():
            _add(result, path.stem, judge(read(path)), has_goals=path is JUDGING)
    _add_speed(result)


def _add(result: Result, name: str, judged: Sequence[Judged], *, has_goals: bool) -> None:
    for what, rows, hit, goal in _questions(judged):
        hits = sum(map(hit, rows))
        low, high = wilson(hits, len(rows))
        note = f"{hits} of {len(rows)}; {number(low)} to {number(high)}"
        result.add(f"{name}: {what}", 100 * hits / max(1, len(rows)), "%", GOALS[goal] if has_goals and goal else None, note)
    result.detail[name] = {"headings": len(judged), "threshold": load_model().threshold}


Question = tuple[str, Sequence[Judged], Callable[[Judged], bool], str]


def _questions(judged: Sequence[Judged]) -> Iterable[Question]:
    """Yield figure, rows, what counts as a hit, and the goal's name."""
    mapped = [each for each in judged if not each.labelled.is_none]
    none = [each for each in judged if each.labelled.is_none]
    ticked = [each for each in judged if each.is_ticked]
    yield "top-1, one-to-one", mapped, lambda each: each.is_right, "top1"
    yield "top-3, of the three fields offered", mapped, lambda each: each.is_in_choice, "top3"
    yield "top-3, `no target` counted as a line", mapped, lambda each: each.is_in_three_lines, ""
    yield "precision of what is pre-ticked", ticked, lambda each: each.is_right, "precision"
    yield "pre-ticked, of all columns", judged, lambda each: each.is_ticked, ""
    yield "fields pre-ticked, of mapped columns", mapped, lambda each: each.is_ticked and each.first != "none", ""
    yield "none-columns with a field first", none, lambda each: not each.is_right, "false"
    yield "none-columns with a field pre-ticked", none, lambda each: each.is_ticked and not each.is_right, "false"
    yield "top-1 over all columns, none-columns too", judged, lambda each: each.is_right, ""
    for language in ("en", "de", "es", "fr"):
        spoken = [each for each in mapped if each.labelled.language == language]
        yield f"top-1, {language}", spoken, lambda each: each.is_right, ""
        yield f"top-3, {language}", spoken, lambda each: each.is_in_choice, ""


def _add_speed(result: Result) -> None:
    """Time one file of 40 columns with 500 values each, tables loaded."""
    columns = [each.column for each in read(TUNING)][:40]
    wide = [ColumnSample("contacts", each.heading, each.column, _spread(each.values), 500) for each in columns]
    wall, cpu = time.perf_counter(), time.process_time()
    propose_columns(wide, targets())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    result.add("a file of 40 columns, 500 different values each", cpu, "s CPU", Goal("at most", 2), f"{number(wall)} s on the clock")


def _spread(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{value}{number}" for number in range(500 // max(1, len(values))) for value in values)


def _name(target: Target) -> str:
    return target.name if target.kind == "field" else "none"


def main(arguments: list[str] | None = None) -> int:
    """Measure one file, show the tuning set's misses, or refit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mapping", description="How often the proposed map is right.")
    parser.add_argument("--judge", type=Path, default=TUNING, metavar="FILE", help="labelled headings; default: the tuning set")
    parser.add_argument("--show-misses", action="store_true", help="list what is wrong (never of the judging set)")
    parser.add_argument("--fit", action="store_true", help="refit the weights on the development sets and store them beside the aliases")
    given = parser.parse_args(arguments)
    if given.fit:
        from benchmarks import mapping_fit  # needs the functions above

        print("\n".join(mapping_fit.refit({path.stem: read(path) for path in DEVELOPMENT}, read(NEAR_MISSES))))
        return 0
    if given.show_misses and given.judge.resolve() == JUDGING.resolve():
        parser.error("the misses of the judging set are not shown: who sees them tunes on them")
    judged = judge(read(given.judge))
    result = Result("mapping", str(given.judge), "")
    _add(result, given.judge.stem, judged, has_goals=True)
    print("\n".join(figure.line() for figure in result.figures))
    if given.show_misses:
        print("\n".join(_missed(each) for each in judged if not each.is_right))
    return 0


def _missed(each: Judged) -> str:
    ranked = ", ".join(f"{candidate.target.name} {candidate.confidence}" for candidate in each.proposal.candidates[:3])
    column = each.labelled.column
    return f"  {column.object} `{column.heading}`: {each.labelled.target}, not {ranked} ({each.proposal.state})"


if __name__ == "__main__":
    sys.exit(main())

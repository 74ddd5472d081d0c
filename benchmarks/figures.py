"""A figure with its goal, and how figures are printed and kept.

Belongs here: values, the table, the result files. Not here: how anything is measured (one module per stage).
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Goal:
    """What a figure should be: at most or at least a limit, in the figure's unit."""

    kind: Literal["at most", "at least"]
    limit: float

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.kind == "at most" else value >= self.limit

    def __str__(self) -> str:
        return f"{'<=' if self.kind == 'at most' else '>='} {number(self.limit)}"


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.value) else "NOT MET"

    def line(self) -> str:
        """Return the figure as one row of the table."""
        goal = "" if self.goal is None else str(self.goal)
        return f"  {self.name:58} {number(self.value):>12} {self.unit:14} {goal:>10}  {self.verdict:8} {self.note}".rstrip()


@dataclass
class Result:
    """All figures of one stage, and under which load they were taken."""

    stage: str
    title: str
    how: str
    figures: list[Figure] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    load_before: float = 0.0
    load_after: float = 0.0
    is_quick: bool = False

    def add(self, name: str, value: float, unit: str, goal: Goal | None = None, note: str = "") -> None:
        self.figures.append(Figure(name, value, unit, goal, note))

    @property
    def missed(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.verdict == "NOT MET"]

    def lines(self) -> list[str]:
        """Return the stage as it is printed."""
        head = f"{self.stage}: {self.title}  [{self.seconds:.0f} s, load {self.load_before:.1f} -> {self.load_after:.1f}]"
        return [head, *(f"  {line}" for line in self.how.splitlines()), *(figure.line() for figure in self.figures)]


@contextmanager
def measured(result: Result) -> Iterator[Result]:
    """Time a stage and note the load that other work put on the machine."""
    started, result.load_before = time.monotonic(), os.getloadavg()[0]
    yield result
    result.seconds, result.load_after = time.monotonic() - started, os.getloadavg()[0]


def number(value: float) -> str:
    """Return a number with as many digits as matter."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


def keep(result: Result, folder: Path = RESULTS) -> Path:
    """Write `<stage>.json` and return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.stage}.json"
    figures = [
        {**asdict(figure), "goal": None if figure.goal is None else str(figure.goal), "verdict": figure.verdict}
        for figure in result.figures
    ]
    path.write_text(
        json.dumps({**asdict(result), "figures": figures, "machine": machine()}, indent=2, default=str) + "\n", encoding="utf-8"
    )
    return path


def kept(stage: str, folder: Path = RESULTS) -> Result | None:
    """Read the newest result of a stage, None when it was not measured yet."""
    path = folder / f"{stage}.json"
    if not path.exists():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    measured_figures = [Figure(f["name"], f["value"], f["unit"], _goal(f["goal"]), f["note"]) for f in told["figures"]]
    return Result(**{**{f.name: told[f.name] for f in fields(Result)}, "figures": measured_figures})


def _goal(text: str | None) -> Goal | None:
    if text is None:
        return None
    sign, _, limit = text.partition(" ")
    return Goal("at most" if sign == "<=" else "at least", float(limit.replace(",", "")))


def machine() -> str:
    """Return what the figures were taken on."""
    return f"{os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}, {platform.system()}"


def summary(results: Sequence[Result]) -> list[str]:
    """Return one line per figure that has a goal."""
    rows = [f"  {result.stage:10} {figure.line().strip()}" for result in results for figure in result.figures if figure.goal is not None]
    return ["Goals", *rows]


def as_markdown(results: Sequence[Result], when: str) -> str:
    """Return figures as the page that is kept in the repository."""
    out = ["# Measured", "", f"`make bench` or `python -m benchmarks`, {when}; the newest run of each stage. {machine()}.", ""]
    out += ["Load is the machine's one-minute average at a stage's begin and end: other work shared the two cores, so CPU figures are", ""]
    out[-1] = "trusted more than times."
    for result in results:
        size = " --quick" if result.is_quick else ""
        load = f"load {result.load_before:.1f} to {result.load_after:.1f}"
        out += ["", f"## {result.stage}: {result.title}", "", *result.how.splitlines(), ""]
        out += [
            f"`python -m benchmarks{size} {result.stage}`: {result.seconds:.0f} s, {load}.",
            "",
        ]
        out += ["| figure | measured | unit | goal | | |", "|---|---:|---|---|---|---|"]
        out += [f"| {f.name.strip()} | {number(f.value)} | {f.unit} | {f.goal or ''} | {f.verdict} | {f.note} |" for f in result.figures]
    return "\n".join([*out, ""])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

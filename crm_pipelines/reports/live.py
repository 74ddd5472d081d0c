"""A running load on a screen: one line per step, a bar for records.

Belongs here: drawing. Not here: what runs (defs.drive), tables of results (reports.terminal).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

POLL_S = 0.25


class LiveRun:
    """Lines that grow while a load runs; draws nothing without a console."""

    def __init__(self, console: Console | None) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=console is None,
        )
        self._tasks: dict[str, TaskID] = {}
        self._counting: tuple[TaskID, Callable[[], int], int] | None = None
        self._ended = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="live", daemon=True)

    def __enter__(self) -> Self:
        self._progress.start()
        self._poller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._poller.join()
        self._progress.stop()

    def start(self, name: str, total: int, count: Callable[[], int] | None = None) -> None:
        """Show a step; `count` is asked for records done since it was first asked."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=max(total, 1))
        if count is not None:
            self._counting = (self._tasks[name], count, count())

    def finish(self, name: str, *, shut: bool = False) -> None:
        """Show a step as done, or as shut."""
        self._counting = None
        task = self._tasks[name]
        total = self._progress.tasks[task].total
        if shut:
            self._progress.update(task, description=f"[red]✗ {name}: shut[/]")
        else:
            self._progress.update(task, completed=total)

    def _poll(self) -> None:
        while not self._ended.wait(POLL_S):
            counting = self._counting
            if counting is not None:
                task, count, before = counting
                done = count() - before
                self._progress.update(task, completed=min(done, self._progress.tasks[task].total or done))

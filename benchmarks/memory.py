"""Peak memory of the whole process that stages, folds and maps very many contacts; nothing is sent.

Belongs here: making the input, and what the child's figures mean. Not here: the child itself (memory_child).
"""

from __future__ import annotations

from benchmarks import bed
from benchmarks.figures import Goal, Result

GOAL_MB = 500  # issue 2: 2,000,000 rows
FULL, QUICK = (2_000_000, 800), (200_000, 80)  # rows, files: the source's own size of chunk


def run(result: Result, *, rows: int | None = None, files: int | None = None) -> None:
    """Measure one size; `quick` takes a tenth of the rows, in files of the same size."""
    wanted_rows, wanted_files = QUICK if result.is_quick else FULL
    rows, files = rows or wanted_rows, files or wanted_files
    with bed.bed() as made:
        size = bed.fill(made, rows, files)
        found = bed.child("benchmarks.memory_child", bed.NAME, environ=made.environ())
    result.how += f"\n{rows:,} contacts in {files} files, {size / 1e6:,.0f} MB of CSV; {sum(found['records'].values()):,} desired records."
    result.detail = found
    for name, step in found["steps"].items():
        if name != "start":
            result.add(
                f"highest while: {name}",
                step["here_mb"],
                "MB",
                note=f"{step['cpu_s'] / rows * 1e6:.0f} us CPU per row, {step['wall_s']:.0f} s",
            )
    result.add("process after its imports", found["steps"]["start"]["peak_mb"], "MB")
    result.add(f"peak of the process, {rows:,} rows", found["peak_mb"], "MB", Goal("at most", GOAL_MB))

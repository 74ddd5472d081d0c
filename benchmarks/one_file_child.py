"""Read one very large contacts file in this process and say what that took: `python -m benchmarks.one_file_child ROWS`.

Belongs here: making the file, and the process whose memory is looked at. Not here: many files of the source's own size (memory).
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from benchmarks.memory_child import peak_mb
from crm_pipelines.phases.contracts import load_source
from crm_pipelines.phases.stage import stage_file, write_staged

SAMPLE = ("sample", "kartra", "--contacts", "2000", "--seed", "7", "--out")


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = made(folder, rows)
        before, start = peak_mb(), time.process_time()
        staged = stage_file(load_source("kartra"), "contacts", path)
        write_staged(staged, folder / "staged", "one")
        told = {"rows": staged.frame.height, "file_mb": staged.size_bytes / 1e6, "adds_up": staged.adds_up, "start_mb": before}
    print(json.dumps({**told, "cpu_s": time.process_time() - start, "peak_mb": peak_mb()}))


def made(folder: Path, rows: int) -> Path:
    """Write the rows of a sample over and over, each with an id and addresses of its own."""
    subprocess.run([sys.executable, "-m", "crm_pipelines.cli", *SAMPLE, str(folder)], check=True, capture_output=True)
    (export,) = (folder / "exports").glob("leads*.csv")
    path = folder / "contacts.csv"
    with export.open(encoding="utf-8-sig", newline="") as read, path.open("w", encoding="utf-8", newline="") as write:
        heading, *body = csv.reader(read)
        out = csv.writer(write)
        out.writerow(heading)
        whole = [row for row in body if len(row) == len(heading)]
        for number, row in enumerate(islice(cycle(whole), rows)):
            out.writerow([str(100_000 + number), *(cell.replace("@", f"{number}@") for cell in row[1:])])
    return path


if __name__ == "__main__":
    main(int(sys.argv[1]))

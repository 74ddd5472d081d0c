"""Search one list in a process of its own and say what that took: `python -m benchmarks.twins_child PEOPLE FOUND PAIRS`.

Belongs here: the clock around the search, reading its input included, imports excluded. Not here: what is found (twins).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from crm_pipelines.discovery.duplicates import find_pairs


def main(people: Path, found: Path, pairs: Path) -> None:
    cpu, wall = time.process_time(), time.monotonic()
    result = find_pairs(people, found)
    cost = {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - wall}
    cost["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    result.write_parquet(pairs)
    print(json.dumps(cost))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

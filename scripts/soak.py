"""Kill the product at random for as long as you like: `python scripts/soak.py [--kills 200] [--contacts 600] [--seed 1]`.

Every round: start a load against a sandbox with latency, dropped answers and server errors, kill -9 after a random while, go on.
At the end the sandbox's records must equal the truth. The bounded form runs in the test suite (test_crashes.py).
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from crm_pipelines_tests.acceptance.test_crashes import TROUBLE
from crm_pipelines_tests.lib.rig import Rig, build


def main() -> int:
    """Run the rounds; 0 when the sandbox ends with the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--contacts", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rig = build(Path(folder) / "rig", contacts=given.contacts, sandbox={"plan": "growth", "auth": "api", "seats": 20})
        try:
            return soak(rig, given.kills, random.Random(given.seed))
        finally:
            rig.sandbox.stop()


def soak(rig: Rig, kills: int, chance: random.Random) -> int:
    """Kill, resume, and compare at the end."""
    rig.sandbox.truth.post("faults", TROUBLE)
    hit = 0
    for number in range(1, kills + 1):
        running = rig.start_walk()
        time.sleep(chance.uniform(1.5, 6.0))
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            hit += 1
        running.communicate()
        print(f"\r{number} of {kills} rounds, {hit} kills hit", end="", flush=True)
    rig.sandbox.truth.post("faults", [])
    while rig.walk().returncode != 0:
        print("\nresuming")
    found = rig.compare()
    print(f"\n{found.records_compared} records, {found.fields_compared} fields compared, {len(found.differences)} differences")
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())

"""Own CPU of the ledger per record: `sending` and `answered` in waves of 100, and lookups, without any HTTP.

    python -m benchmarks ledger
    python -m benchmarks.ledger_cost [URL ...]      # another ledger, e.g. PostgreSQL; default: a new SQLite file

Belongs here: the ledger alone. Not here: the whole load path and the goals it is held to (the benchmarks' one command).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.figures import Result, measured
from crm_pipelines.journal import Allowance, Attempt, Outcome
from crm_pipelines.ledger import Ledger, LedgerJournal

WAVE = 100
PAYLOAD = b'{"name":"' + b"x" * 480 + b'"}'


def attempts(start: int) -> list[Attempt]:
    return [Attempt(f"lead-{i:09d}@example.com", "create", f"{i:032x}", PAYLOAD, f"kartra:{i}", 5) for i in range(start, start + WAVE)]


def run_waves(journal: LedgerJournal, count: int, allowance: Allowance, answers_of: int) -> None:
    """Send and answer waves; `answers_of` outcomes per call of `answered`."""
    for start in range(0, count, WAVE):
        wave = attempts(start)
        sent = journal.sending(wave, allowance)
        outcomes = [Outcome(i, a.key, "created", f"{i}") for i, a in zip(sent, wave, strict=True)]
        for first in range(0, WAVE, answers_of):
            journal.answered(outcomes[first : first + answers_of])
    journal.flush()


def measure(result: Result, name: str, count: int, work: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    result.add(name, cpu / count * 1e6, "us/record", note=f"{wall / count * 1e6:.1f} us wall, {count / wall:,.0f} /s")


def run(result: Result) -> None:
    """Measure a new SQLite file."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as folder:
        benchmark(result, f"sqlite:///{folder}/ledger.db", 2_000 if result.is_quick else 20_000)


def benchmark(result: Result, url: str, count: int) -> None:
    allowance = Allowance("2026-11-22", 10**9, 0, datetime.now(UTC) + timedelta(days=1))
    with Ledger.open(url) as ledger, ledger.lock("account", "benchmark") as fence:
        result.how += f"\n{url.split('://', maxsplit=1)[0]}, {count:,} records, payload {len(PAYLOAD)} bytes."
        baseline = time.process_time()
        for start in range(0, count, WAVE):
            wave = attempts(start)
            [Outcome(i, a.key, "created", f"{i}") for i, a in enumerate(wave)]
        made = (time.process_time() - baseline) / count * 1e6
        result.add("making the values (in the next two figures)", made, "us/record")
        waves = ledger.journal("account", "e", "waves", 1, fence)
        measure(result, "sending + answered, 100 answers a call", count, lambda: run_waves(waves, count, allowance, WAVE))
        grouped = ledger.grouped_journal("account", "e", "grouped", 1, fence)
        measure(result, "sending + answered, one a call, grouped", count, lambda: run_waves(grouped, count, allowance, 1))
        keys = [f"lead-{i:09d}@example.com" for i in range(count)]
        measure(result, "records of 2,500 keys a call", count, lambda: look_up(ledger, keys))
        measure(result, "records of the whole phase", count, lambda: ledger.records("account", "e", "waves"))


def look_up(ledger: Ledger, keys: list[str]) -> None:
    for start in range(0, len(keys), 2_500):
        ledger.records("account", "e", "waves", keys[start : start + 2_500])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--records", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for url in given.urls or [f"sqlite:///{folder}/ledger.db"]:
            result = Result("ledger", "the ledger alone", "sending + answered in waves of 100")
            with measured(result):
                benchmark(result, url, given.records)
            print("\n".join(result.lines()))


if __name__ == "__main__":
    main()

"""The benchmarks' one command: `python -m benchmarks [--quick] [STAGE ...]`.

Belongs here: which stages there are, in which order, and where their figures go. Not here: any measurement.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks import figures, ledger_cost, mapping, memory, naive, odoo, odoo_server, own_cpu, pacing, tokens, twins
from benchmarks.figures import Result

Stage = tuple[str, str, Callable[[Result], None]]
STAGES: dict[str, Stage] = {
    "cpu": (
        "our own CPU per record, without HTTP",
        "The real phases, ledger (SQLite, synchronous FULL), waves and vendor shaping. HttpClient.send is a stub that says 201 at once,\n"
        "so that no request is built, encoded, paced or sent. Process CPU of all threads, each variant in a process of its own.",
        own_cpu.run,
    ),
    "ledger": ("the ledger alone", "sending + answered in waves of 100, SQLite, synchronous FULL; process CPU.", ledger_cost.run),
    "pacing": (
        "share of the allowed burst, and violations",
        "The real destination writes people into the sandbox, 200 ms latency and U(0,60) ms jitter, half of each on either way.\n"
        "Share: requests from the first to the last, against the account's limit; both taken from the sandbox's own log and counters.",
        pacing.run,
    ),
    "naive": (
        "a naive loop beside ours",
        "Search for the e-mail address, then create, one call after the other, with httpx; 200 ms latency and U(0,60) ms jitter.",
        naive.run,
    ),
    "tokens": (
        "tokens beyond the cheapest possible, with kills",
        "A whole migration, killed by -9 while it loads and started again. All tokens as the sandbox counted them.",
        tokens.run,
    ),
    "memory": (
        "peak memory of the whole process",
        "Register, stage, fold and map in one process; ru_maxrss of that process, its imports included. Nothing is sent.",
        memory.run,
    ),
    "mapping": (
        "how often the proposed map is right",
        "Labelled headings in four languages; candidates: all 58 targets, whatever the file. Behind figures: hits, 95 % interval.\n"
        "`first`: what is proposed first, one-to-one within a file. None-columns: right with `no target` or `new custom field`.\n"
        "`tuning`, `judging` and `judging_fresh` are development sets: names and weights were adjusted with them in sight, so that their\n"
        "figures flatter. The final set was written by somebody who saw the target list alone; goals are held against it.\n"
        "`judging_fresh`, when it was fresh and names were fewer: 74.1 % top-1, 96.8 % top-3, 1.0 % none-columns with a field first.",
        mapping.run,
    ),
    "twins": (
        "how many planted twins are found",
        "1,000,000 contacts in four languages, a tenth of them twins of others: another e-mail address or none, and the name, postal\n"
        "code or the company written another way or missing (benchmarks/twins_planted.py says how often and why). Shared switchboards and\n"
        "mailboxes, households, namesakes, juniors among them. A pair that is two people is false, also where nobody could know better.\n"
        "The list was planted by somebody who had not read the rules; limits were chosen on the first seed, goals are held against the\n"
        "second, which was run once. Two faults of the list were corrected after a first look at the first seed: names given twice in\n"
        "one family by chance, and a pair of names alike but for an accent. The table of short forms was written before its author saw\n"
        "the list's own. E-mail addresses are not used: how a twin's is planted would give it away.",
        twins.run,
    ),
    "odoo": (
        "a real Odoo, beside the tools people import with",
        "Records per CPU second of the server: its own process and the PostgreSQL backends of that database, by their own clocks. A fresh\n"
        "database for every load, contenders in turn; each load is held against the truth by SQL, each rewritten record is counted there.",
        odoo.run,
    ),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the stages, print as they end, and write their results; returns 0 whatever was measured."""
    given = _parsed(arguments)
    results = []
    print(figures.machine())
    for name in given.stages or _possible():
        results.append(_one(name, given))
        print("\n".join(["", *results[-1].lines()]), flush=True)
    print("\n".join(["", *figures.summary(results)]))
    if given.markdown:
        newest = [found for name in STAGES if (found := figures.kept(name)) is not None]
        given.markdown.write_text(figures.as_markdown(newest, f"{datetime.now(UTC):%d %b %Y}"), encoding="utf-8")
    return 0


def _possible() -> list[str]:
    """Return the stages that this machine can run."""
    if odoo_server.install() is None:
        print("... odoo: left out, no Odoo is installed (`make odoo`)", file=sys.stderr)
        return [name for name in STAGES if name != "odoo"]
    return list(STAGES)


def _one(name: str, given: argparse.Namespace) -> Result:
    title, how, run = STAGES[name]
    if name == "odoo":
        run = partial(odoo.run, contacts=given.contacts, rounds=given.rounds)
    result = Result(name, title, how, is_quick=given.quick)
    print(f"... {name}: {title}", file=sys.stderr, flush=True)
    with figures.measured(result):
        run(result)
    figures.keep(result)
    return result


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the product costs; figures beside their goals.")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: minutes become seconds, figures become rough")
    parser.add_argument("--contacts", type=int, help=f"of stage odoo; default {odoo.CONTACTS}")
    parser.add_argument("--rounds", type=int, help=f"of stage odoo; default {odoo.ROUNDS}")
    parser.add_argument("--markdown", type=Path, help="also write the newest result of every stage as a page, e.g. benchmarks/RESULTS.md")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.stages if name not in STAGES]
    if unknown:
        parser.error(f"no stage named {', '.join(unknown)}; stages are {', '.join(STAGES)}")
    return given


if __name__ == "__main__":
    sys.exit(main())

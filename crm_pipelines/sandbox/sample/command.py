"""`crm sample kartra`: the generator's command line.

Belongs here: arguments and what is printed. Not here: what is generated (generate).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from crm_pipelines.sandbox.sample.bulk import generate_contacts_only
from crm_pipelines.sandbox.sample.config import DEFAULTS_OF, PIPEDRIVE, SampleConfig
from crm_pipelines.sandbox.sample.generate import SampleReport, generate

EXIT_OK, EXIT_SETTINGS = 0, 2  # 2: what was asked for is wrong


def run(argv: list[str] | None = None) -> int:
    """Generate what the arguments ask for; print the report and return the exit code."""
    asked = _parser().parse_args(argv)
    try:
        if asked.contacts_only:
            paths = generate_contacts_only(asked.contacts, asked.chunks or 1, asked.out)
            sys.stdout.write(f"{asked.contacts} contacts in {len(paths)} files under {asked.out}\n")
            return EXIT_OK
        report = generate(_config(asked))
    except ValueError as error:
        sys.stderr.write(f"crm sample: {error}\n")
        return EXIT_SETTINGS
    sys.stdout.write(_as_json(report) if asked.json else _as_text(report))
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crm sample", description="Write a realistic, messy export and the truth beside it.")
    parser.add_argument("source", nargs="?", default="kartra", choices=["kartra"])
    parser.add_argument("--route", choices=sorted(DEFAULTS_OF), default=PIPEDRIVE, help="whose truth to write; to Odoo also has deals")
    parser.add_argument("--contacts", type=int, default=2600)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="gets exports/ and truth.json")
    parser.add_argument("--chunks", type=int, help="contacts files; default: files of at most 2,500 contacts")
    parser.add_argument("--currency", default="USD")
    parser.add_argument("--custom-fields", type=int, default=5)
    parser.add_argument("--planted-queue", choices=["five"], help="plant exactly the five waiting rows of the demo")
    parser.add_argument("--timezone", default="America/New_York")
    parser.add_argument("--encodings", choices=["mixed", "plain"], default="mixed")
    parser.add_argument("--delta", action="store_true", help="also write delta/ and truth_after_delta.json")
    parser.add_argument("--decision", action="append", default=[], metavar="NAME=VALUE", help="truth under another decision")
    parser.add_argument("--unknown-columns", action="store_true", help="add columns that no map knows")
    parser.add_argument("--contacts-only", action="store_true", help="stream contacts without truth, for benchmarks")
    parser.add_argument("--json", action="store_true")
    return parser


def _config(asked: argparse.Namespace) -> SampleConfig:
    if any("=" not in text for text in asked.decision):
        raise ValueError("--decision needs NAME=VALUE")
    return SampleConfig(
        contacts=asked.contacts, seed=asked.seed, out=asked.out, chunks=asked.chunks, currency=asked.currency,
        custom_fields=asked.custom_fields, planted_queue=asked.planted_queue, timezone=asked.timezone,
        encodings=asked.encodings, delta=asked.delta, decisions=dict(text.split("=", 1) for text in asked.decision),
        route=asked.route, unknown_columns=asked.unknown_columns,
    )  # fmt: skip


def _as_json(report: SampleReport) -> str:
    return orjson.dumps(report, option=orjson.OPT_INDENT_2, default=str).decode() + "\n"


def _as_text(report: SampleReport) -> str:
    files = (*report.files, *report.delta_files)
    lines = [f"{one.physical_rows:>7} rows  {one.name}  ({one.encoding}, {one.delimiter!r})" for one in files]
    lines += [f"{count:>7} {phase}" for phase, count in report.records.items()]
    lines.append(f"{report.queues:>7} rows will wait")
    lines += [f"{count:>7} x {quirk}" for quirk, count in report.quirks.items()]
    lines += [f"exports in {report.exports}", f"truth in {report.truth}", f"made in {report.seconds:.1f} s"]
    return "\n".join(lines) + "\n"

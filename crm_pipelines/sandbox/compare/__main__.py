"""`python -m crm_pipelines.sandbox.compare [pipedrive|odoo]`: print how far a sandbox account or an Odoo is from a truth file.

Belongs here: arguments, what is printed, exit codes. Not here: the comparisons (pipedrive, odoo).
Exit codes: 0 equal, 11 differences found, 2 a file is wrong, 3 the destination cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.sandbox.compare import Comparison, ComparisonError, compare, odoo

SHOWN = 20
EXIT_EQUAL, EXIT_DIFFERENCES, EXIT_SETTINGS, EXIT_DESTINATION = 0, 11, 2, 3
VENDORS = ("pipedrive", "odoo")


class _FileError(Exception):
    """A file that was named cannot be used; the message says which and how to make it."""


def main(argv: list[str] | None = None) -> int:
    """Compare, print counts and the first differences, and return the exit code."""
    given = sys.argv[1:] if argv is None else argv
    vendor, rest = (given[0], given[1:]) if given and given[0] in VENDORS else ("pipedrive", given)
    asked = _parser(vendor).parse_args(rest)
    try:
        if getattr(asked, "remember", False):
            return _remember(asked)
        comparison = _compared(vendor, asked)
    except _FileError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    except ComparisonError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_DESTINATION
    found = comparison.as_json(show_values=asked.show_values)
    if asked.json:
        _write_private(asked.json, orjson.dumps(found, option=orjson.OPT_INDENT_2))
    sys.stdout.write(_as_text(comparison, found))
    return EXIT_EQUAL if comparison.is_equal else EXIT_DIFFERENCES


def _parser(vendor: str) -> argparse.ArgumentParser:
    about = __doc__.splitlines()[0] if __doc__ else ""
    parser = argparse.ArgumentParser(prog=f"python -m crm_pipelines.sandbox.compare {vendor}", description=about)
    parser.add_argument("--truth", type=Path, required=vendor == "pipedrive")
    if vendor == "pipedrive":
        parser.add_argument("--base-url", required=True)
        parser.add_argument("--sandbox-token", required=True)
    else:
        parser.add_argument("--dsn", required=True, help="how PostgreSQL under Odoo is reached, e.g. postgresql://odoo@127.0.0.1/odoo")
        parser.add_argument("--prefix", default="crm_demo", help="module of our external ids")
        parser.add_argument("--baseline", type=Path, required=True, help="what the database held before the migration")
        parser.add_argument("--remember", action="store_true", help="write the baseline instead of comparing; do this before the migration")
    parser.add_argument("--json", type=Path, help="write counts and all differences to this file")
    parser.add_argument("--show-values", action="store_true", help="show keys and values instead of digests (personal data)")
    return parser


def _remember(asked: argparse.Namespace) -> int:
    _write_private(asked.baseline, orjson.dumps(odoo.baseline(asked.dsn)))
    sys.stdout.write(f"what the database holds is remembered in {asked.baseline}\n")
    return EXIT_EQUAL


def _compared(vendor: str, asked: argparse.Namespace) -> Comparison:
    truth = _read(asked.truth, "truth file; make it with crm sample kartra")
    before = _read(asked.baseline, "baseline; make it with --remember before the migration") if vendor == "odoo" else {}
    try:
        return compare(truth, asked.base_url, asked.sandbox_token) if vendor == "pipedrive" else _with_odoo(truth, asked, before)
    except KeyError as error:
        made = "crm sample kartra" + (" --route kartra_to_odoo, and the baseline with --remember" if vendor == "odoo" else "")
        raise _FileError(f"{asked.truth} is no readable truth file of this route (no {error}); make it with {made}") from error


def _with_odoo(truth: dict[str, Any], asked: argparse.Namespace, before: dict[str, Any]) -> Comparison:
    return odoo.compare(truth, asked.dsn, asked.prefix, before)


def _read(path: Path | None, what: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes() if path else b"")
    except (OSError, orjson.JSONDecodeError) as error:
        raise _FileError(f"{path} is no readable {what} ({type(error).__name__})") from error
    return found


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(data)


def _as_text(comparison: Comparison, found: dict[str, Any]) -> str:
    lines = [f"{comparison.records_compared} records and {comparison.fields_compared} fields compared"]
    for phase, counts in comparison.by_phase.items():
        lines.append(f"  {phase:<14}{counts['records']:>8} records{counts['fields']:>9} fields{counts['differences']:>7} differences")
    lines.append(f"{found['differences']} differences")
    lines += [_line(row) for row in found["details"][:SHOWN]]
    if found["differences"] > SHOWN:
        lines.append(f"  ... and {found['differences'] - SHOWN} more")
        lines += [f"  {count:>7} x {kind}" for kind, count in found["by_kind"].items()]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    where = f"{row['phase']} {row['key']} {row['field']}".rstrip()
    return f"  {where}: {row['kind']} (expected {row['expected']}, found {row['actual']})" if row["field"] else f"  {where}: {row['kind']}"


if __name__ == "__main__":
    sys.exit(main())

"""`python -m crm_pipelines.sandbox.compare`: print how far a sandbox account is from a truth file.

Belongs here: arguments, what is printed, exit codes. Not here: the comparison (judge).
Exit codes: 0 equal, 11 differences found, 2 the truth file is wrong, 3 the sandbox cannot be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from crm_pipelines.sandbox.compare import Comparison, ComparisonError, compare

SHOWN = 20
EXIT_EQUAL, EXIT_DIFFERENCES, EXIT_SETTINGS, EXIT_DESTINATION = 0, 11, 2, 3


def main(argv: list[str] | None = None) -> int:
    """Compare, print counts and the first differences, and return the exit code."""
    asked = _parser().parse_args(argv)
    try:
        truth = orjson.loads(asked.truth.read_bytes())
        comparison = compare(truth, asked.base_url, asked.sandbox_token)
    except (OSError, orjson.JSONDecodeError, KeyError) as error:
        sys.stderr.write(f"{asked.truth} is no readable truth file ({type(error).__name__}); make it with crm sample kartra\n")
        return EXIT_SETTINGS
    except ComparisonError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_DESTINATION
    found = comparison.as_json(show_values=asked.show_values)
    if asked.json:
        _write_private(asked.json, orjson.dumps(found, option=orjson.OPT_INDENT_2))
    sys.stdout.write(_as_text(comparison, found))
    return EXIT_EQUAL if comparison.is_equal else EXIT_DIFFERENCES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crm_pipelines.sandbox.compare", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--sandbox-token", required=True)
    parser.add_argument("--json", type=Path, help="write counts and all differences to this file")
    parser.add_argument("--show-values", action="store_true", help="show keys and values instead of digests (personal data)")
    return parser


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

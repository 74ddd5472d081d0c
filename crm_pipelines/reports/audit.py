"""The audit trail as files and as a table: who confirmed, accepted, decided and resolved what, when, citing what.

Belongs here: how the trail looks. Not here: what is in it (ledger, and whoever adds an entry).

Shape of the trail: engagement, `entries` (no, at, by, what, detail); details hold plain values and no field's value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from crm_pipelines.phases import files

SHORT = 16
HIDDEN = frozenset({"digest"})


def write_audit(told: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Write audit.json and audit.md, mode 0600; return where they lie."""
    text = json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n"
    return {
        "json": files.write_bytes(folder / "audit.json", text.encode()),
        "md": files.write_bytes(folder / "audit.md", as_markdown(told).encode()),
    }


def as_markdown(told: Mapping[str, Any]) -> str:
    """Return the trail as a page: one heading per entry, what it cites below."""
    lines = [
        f"# Audit trail: {told['engagement']}",
        "",
        "Who confirmed, accepted, decided and resolved what; oldest first, times in UTC.",
        "",
    ]
    if not told["entries"]:
        lines.append("Nothing yet.")
    for each in told["entries"]:
        lines += [f"## {each['no']}. {_plain(each['what'])}, by {_plain(each['by'])}, {each['at'][:SHORT].replace('T', ' ')}", ""]
        lines += [f"- {line}" for line in _cited(each["detail"])] or ["- no details"]
        lines.append("")
    return "\n".join(lines) + "\n"


def audit_table(told: Mapping[str, Any]) -> Table:
    """Return the trail as a table for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, title=f"Audit trail: {told['engagement']}", title_justify="left", title_style="bold")
    for name in ("no", "when (UTC)", "by", "what"):
        table.add_column(name, no_wrap=name != "by")
    table.add_column("citing", overflow="fold")
    for each in told["entries"]:
        cited = Text("\n".join(_cited(each["detail"])))
        table.add_row(str(each["no"]), each["at"][:SHORT].replace("T", " "), Text(each["by"]), Text(each["what"]), cited)
    return table


def _cited(detail: Mapping[str, Any]) -> list[str]:
    """Return a line per thing cited, in words."""
    lines: list[str] = []
    for name, value in detail.items():
        if value in (None, "", [], {}) or name in HIDDEN:
            continue
        title = name.replace("_", " ")
        if isinstance(value, list):
            lines += [f"{title}: {_plain(str(one))}" for one in value]
        elif isinstance(value, Mapping):
            lines.append(
                f"{title}: "
                + ", ".join(
                    f"{count:,} {_plain(str(k))}" if isinstance(count, int) else f"{k} {count}" for k, count in value.items() if count
                )
            )
        else:
            lines.append(f"{title}: {_plain(str(value))}")
    return lines


def _plain(text: str) -> str:
    """Return a text on one line, without what Markdown would read."""
    return " ".join(text.split()).replace("`", "'").replace("<", "‹").replace(">", "›").replace("|", "/")

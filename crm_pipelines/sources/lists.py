"""Split the cells of a list column: tags, lists, options.

Belongs here: choosing the separator, known names that hold it, quoted items. Not here: case twins and duplicates
(spec rules, the fold), what a tag means (discovery.tags).

The rule: the separator is `,` or `;`, whichever stands in more of the file's cells; a quoted item is taken whole; names of
the inventory that hold the separator are taken out whole, longest first, before splitting, case and spacing ignored.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

SEPARATORS = (",", ";")
QUOTED_ITEM = r'"((?:[^"]|"")*)"'


@dataclass(frozen=True)
class ListSplit:
    """Cells as lists of trimmed items (null for empty cells), the separator, and the items no inventory names."""

    values: pl.Series
    separator: str
    unmatched: tuple[str, ...]


def choose_separator(values: pl.Series) -> str:
    """Return the separator that more cells hold; a comma when neither does."""
    counts = {one: values.str.contains(one, literal=True).sum() or 0 for one in SEPARATORS}
    return max(SEPARATORS, key=lambda one: counts[one])


def split_list(values: pl.Series, inventory: Sequence[str] = (), separator: str | None = None) -> ListSplit:
    """Split cells into lists of items, in their order, empty items left out.

    Shape: one List[String] per cell, null for a null cell; `unmatched` is empty without an inventory.
    """
    chosen = separator or choose_separator(values)
    whole = [name for name in sorted(inventory, key=len, reverse=True) if chosen in name]
    lists = _split_plain(values, chosen)
    special = values.str.contains('"', literal=True)
    if whole:
        special = special | values.str.contains("(?i)" + "|".join(_name_pattern(name, chosen) for name in whole))
    if special.any():
        lists = _with_special(values, lists, special, chosen, whole)
    return ListSplit(lists.rename(values.name), chosen, _unmatched(lists, inventory))


def split_cell(text: str, separator: str, whole: Sequence[str] = ()) -> list[str]:
    """Split one cell; names in `whole` (longest first) and quoted items are not split."""
    names = "|".join(_name_pattern(name, separator) for name in whole)
    apart = re.escape(separator)
    known = rf"(?P<known>{names})(?=\s*(?:{apart}|\Z))|" if names else ""
    item = re.compile(rf"\s*(?:{known}{QUOTED_ITEM}(?=\s*(?:{apart}|\Z))|(?P<plain>[^{apart}]*))", re.IGNORECASE)
    items, position = [], 0
    while position <= len(text):
        found = item.match(text, position)
        if found is None:  # pragma: no cover  the plain form matches the empty string
            break
        items.append(_item_text(found))
        position = text.find(separator, found.end()) + 1 or len(text) + 1
    return [one for one in items if one]


def _name_pattern(name: str, separator: str) -> str:
    """Match a known name however it is spaced: `Paid,  in full` is `Paid, in full`."""
    words = (r"\s+".join(re.escape(word) for word in part.split()) for part in name.split(separator))
    return rf"\s*{re.escape(separator)}\s*".join(words)


def _item_text(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if groups.get("known"):
        return found.group().strip()
    if groups["plain"] is None:
        quoted = found.group().strip()
        return quoted[1:-1].replace('""', '"').strip()
    return found.group("plain").strip()


def _split_plain(values: pl.Series, separator: str) -> pl.Series:
    """Split, trim and drop empty items without leaving polars."""
    frame = values.alias("cell").to_frame()
    item = pl.element().str.strip_chars()
    return frame.select(pl.col("cell").str.split(separator).list.eval(item.filter(item != ""))).to_series()


def _with_special(values: pl.Series, lists: pl.Series, special: pl.Series, separator: str, whole: Sequence[str]) -> pl.Series:
    """Redo the cells that hold quotes or a known name with the separator in it, each distinct one once."""
    distinct = values.filter(special).unique().to_list()
    redone = pl.DataFrame(
        {"cell": distinct, "redone": [split_cell(text, separator, whole) for text in distinct]},
        schema={"cell": pl.String, "redone": pl.List(pl.String)},
    )
    frame = pl.DataFrame({"cell": values, "plain": lists}).join(redone, on="cell", how="left", maintain_order="left")
    return frame.select(pl.coalesce("redone", "plain")).to_series()


def _unmatched(lists: pl.Series, inventory: Sequence[str]) -> tuple[str, ...]:
    if not inventory:
        return ()
    known = {name.strip().casefold() for name in inventory}
    items = lists.explode().drop_nulls().unique().sort().to_list()
    return tuple(item for item in items if item.casefold() not in known)

"""Field maps as polars expressions, once a frame's columns and types are known.

Belongs here: the forms of a field map (from, template, cases, value, parts) and what every form may carry (only_when,
if_empty). Not here: decisions, which are settled before (settle), JSON (encode), which fields there are (compile).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.spec.conditions import Schema, condition
from crm_pipelines.spec.contract import ValueType
from crm_pipelines.spec.model import FieldMap
from crm_pipelines.spec.rules import Rule, Words, load_rules
from crm_pipelines.spec.rules_text import unless_empty
from crm_pipelines.spec.templates import fill_template, template_columns

DTYPES: Mapping[ValueType, Any] = {
    "text": pl.String(),
    "texts": pl.List(pl.String),
    "number": pl.Float64(),
    "date": pl.Date(),
    "datetime": pl.Datetime("us", "UTC"),
    "boolean": pl.Boolean(),
}
"""What a value is on polars."""


@dataclass(frozen=True)
class Builder:
    """Turns settled field maps into expressions over one frame."""

    schema: Schema
    zone: str
    words: Mapping[str, Words]

    def value(self, node: FieldMap) -> pl.Expr:
        """Return what the field map yields, null where it is empty."""
        value = self._form(node)
        if node.if_empty is not None:
            value = pl.coalesce(value, self.value(node.if_empty))
        return pl.when(condition(node.only_when, self.schema)).then(value) if node.only_when else value

    def doubt(self, node: FieldMap, made: str) -> tuple[pl.Expr, str, str] | None:
        """Return where the field map read something and made nothing of it in the column `made`, with the queue and reason to give."""
        rule = self.rule_of(node)
        if rule is None or not rule.reason:
            return None
        read = condition({**node.only_when, node.from_[0]: "present"}, self.schema)
        return read & pl.col(made).is_null(), rule.queue, rule.reason

    def rule_of(self, node: FieldMap) -> Rule | None:
        """Return the rule that reads the columns; by their type when the author named none."""
        if not node.from_ or node.link:
            return None
        return load_rules()[node.rule or default_rule(self.schema[node.from_[0]])]

    def _form(self, node: FieldMap) -> pl.Expr:
        if node.value is not None:
            return pl.lit(node.value)
        if node.template is not None:
            return fill_template(node.template)
        if node.cases:
            return self._cases(node)
        if node.parts:
            lists = pl.concat_list([self._as_list(part) for part in node.parts])
            together = lists.list.eval(pl.element().drop_nulls().unique(maintain_order=True))
            return unless_empty(together) if node.if_empty else together  # an empty list is not sent either way
        rule = self.rule_of(node)
        if rule is None:
            return pl.col(node.from_[0]).cast(pl.String)
        settings = self._settings(node, rule)
        return rule.apply(*map(pl.col, node.from_), **settings, **({"zone": self.zone} if rule.needs_zone else {}))

    def _cases(self, node: FieldMap) -> pl.Expr:
        chain: Any = pl
        for case in node.cases:
            chain = chain.when(condition(case.when, self.schema)).then(pl.lit(case.then))
        end: pl.Expr = chain.otherwise(pl.lit(node.otherwise))
        return end

    def _as_list(self, part: FieldMap) -> pl.Expr:
        value = self.value(part)
        rule = self.rule_of(part)
        if rule is None or rule.gives != "texts":
            value = pl.concat_list(value.cast(pl.String))
        return value.fill_null(pl.lit([], dtype=pl.List(pl.String)))

    def _settings(self, node: FieldMap, rule: Rule) -> dict[str, Any]:
        settings = dict(node.with_)
        if isinstance(settings.get("words"), str):
            settings["words"] = self.words[settings["words"]]
        return settings


def default_rule(dtype: Any) -> str:
    """Return the rule that lets a column of this type through as it stands."""
    if isinstance(dtype, pl.List):
        return "labels"
    if isinstance(dtype, pl.Datetime):
        return "utc"
    if dtype == pl.Date:
        return "date"
    if dtype == pl.Boolean:
        return "yes_no"
    return "number" if dtype.is_numeric() else "text"


def column_dtypes(nodes: Iterable[FieldMap]) -> dict[str, Any]:
    """Return the dtype that each column must have for the rules that read it; text where they leave it open."""
    found: dict[str, Any] = {}
    for node in nodes:
        rule = load_rules()[node.rule] if node.rule and not node.link else None
        dtype = DTYPES[next(iter(rule.takes))] if rule and len(rule.takes) == 1 else None
        for name in columns_read(node):
            if name in node.from_ and dtype is not None:
                found[name] = dtype
            found.setdefault(name, pl.String())
        inner = [*node.parts, *filter(None, [node.if_empty])]
        found |= {name: dtype for name, dtype in column_dtypes(inner).items() if dtype != pl.String()}
    return found


def columns_read(node: FieldMap) -> tuple[str, ...]:
    """Return every column that a field map looks at, in order."""
    names = [*node.from_, *node.only_when]
    if node.template is not None:
        names += template_columns(node.template)
    names += [name for case in node.cases for name in case.when]
    inner = [*node.parts, *filter(None, [node.if_empty]), *(option for option in node.options.values() if isinstance(option, FieldMap))]
    names += [name for part in inner for name in columns_read(part)]
    return tuple(dict.fromkeys(names))

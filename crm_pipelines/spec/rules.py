"""The named rules of the mapping language: what each takes, gives and may be set to.

Belongs here: the registry and how a rule is declared. Not here: the rules themselves (rules_text, rules_contact,
rules_time, rules_choice, rules_money), conditions and templates (conditions, build), which fields use them (mapping_specs).

A rule is a function from polars expressions to one polars expression. Its positional parameters are the columns it reads,
its keyword parameters the settings an author may write under `with`.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crm_pipelines.spec.contract import ValueType

Words = Mapping[str, tuple[str, ...]]
"""A vocabulary: our word -> the words it stands for."""
RuleFunction = Callable[..., pl.Expr]

GIVEN = frozenset({"zone"})
"""Settings that the engagement gives, never the spec."""


@dataclass(frozen=True)
class Setting:
    """One word under `with`."""

    type: Any
    required: bool
    default: Any = None


@dataclass(frozen=True)
class Rule:
    """A named function from columns to one value."""

    name: str
    apply: RuleFunction
    takes: frozenset[ValueType]
    gives: ValueType
    columns: tuple[str, ...]
    """Names of the columns it reads; the last may stand for several (`many`)."""
    many: bool
    settings: Mapping[str, Setting]
    summary: str
    reason: str = ""
    """Why a row waits when the first column holds something and the rule makes nothing of it; empty when that is no doubt."""
    queue: str = "decision"
    """Where it waits then."""

    @property
    def needs_zone(self) -> bool:
        """Whether the source's time zone is given to it."""
        return "zone" in inspect.signature(self.apply).parameters

    def accepts_count(self, count: int) -> bool:
        """Whether the rule can read that many columns."""
        return count >= len(self.columns) if self.many else self.minimum <= count <= len(self.columns)

    @property
    def minimum(self) -> int:
        """Fewest columns it reads."""
        parameters = inspect.signature(self.apply).parameters.values()
        return sum(1 for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD and each.default is each.empty) + self.many

    @property
    def headline(self) -> str:
        """The summary on one line."""
        return " ".join(self.summary.split())

    @property
    def shape(self) -> str:
        """How many columns it reads, in words."""
        if self.many:
            return f"{len(self.columns)} or more columns"
        if len(self.columns) == 1:
            return "1 column"
        count = str(self.minimum) if self.minimum == len(self.columns) else f"{self.minimum} to {len(self.columns)}"
        return f"{count} columns ({', '.join(self.columns)})"


RULES: dict[str, Rule] = {}


def rule(*takes: ValueType, gives: ValueType, reason: str = "", queue: str = "decision") -> Callable[[RuleFunction], RuleFunction]:
    """Register a function as the rule of its name; the first line of its docstring is what a client reads."""

    def register(function: RuleFunction) -> RuleFunction:
        parameters = list(inspect.signature(function).parameters.values())
        positional = [each for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.VAR_POSITIONAL)]
        name = function.__name__.rstrip("_")
        RULES[name] = Rule(
            name=name,
            apply=function,
            takes=frozenset(takes),
            gives=gives,
            columns=tuple(each.name for each in positional),
            many=any(each.kind is each.VAR_POSITIONAL for each in positional),
            settings=_settings(function, parameters),
            summary=inspect.getdoc(function) or "",
            reason=reason,
            queue=queue,
        )
        return function

    return register


def _settings(function: RuleFunction, parameters: list[inspect.Parameter]) -> dict[str, Setting]:
    hints = typing.get_type_hints(function)
    return {
        each.name: Setting(hints[each.name], each.default is each.empty, None if each.default is each.empty else each.default)
        for each in parameters
        if each.kind is each.KEYWORD_ONLY and each.name not in GIVEN
    }


def load_rules() -> Mapping[str, Rule]:
    """Return every rule by name."""
    # importing registers
    from crm_pipelines.spec import rules_choice, rules_contact, rules_money, rules_read, rules_text, rules_time  # noqa: F401

    return RULES

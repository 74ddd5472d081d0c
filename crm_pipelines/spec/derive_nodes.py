"""What the parts of the `derive` section are made of: frozen nodes, and the client's decisions asked by name.

Belongs here: what every part shares. Not here: the parts (derive, derive_purchases).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict

from crm_pipelines.errors import Problem, SpecError

When = dict[str, str]


def applies(when: When, decisions: Mapping[str, str]) -> bool:
    """Tell whether every decision named in `when` was answered with the option given there."""
    return all(_answer(name, decisions) == option for name, option in when.items())


def chosen_option(decision: str, options: Collection[str], decisions: Mapping[str, str]) -> str:
    """Return which of these options the client chose.

    Raises: SpecError when the decision has no answer, or one that is not listed.
    """
    answer = _answer(decision, decisions)
    if answer not in options:
        raise SpecError([Problem(f"decisions.{decision}", f"must be one of: {', '.join(options)}")])
    return answer


def _answer(name: str, decisions: Mapping[str, str]) -> str:
    if name not in decisions:
        raise SpecError([Problem(f"decisions.{name}", "is asked for by `derive` and has no answer; answer it in decisions.yaml")])
    return decisions[name]


class Node(BaseModel):
    """What all parts of the section share: frozen, nothing unknown accepted, docstrings shown by editors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, populate_by_name=True)


class Policy(Node):
    """A choice between known behaviours, made by one of the client's decisions."""

    decision: str
    """The decision that is asked."""
    options: dict[str, str]
    """What each option of the decision means here."""

    def of(self, decisions: Mapping[str, str]) -> str:
        """Return the behaviour that the client chose.

        Raises: SpecError when the decision has no answer, or one that is not listed.
        """
        return self.options[chosen_option(self.decision, self.options, decisions)]

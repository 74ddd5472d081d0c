"""Names that a database keeps in several languages, or that people changed since: of categories and stages.

Belongs here: under which names each is found, and remembering them. Not here: names there and back (names), making them (prepare).

A name that an administrator sees is the one in the company's language; the English one stands behind it, and is the one that every other
language falls back on. Both find the record. Where several names lead to one record, the last in order is what it reads back as.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_pipelines.destinations.odoo.api import CONTEXT, Api
from crm_pipelines.destinations.odoo.keys import key_of, name_of
from crm_pipelines.destinations.odoo.models import Model

CATEGORY = "res.partner.category"
MADE_FOR = "people.category="
"""How external ids of categories begin; the equals sign cannot be part of a person's, whose keys are percent-encoded."""
TRANSLATED = frozenset({"product.product"})
"""Models of records of ours whose names Odoo keeps in several languages."""
ENGLISH = str(CONTEXT["lang"])
ARCHIVED_TOO = {"active_test": False}
WON = "Won"


@dataclass(frozen=True)
class Stage:
    """One stage of the pipeline."""

    number: int
    name: str
    sequence: int
    is_won: bool
    also: str = ""
    """Its English name, where the company's language has another."""


@dataclass(frozen=True)
class Labels:
    """The categories of a database by name."""

    ids: Mapping[str, str]
    """Name -> id, of every name that a category has or had when a map first used it."""
    remembered: Mapping[str, str]
    """Name in a map -> id, of those that have an external id of ours."""


def spoken(model: Model, language: str) -> dict[str, str]:
    """Return the context that a model's own names are read and changed in: the company's language, where they are kept in several."""
    return {"lang": language} if language and model.name in TRANSLATED else {}


async def language_of(api: Api, company_id: int) -> str:
    """Return the language of a company's own partner, empty where it has none: contacts made by hand get the like."""
    rows = await api.search_read("read.language", "res.partner", [["ref_company_ids", "in", [company_id]]], ["lang"])
    return str(rows[0]["lang"] or "") if rows else ""


async def read_labels(api: Api, prefix: str, language: str) -> Labels:
    """Read all categories. Of several that have one name, people see and the oldest of those comes first."""
    rows = await api.search_read("list.categories", CATEGORY, [], ["name", "active"], context=ARCHIVED_TOO)
    own = await own_names(api, "list.categories", CATEGORY, language)
    domain = [["module", "=", prefix], ["model", "=", CATEGORY], ["name", "=like", f"{MADE_FOR}%"]]
    ours = await api.search_read("list.external_ids", "ir.model.data", domain, ["name", "res_id"])
    remembered = {name: str(row["res_id"]) for row in ours if (name := key_of("people", row["name"].replace(MADE_FOR, "people.", 1)))}
    english = [(str(row["name"]), str(row["id"])) for row in rows if row["active"]]
    archived = [(name, str(row["id"])) for row in rows if not row["active"] for name in (own.get(row["id"]), str(row["name"])) if name]
    in_own = [(own.get(int(number), name), number) for name, number in english]
    found = [*in_own, *english, *remembered.items(), *archived]
    return Labels(_first_wins(found), remembered)


async def remember_labels(api: Api, prefix: str, wanted: Iterable[str], labels: Mapping[str, str], remembered: Mapping[str, str]) -> None:
    """Give the categories that a map uses external ids by their names in the map, so that one that people rename stays the same."""
    by_case = {name.casefold(): number for name, number in labels.items()}
    found = {name: labels.get(name) or by_case.get(name.casefold()) for name in wanted if name not in remembered}
    named = {*remembered.values()}
    fresh = {number: name for name, number in reversed(found.items()) if number is not None and number not in named}  # case twins are one
    rows = [
        {"module": prefix, "name": name_of("people", name).replace("people.", MADE_FOR, 1), "model": CATEGORY, "res_id": int(number)}
        for number, name in fresh.items()
    ]
    if rows:  # refused where the key's user may not: names do as well then
        await api.ask("prepare.remember_categories", "ir.model.data", "create", vals_list=rows, writes=True)


async def own_names(api: Api, operation: str, model: str, language: str) -> dict[int, str]:
    """Return id -> name in the company's language; nothing where that is English, which every read of ours is in."""
    if not language or language == ENGLISH:
        return {}
    rows = await api.search_read(operation, model, [], ["name"], context={**ARCHIVED_TOO, "lang": language})
    return {int(row["id"]): str(row["name"]) for row in rows}


def stage_of(row: Mapping[str, Any], name: str) -> Stage:
    """Return a stage from a row in English and its name in the company's language."""
    english = str(row["name"])
    return Stage(int(row["id"]), name, int(row["sequence"]), bool(row["is_won"]), "" if english == name else english)


def stage_names(stages: Sequence[Stage]) -> dict[str, str]:
    """Return name -> id; `Won` is the account's one won stage, whatever it is called there.

    In the board's order; English names that the company's language has others for stand before all, and give way to those.
    """
    own: dict[str, str] = {}
    for stage in stages:
        own.setdefault(stage.name, str(stage.number))
    names = {stage.also: str(stage.number) for stage in reversed(stages) if stage.also and stage.also not in own} | own
    won = [stage for stage in stages if stage.is_won]
    if len(won) == 1:
        names.pop(WON, None)
        names[WON] = str(won[0].number)  # last: the name that its id reads back as
    elif WON in names and not any(stage.name == WON for stage in won):
        del names[WON]  # a stage of that name in which nothing is won
    return names


def last(names: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """Return the names with those that a map uses behind all others: what a record reads back as."""
    used = set(wanted)
    return dict(sorted(names.items(), key=lambda item: item[0] in used))


def _first_wins(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return name -> id, the first of a name; in order from the last to the first."""
    out: dict[str, str] = {}
    for name, number in reversed(pairs):
        out.pop(name, None)
        out[name] = number
    return out

"""Read what a database has: version, apps, users, fields, options, categories, stages, places, currencies, rights.

Belongs here: reads, and their translation into a Schema. Not here: what the map needs of it (prepare), records (listing),
names there and back (names).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_pipelines.destinations.background import together
from crm_pipelines.destinations.base import FoundField, Schema
from crm_pipelines.destinations.odoo.api import Api, Reply, error_of
from crm_pipelines.destinations.odoo.books import Books, read_books
from crm_pipelines.destinations.odoo.books import notes as notes_of_books
from crm_pipelines.destinations.odoo.identity import identity, uuid_of
from crm_pipelines.destinations.odoo.models import MODELS
from crm_pipelines.destinations.odoo.named import Stage, language_of, own_names, read_labels, stage_names, stage_of
from crm_pipelines.destinations.odoo.rights import forbidden_in
from crm_pipelines.errors import SettingsError

LABEL_PHASES = ("organizations", "people")
"""Both are partners, and share their categories."""
PIPELINE = "CRM"
"""Odoo has one pipeline; the map may name it as it likes."""
CURRENCIES = "currencies"
"""Key of `Schema.types` that tells which currencies amounts may have: code -> pricelist id, empty for the company's own."""
SECOND_PARTS: Mapping[str, Sequence[Any]] = {
    "organizations": [["is_company", "=", True]],
    "people": [["is_company", "=", False]],
    "invoices": [["move_type", "=", "out_invoice"]],
    "deals": [["type", "=", "opportunity"]],
}
"""What tells the records of a phase from others of the same model."""
ARCHIVED_TOO = {"active_test": False}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Described:
    """A Schema with the ids that preparing and writing need."""

    schema: Schema
    version: tuple[int, int]
    modules: frozenset[str]
    """Installed modules; empty where the key's user may not see them."""
    company_id: int
    tenant: str
    """Which database it is (`identity`)."""
    company_currency: str
    user_partners: Mapping[str, str]
    """User id -> id of the partner that the user is."""
    countries: Mapping[str, str]
    """ISO code -> id."""
    states: Mapping[tuple[str, str], str]
    """(Country code, casefolded code or name) -> id; a code goes before a name."""
    currencies: Mapping[str, str]
    """ISO code -> id, those that are switched off included."""
    active_currencies: frozenset[str]
    pricelists: Mapping[str, str]
    """Currency code -> the pricelist `Migration <CODE>`."""
    has_pricelists: bool
    """False without the app Sales: there is nothing then that an order's currency could follow."""
    stages: tuple[Stage, ...]
    """In their order on the board."""
    model_ids: Mapping[str, int]
    """Model -> its row in ir.model."""
    field_ids: Mapping[tuple[str, str], int]
    """(Model, code) of custom fields -> row in ir.model.fields."""
    language: str
    """Of the company; empty where it has none."""
    remembered: Mapping[str, str]
    """Name in a map -> id, of categories that a map used before, whatever they are called by now."""
    books: Books
    forbidden: tuple[str, ...]
    """`create crm.stage` and the like: what the key's user may not do, of all that a migration may need."""


async def describe(api: Api) -> Described:
    """Read the whole database; about 30 requests, half a second.

    Raises: SettingsError when the key may not read what external ids and custom fields need, or the prefix is not ours to take.
    """
    await api.connect()
    me = await _me(api)  # alone: a wrong key or database is said once
    await _check_prefix(api)
    language = await language_of(api, me.company_id)
    categories = read_labels(api, api.account.prefix, language)
    parts = await together(
        _users(api), _fields(api), categories, _stages(api, language), _places(api), _money(api, me.company_id), _modules(api), uuid_of(api)
    )
    users, fields, labels, stages, places, money, modules, uuid = parts
    counts = await _counts(api)
    books = await read_books(api, me.company_id)
    forbidden = await forbidden_in(api, set(counts), me.uid)
    currency = next((code for code, number in money.currencies.items() if number == me.currency_id), "USD")
    tenant = await identity(api, uuid, me.company_id)
    schema = Schema(
        account=f"odoo-{tenant} company {me.company_id}",  # the one that orders and invoices will belong to
        plan=_plan(api, modules),
        seats=0,
        currency=currency,
        timezone=me.timezone,
        users=users.ids,
        fields=tuple(fields.found),
        labels=dict.fromkeys(LABEL_PHASES, labels.ids),
        stages={PIPELINE: stage_names(stages)} if stages is not None else {},
        types={CURRENCIES: money.ready(currency)},
        caps={},
        record_counts=counts,
        notes=(*_notes(modules, users, forbidden), *(notes_of_books(books, currency) if "invoices" in counts else ())),
    )
    return Described(
        schema=schema,
        version=api.version,
        modules=modules or frozenset(),
        company_id=me.company_id,
        tenant=tenant,
        company_currency=currency,
        user_partners=users.partners,
        countries=places[0],
        states=places[1],
        currencies=money.currencies,
        active_currencies=money.active,
        pricelists=money.pricelists,
        has_pricelists=money.has_pricelists,
        stages=tuple(stages or ()),
        model_ids=fields.model_ids,
        field_ids=fields.ids,
        language=language,
        remembered=labels.remembered,
        books=books,
        forbidden=forbidden,
    )


async def read_again(api: Api, described: Described, kind: str) -> Described:
    """Return the description with that part of it read anew which a step of `prepare` changes."""
    schema = described.schema
    if kind in {"field", "option"}:
        fields = await _fields(api)
        return replace(described, schema=replace(schema, fields=tuple(fields.found)), field_ids=fields.ids)
    if kind == "label":
        labels = await read_labels(api, api.account.prefix, described.language)
        return replace(described, schema=replace(schema, labels=dict.fromkeys(LABEL_PHASES, labels.ids)), remembered=labels.remembered)
    if kind == "stage":
        stages = await _stages(api, described.language) or []
        return replace(described, schema=replace(schema, stages={PIPELINE: stage_names(stages)}), stages=tuple(stages))
    money = await _money(api, described.company_id)
    types = {**schema.types, CURRENCIES: money.ready(described.company_currency)}
    return replace(described, schema=replace(schema, types=types), active_currencies=money.active, pricelists=money.pricelists)


@dataclass(frozen=True)
class _Me:
    uid: int
    company_id: int
    currency_id: str
    timezone: str


@dataclass(frozen=True)
class _Users:
    ids: Mapping[str, str]
    partners: Mapping[str, str]
    shared: int


@dataclass(frozen=True)
class _Fields:
    found: Sequence[FoundField]
    ids: Mapping[tuple[str, str], int]
    model_ids: Mapping[str, int]


@dataclass(frozen=True)
class _Money:
    currencies: Mapping[str, str]
    active: frozenset[str]
    pricelists: Mapping[str, str]
    has_pricelists: bool

    def ready(self, company: str) -> dict[str, str]:
        """Return the currencies that amounts may have: switched on, and with a pricelist where the database knows such."""
        others = {code: self.pricelists.get(code, "") for code in sorted(self.active - {company})}
        return {company: "", **{code: number for code, number in others.items() if number or not self.has_pricelists}}


async def _me(api: Api) -> _Me:
    told = await api.call("read.me", "res.users", "context_get")
    (user,) = await api.call("read.me", "res.users", "read", ids=[int(told["uid"])], fields=["company_id", "tz"])
    company_id = int(user["company_id"][0])
    (company,) = await api.call("read.company", "res.company", "read", ids=[company_id], fields=["currency_id"])
    return _Me(int(told["uid"]), company_id, str(company["currency_id"][0]), str(user["tz"] or ""))


async def _check_prefix(api: Api) -> None:
    """Uninstalling or upgrading a module deletes the records that its external ids name: ours must not be among them."""
    prefix = api.account.prefix
    if not prefix or prefix.startswith("_"):
        raise SettingsError("account.prefix: the name space of our external ids is not set; add account.prefix to engagement.yaml")
    is_module = [["module", "=", "base"], ["model", "=", "ir.module.module"], ["name", "=", f"module_{prefix}"]]
    named = [["name", "=like", f"{phase}.%".replace("_", r"\_")] for phase in MODELS]
    foreign = [["module", "=", prefix], "!", *["|"] * (len(named) - 1), *named]
    modules, others = await together(_imd_count(api, is_module), _imd_count(api, foreign))
    if modules:
        raise SettingsError(
            f"account.prefix: {prefix} is the name of a module that Odoo knows, and upgrading or uninstalling it would delete our records; "
            "choose another prefix, e.g. crm_<client>, and run again"
        )
    if others:
        raise SettingsError(
            f"account.prefix: {others} external ids of module {prefix} exist in Odoo that this product did not make; choose another prefix"
        )


async def _imd_count(api: Api, domain: Sequence[Any]) -> int:
    reply = await api.ask("read.external_ids", "ir.model.data", "search_count", domain=list(domain))
    return int(_needed(reply, "read.external_ids", "external ids (ir.model.data)"))


async def _users(api: Api) -> _Users:
    domain = [["active", "=", True], ["share", "=", False]]
    rows = await api.search_read("list.users", "res.users", domain, ["login", "email", "partner_id"])
    ids = {str(row["login"]).casefold(): str(row["id"]) for row in rows}
    mails = Counter(mail for row in rows if (mail := _mail(row)))
    ids |= {mail: str(row["id"]) for row in rows if (mail := _mail(row)) and mails[mail] == 1 and mail not in ids}
    shared = sum(1 for mail, count in mails.items() if count > 1 and mail not in ids)
    return _Users(ids, {str(row["id"]): str(row["partner_id"][0]) for row in rows if row["partner_id"]}, shared)


def _mail(row: Row) -> str:
    return str(row["email"] or "").strip().casefold()


async def _fields(api: Api) -> _Fields:
    names = sorted({model.name for model in MODELS.values()})
    asked = await api.ask("list.models", "ir.model", "search_read", domain=[["model", "in", names]], fields=["model"])
    model_ids = {str(row["model"]): int(row["id"]) for row in _needed(asked, "list.models", "models (ir.model)")}
    domain = [["state", "=", "manual"], ["model", "in", names]]
    rows = await api.search_read("list.fields", "ir.model.fields", domain, ["model", "name", "field_description", "ttype"])
    options = await _options(api, [int(row["id"]) for row in rows if row["ttype"] == "selection"])
    found = [
        FoundField(phase, str(row["field_description"]), str(row["name"]), str(row["ttype"]), options.get(int(row["id"]), {}), True)
        for phase, model in MODELS.items()
        for row in rows
        if row["model"] == model.name
    ]
    return _Fields(found, {(str(row["model"]), str(row["name"])): int(row["id"]) for row in rows}, model_ids)


async def _options(api: Api, field_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    options: dict[int, dict[str, str]] = {number: {} for number in field_ids}
    domain = [["field_id", "in", list(field_ids)]]
    rows = await api.search_read("list.options", "ir.model.fields.selection", domain, ["field_id", "name", "value"]) if field_ids else []
    for text in ("value", "name"):  # the value too, and first: where people gave an option another name it is still that option
        for row in rows:
            options[int(row["field_id"][0])].setdefault(str(row[text]), str(row["value"]))
    return options


async def _stages(api: Api, language: str) -> list[Stage] | None:
    """The stages in order; None without the CRM app."""
    fields = ["name", "sequence", "is_won"]
    reply = await api.ask("list.stages", "crm.stage", "search_read", domain=[], fields=fields, order="sequence, id")
    if _is_absent(reply):
        return None
    own = await own_names(api, "list.stages", "crm.stage", language)
    return [stage_of(row, own.get(int(row["id"]), str(row["name"]))) for row in _data(reply, "list.stages")]


async def _places(api: Api) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    countries, states = await together(
        api.search_read("list.countries", "res.country", [], ["code"]),
        api.search_read("list.states", "res.country.state", [], ["code", "name", "country_id"]),
    )
    code_of = {int(row["id"]): str(row["code"]).upper() for row in countries if row["code"]}
    found: dict[tuple[str, str], str] = {}
    for name in ("code", "name"):
        for row in states:
            found.setdefault((code_of.get(int(row["country_id"][0]), ""), str(row[name]).strip().casefold()), str(row["id"]))
    return {code: str(number) for number, code in code_of.items()}, found


async def _money(api: Api, company_id: int) -> _Money:
    rows = await api.search_read("list.currencies", "res.currency", [], ["name", "active"], context=ARCHIVED_TOO)
    currencies = {str(row["name"]): str(row["id"]) for row in rows}
    domain = [["name", "in", [pricelist_name(code) for code in currencies]], ["company_id", "in", [False, company_id]]]
    reply = await api.ask(
        "list.pricelists", "product.pricelist", "search_read", domain=domain, fields=["name", "currency_id"], order="id desc"
    )
    has_pricelists = not _is_absent(reply)
    lists = _data(reply, "list.pricelists") if has_pricelists else []
    code_of = {number: code for code, number in currencies.items()}
    named = {code_of.get(str(row["currency_id"][0]), ""): row for row in lists}
    pricelists = {code: str(row["id"]) for code, row in named.items() if row["name"] == pricelist_name(code)}
    return _Money(currencies, frozenset(str(row["name"]) for row in rows if row["active"]), pricelists, has_pricelists)


def pricelist_name(code: str) -> str:
    """Return what the pricelist is called through which orders of a currency go."""
    return f"Migration {code}"


async def _modules(api: Api) -> frozenset[str] | None:
    """Installed modules; None where only an administrator may see them."""
    reply = await api.ask("list.modules", "ir.module.module", "search_read", domain=[["state", "=", "installed"]], fields=["name"])
    if reply.fault is not None and reply.fault.kind == "access":
        return None
    return frozenset(str(row["name"]) for row in _data(reply, "list.modules"))


async def _counts(api: Api) -> dict[str, int]:
    """Phase -> its records; without the phases whose app is not installed."""
    domains = {phase: list(SECOND_PARTS.get(phase, [])) for phase in MODELS}
    replies = await together(*(_count(api, phase, domain) for phase, domain in domains.items()))
    return {phase: _number(reply) for phase, reply in zip(domains, replies, strict=True) if not _is_absent(reply)}


async def _count(api: Api, phase: str, domain: Sequence[Any]) -> Reply:
    return await api.ask(f"count.{phase}", MODELS[phase].name, "search_count", domain=list(domain))


def _number(reply: Reply) -> int:
    """Records that may not be seen are not counted; the rights are told apart (`_forbidden`)."""
    return 0 if reply.fault is not None and reply.fault.kind == "access" else int(_data(reply, "count"))


def _is_absent(reply: Reply) -> bool:
    return reply.fault is not None and reply.fault.kind == "unknown_model"


def _data(reply: Reply, operation: str) -> Any:
    if reply.fault is not None:
        raise error_of(operation, reply.fault)
    return reply.data


def _needed(reply: Reply, operation: str, what: str) -> Any:
    if reply.fault is not None and reply.fault.kind == "access":
        raise SettingsError(
            f"the API key's user may not read {what}, without which no record of ours could be found again; give the user the group "
            "Administration: Access Rights for the time of the migration, then run again"
        )
    return _data(reply, operation)


def _plan(api: Api, modules: frozenset[str] | None) -> str:
    edition = "" if modules is None else " Enterprise" if "web_enterprise" in modules else " Community"
    return f"Odoo {api.version[0]}.{api.version[1]}{edition}"


def _notes(modules: frozenset[str] | None, users: _Users, forbidden: Sequence[str]) -> Iterable[str]:
    if modules is None:
        yield "The API key's user may not see which apps are installed; an administrator's key could."
    elif "sale_subscription" not in modules:
        yield "No subscription app is installed (Community has none): subscriptions become sale orders with a field Subscription status."
    else:
        yield (
            "The app Subscriptions is installed, and nothing is written into it: subscriptions become sale orders with a field "
            "Subscription status, as without it. They do not renew by themselves; set running ones up anew in the app."
        )
    yield "Custom fields can be searched, listed and exported at once, but stand on no form until somebody puts them there."
    if users.shared:
        yield f"{users.shared} e-mail addresses belong to several users: those users are only found by their login."
    if forbidden:
        yield f"The API key's user may not: {', '.join(forbidden)}. Give the user groups that allow what the map needs of it."

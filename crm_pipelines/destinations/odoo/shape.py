"""Logical payloads to Odoo's columns and back.

Belongs here: which column a field of the map is, what goes with it, and how a record reads as the map would have written it.
Not here: whether one value is fit (values), names and ids (names), requests (write, listing).

Logical payload: texts, numbers, booleans, `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM:SSZ`; categories and stages by name; country as ISO
code; links by destination id as text; `custom` holds custom fields by display name. Empty values leave no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_pipelines.destinations.odoo import values
from crm_pipelines.destinations.odoo.contract import CONTRACT
from crm_pipelines.destinations.odoo.guests import guests_of
from crm_pipelines.destinations.odoo.models import Model
from crm_pipelines.destinations.odoo.names import Names
from crm_pipelines.destinations.odoo.values import Unfit

CUSTOM = "custom"
QUANTITY = {"order_line": "product_uom_qty", "invoice_line_ids": "quantity"}
LOST = {"active": False, "probability": 0}  # what action_set_lost does (crm_lead.py)
STATUS = "won_status"
STATUS_SINCE = 19  # crm/models/crm_lead.py; before, a lead is won at 100 % and lost when archived at 0 %
TAXES_SINCE = 19  # sale/models/sale_order_line.py: `tax_id` before
SURE = 100
NOT_WON = frozenset({"open", "lost"})
STATUS_OF = {"won": "won", "lost": "lost", "pending": "open"}
INDEXED_BYTES = 2_600  # a btree row holds 2,704 bytes (PostgreSQL, B-tree); name, ref and default_code have such an index
INDEXED = {
    "res.partner": frozenset({"name", "ref"}),
    "product.product": frozenset({"default_code"}),
    "account.move": frozenset({"ref"}),
}


@dataclass(frozen=True)
class _Sheet:
    """What is being written: columns so far, and what a value may depend on."""

    model: Model
    names: Names
    whole: Mapping[str, Any]
    """The whole desired payload; an update names only some of its fields."""
    is_update: bool = False
    out: dict[str, Any] = field(default_factory=dict)


def columns_of(model: Model, payload: Mapping[str, Any], names: Names) -> dict[str, Any]:
    """Return technical field -> clean value of a whole record; fields of its one line have `<lines>/` in front.

    Raises: Unfit when a value must not be sent; SettingsError when the database lacks a field, category or stage of the map.
    """
    _require(model, payload)
    out: dict[str, Any] = {**model.constants, **changes_of(model, payload, names)}
    for name in model.explicit:
        out.setdefault(model.columns[name].name, None)
    if model.lines:
        out.setdefault(f"{model.lines}/price_unit", 0.0)
        out[f"{model.lines}/{QUANTITY[model.lines]}"] = 1.0
        out[f"{model.lines}/{_taxes(model, names)}"] = None  # the company's default taxes would be added
    return out


def changes_of(model: Model, payload: Mapping[str, Any], names: Names, whole: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return technical field -> clean value of the fields that a payload, or the changes to one, names. Raises: as `columns_of`."""
    sheet = _Sheet(model, names, payload if whole is None else whole, is_update=whole is not None)
    for name, value in payload.items():
        if name == CUSTOM or value is None:
            continue
        if name in values.SETS_ITSELF:
            raise Unfit("set_by_odoo", name)
        if name not in model.columns:
            raise Unfit("unknown_field", name)
        _WRITERS.get(model.columns[name].role, _plain)(sheet, name, value)
    for name, value in (payload.get(CUSTOM) or {}).items():
        found = names.field_named(model.phase, name)
        sheet.out[found.code] = None if value is None else _custom(found.type, name, value, found.options)
    return sheet.out


def payload_of(model: Model, record: Mapping[str, Any], names: Names, line: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the logical payload of a record read with `fields_of`; only what a map could have written."""
    read = {name: _back(model, name, record, line or {}, names) for name in model.columns}
    out = {name: value for name, value in read.items() if value not in (None, "", [], False)}
    custom = {}
    for found in names.custom_of(model.phase):
        value = _custom_back(found.type, record.get(found.code), found.options)
        if value not in (None, "", False):
            custom[found.name] = value
    if custom:
        out[CUSTOM] = custom
    return out


def fields_of(model: Model, names: Names, wanted: Iterable[str] | None = None) -> list[str]:
    """Return the fields of a model to read for `payload_of`; `wanted` are the names of its standard fields that matter."""
    columns = [column for name, column in model.columns.items() if wanted is None or name in wanted]
    roles = {column.role for column in columns}
    standard = [column.name for column in columns if column.role not in {"line", "currency"}]
    if model.phase == "deals" and "status" in roles:
        standard = [*(name for name in standard if name != STATUS), *status_fields(names.described.version)]
    more = [name for role, name in (("state", "country_id"), ("attendees", "user_id")) if role in roles]
    amounts = [model.amount, "currency_id", model.lines] if model.lines else []
    return list(dict.fromkeys([*standard, *more, *amounts]))


def line_fields(model: Model) -> list[str]:
    """Return the fields of a record's line to read for `payload_of`."""
    return [column.name for column in model.columns.values() if column.role == "line"]


def differs(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Return the names of wanted fields that a record does not hold; what is empty equals what is absent."""
    flat = [(name, value, there.get(name)) for name, value in wanted.items() if name != CUSTOM]
    inner = there.get(CUSTOM) or {}
    flat += [(name, value, inner.get(name)) for name, value in (wanted.get(CUSTOM) or {}).items()]
    return [name for name, value, now in flat if not _same(value, now)]


def labels_of(record: Mapping[str, Any], phase: str, names: Names) -> list[str]:
    """Return the names of a record's categories."""
    return [names.label_name(phase, number) for number in record.get("category_id") or []]


def status_fields(version: tuple[int, int]) -> tuple[str, ...]:
    """Return the fields of a lead that tell its status: `won_status` is new in 19."""
    return (STATUS,) if version[0] >= STATUS_SINCE else ("active", "probability")


def status_of(record: Mapping[str, Any]) -> str:
    """Return won, lost or open of a lead read with `status_fields`."""
    if STATUS in record:
        return STATUS_OF.get(str(record[STATUS]), "open")
    if not record.get("active") and not record.get("probability"):
        return "lost"
    return "won" if record.get("probability") == SURE else "open"


def _taxes(model: Model, names: Names) -> str:
    is_order = model.lines == "order_line"
    return "tax_id" if is_order and names.described.version[0] < TAXES_SINCE else "tax_ids"


def _require(model: Model, payload: Mapping[str, Any]) -> None:
    needed = [name for name, each in CONTRACT.phases[model.phase].fields.items() if each.required]
    if model.phase == "invoices" and payload.get("state") == "posted":
        needed.append("invoice_date")  # Odoo would take today
    if model.phase == "activities":
        needed.append("attendees")  # Odoo would take the API's own user
    for name in needed:
        if payload.get(name) in (None, "", []) or not str(payload[name]).strip():
            raise Unfit("missing_required", name)


def _plain(sheet: _Sheet, name: str, value: Any) -> None:
    column = sheet.model.columns[name]
    found = values.email(name, value) if sheet.model.phase == "opt_outs" else values.clean(column.kind, name, value)
    if column.name in INDEXED.get(sheet.model.name, ()) and len(str(found).encode()) > INDEXED_BYTES:
        raise Unfit("too_long", name)
    if column.kind == "selection":
        _refuse_unknown(sheet, name, found)
    sheet.out[column.name] = found


def _on_line(sheet: _Sheet, name: str, value: Any) -> None:
    column = sheet.model.columns[name]
    is_money = column.kind == "float"
    digits = sheet.names.described.books.digits(sheet.whole.get("currency") or sheet.names.company_currency) if is_money else 0
    found = values.amount(name, value, digits) if is_money else values.clean(column.kind, name, value)
    sheet.out[f"{sheet.model.lines}/{column.name}"] = found


def _refuse_unknown(sheet: _Sheet, name: str, value: Any) -> None:
    if value not in CONTRACT.phases[sheet.model.phase].fields[name].choices:
        raise Unfit("unknown_option", name)


def _labels(sheet: _Sheet, name: str, value: Any) -> None:
    labels: Iterable[str] = [value] if isinstance(value, str) else value
    sheet.out[sheet.model.columns[name].name] = list(dict.fromkeys(sheet.names.label_id(sheet.model.phase, label) for label in labels))


def _country(sheet: _Sheet, name: str, value: Any) -> None:
    number = sheet.names.country_id(str(value))
    if number is None:
        raise Unfit("unknown_country", name)
    sheet.out[sheet.model.columns[name].name] = number
    if sheet.is_update and (state := str(sheet.whole.get("state") or "")) and (found := sheet.names.state_id(str(value), state)):
        sheet.out[sheet.model.columns["state"].name] = found


def _state(sheet: _Sheet, name: str, value: Any) -> None:
    """Find a state within its country; a text that is none stays where the map keeps it as it was exported, and the state is nobody's."""
    number = sheet.names.state_id(str(sheet.whole.get("country") or ""), str(value))
    if number is not None or sheet.is_update:
        sheet.out[sheet.model.columns[name].name] = number


def _customer(sheet: _Sheet, name: str, value: Any) -> None:
    """The customer, and its addresses: of a contact of type Other Address Odoo would take the company's (`address_get`)."""
    _plain(sheet, name, value)
    sheet.out.update(dict.fromkeys(sheet.model.addresses, sheet.out[sheet.model.columns[name].name]))


def _due(sheet: _Sheet, name: str, value: Any) -> None:
    """The day of an invoice, and the day it is due: where the customer has payment terms, Odoo makes that of them."""
    _plain(sheet, name, value)
    sheet.out["invoice_date_due"] = sheet.out[sheet.model.columns[name].name]


def _attendees(sheet: _Sheet, name: str, value: Any) -> None:
    """The guest, and the host by the partner that the user is."""
    guests: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    numbers = [values.clean("link", name, guest) for guest in guests]
    user = sheet.whole.get("user_id")
    host = sheet.names.partner_of(user) if user else None
    sheet.out[sheet.model.columns[name].name] = list(dict.fromkeys([*numbers, *([host] if host else [])]))


def _status(sheet: _Sheet, name: str, value: Any) -> None:
    """A lead's status is its stage, activity and probability; an invoice's is reached by buttons, after it was made (finish)."""
    _refuse_unknown(sheet, name, value)
    if sheet.model.phase == "deals":
        _refuse_won_stage(sheet)
        sheet.out.update(LOST if value == "lost" else {})


def _refuse_won_stage(sheet: _Sheet) -> None:
    """A deal in a won stage is won at once, and one that is lost cannot stand there (crm_lead.py, `_check_won_validity`)."""
    if sheet.whole.get("status") in NOT_WON and sheet.names.is_won(str(sheet.whole.get("stage") or "")):
        raise Unfit("won_stage", "stage")


def _stage(sheet: _Sheet, name: str, value: Any) -> None:
    _refuse_won_stage(sheet)
    sheet.out[sheet.model.columns[name].name] = sheet.names.stage_id(str(value))


def _currency(sheet: _Sheet, name: str, value: Any) -> None:
    column = sheet.model.columns[name].name
    if sheet.model.phase == "orders":
        sheet.out[column] = sheet.names.pricelist_id(str(value))
    elif sheet.model.phase == "invoices":
        sheet.out[column] = sheet.names.currency_id(str(value))
    elif value != sheet.names.company_currency:  # leads have no currency of their own
        raise Unfit("foreign_currency", name)


_WRITERS: Mapping[str, Callable[[_Sheet, str, Any], None]] = {
    "line": _on_line,
    "labels": _labels,
    "country": _country,
    "state": _state,
    "attendees": _attendees,
    "status": _status,
    "stage": _stage,
    "currency": _currency,
    "customer": _customer,
    "due": _due,
}


def _custom(kind: str, name: str, value: Any, options: Mapping[str, str]) -> Any:
    if kind != "selection":
        return values.clean(kind, name, value)
    if not isinstance(value, str) or value not in options:
        raise Unfit("unknown_option", name)
    return options[value]


def _custom_back(kind: str, value: Any, options: Mapping[str, str]) -> Any:
    if value in (None, False, ""):
        return None
    if kind == "selection":
        return next((label for label, number in options.items() if number == value), str(value))
    return _plain_back(kind, value)


def _plain_back(kind: str, value: Any) -> Any:
    if kind in {"float", "integer", "monetary"}:
        return values.number_back(value) or None
    if kind == "datetime":
        return values.moment_back(value)
    return value if isinstance(value, bool) else str(value)


def _back(model: Model, name: str, record: Mapping[str, Any], line: Mapping[str, Any], names: Names) -> Any:
    """Return one standard field as the map wrote it, or something empty."""
    column = model.columns[name]
    if column.role in _READERS:
        return _READERS[column.role](model, record, names)
    if name == "amount":
        return values.number_back(record.get(model.amount) or 0) or None
    value = (line if column.role == "line" else record).get(column.name)
    if value in (None, False, "", []):
        return None
    return str(_number_in(value)) if column.kind == "link" else _plain_back(column.kind, value)


def _currency_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    if model.phase == "deals":
        return names.company_currency
    return names.currency_name(_number_in(record.get("currency_id")))


def _labels_back(model: Model, record: Mapping[str, Any], names: Names) -> list[str]:
    return labels_of(record, model.phase, names)


def _country_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    return names.country_code(_number_in(record.get("country_id")))


def _status_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    return status_of(record) if model.phase == "deals" else record.get("state")


def _stage_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    return names.stage_name(_number_in(record.get("stage_id")))


def _state_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    """Return the state as the map wrote it: by code, by name, or as a text that is no state of the country.

    Odoo keeps a number alone, so that the text is taken from the custom field that maps keep beside it when it
    still means that number; else the state's code.
    """
    number = _number_in(record.get("state_id")) or None
    country = names.country_code(_number_in(record.get("country_id"))) or ""
    for found in names.custom_of(model.phase):
        text = record.get(found.code)
        if text and names.keeps_state(found) and names.state_id(country, str(text)) == number:
            return str(text)
    return None if number is None else names.state_code(number)


def _attendees_back(model: Model, record: Mapping[str, Any], names: Names) -> str | None:
    guests = guests_of(record, names)
    return str(guests[0]) if guests else None


_READERS: Mapping[str, Callable[[Model, Mapping[str, Any], Names], Any]] = {
    "labels": _labels_back,
    "country": _country_back,
    "state": _state_back,
    "attendees": _attendees_back,
    "status": _status_back,
    "stage": _stage_back,
    "currency": _currency_back,
}


def _number_in(value: Any) -> Any:
    """A link reads as its id, or as [id, name]."""
    return value[0] if isinstance(value, list | tuple) and value else value


def _same(value: Any, now: Any) -> bool:
    if value == now or (not value and not now):
        return True
    if isinstance(value, list) and isinstance(now, list):
        return {str(one).casefold() for one in value} == {str(one).casefold() for one in now}
    if isinstance(value, str) and isinstance(now, str):
        if "@" in value:  # mail.blacklist writes addresses in lower case; ß and ss are two addresses
            return value.lower() == now.lower()
        return "<" in value and values.visible(value) == values.visible(now)
    return False

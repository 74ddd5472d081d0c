"""Turn rows of Odoo into records the truth can be held against: source keys, names, plain values.

Belongs here: the columns of each model in the words of docs/routes/kartra_to_odoo.md. Not here: SQL about names and ids (database),
custom fields (custom), judging (judge).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from crm_pipelines.sandbox.compare.odoo.custom import CustomField, custom_fields, custom_values
from crm_pipelines.sandbox.compare.odoo.database import MODELS, Database, External, Row

LOST, WON = 0, 100  # probability of a deal that is over
NOTHING_THERE = ("function", "vat", "company_registry", "barcode", "company_name", "street2", "tz", "industry_id", "company_id")


@dataclass(frozen=True)
class Observed:
    """One stored record under its source key."""

    key: str
    id: int
    fields: dict[str, Any]
    custom: dict[str, list[Any]]


class Observer:
    """Reads the migrated records of one look at a database."""

    def __init__(self, database: Database, external: External) -> None:
        self._database, self._external = database, external
        self.custom: Mapping[str, list[CustomField]] = custom_fields(database)

    def phase(self, phase: str) -> dict[str, Observed]:
        """Return the records of a phase by source key; external ids whose record is gone lead to none."""
        ids = self._external.of_phase(phase)
        rows = self._database.records(MODELS[phase], list(ids.values()))
        describe: Callable[[Row], dict[str, Any]] = getattr(self, f"_{phase}")
        fields = self.custom.get(MODELS[phase], [])
        there = {key: number for key, number in ids.items() if number in rows}
        return {
            key: Observed(key, number, describe(rows[number]), custom_values(fields, rows[number])) for key, number in sorted(there.items())
        }

    def _organizations(self, row: Row) -> dict[str, Any]:
        return self._people(row)

    def _people(self, row: Row) -> dict[str, Any]:
        names = ("name", "email", "phone", "type", "street", "city", "zip", "website", "ref", *NOTHING_THERE)
        return {
            **{name: row.get(name) for name in names},
            "active": row["active"],
            "is_company": bool(row["is_company"]),
            "employee": bool(row["employee"]),
            "parent_id": self._external.key_of("organizations", row["parent_id"]),
            "country": self._database.countries.get(row["country_id"]),
            "state": self._database.states.get(row["state_id"]),
            "comment": row["comment"],
            "lang": row["lang"],
            "user_id": self._user(row["user_id"]),
            "category_id": sorted(self._categories.get(row["id"], [])),
        }

    def _opt_outs(self, row: Row) -> dict[str, Any]:
        return {"email": row["email"], "active": row["active"]}

    def _products(self, row: Row) -> dict[str, Any]:
        template = self._templates[row["product_tmpl_id"]]
        return {
            "name": template["name"],
            "list_price": _number(template["list_price"]),
            "type": template["type"],
            "active": row["active"] and template["active"],
            "default_code": row["default_code"],
            "barcode": row["barcode"],
            "description": template["description"],
        }

    def _orders(self, row: Row) -> dict[str, Any]:
        pricelist = self._pricelists.get(row["pricelist_id"])
        currency = self._database.currencies.get(row["currency_id"])
        return {
            "client_order_ref": row["client_order_ref"],
            **self._customer(row, "partner_id", "partner_invoice_id", "partner_shipping_id"),
            "user_id": self._user(row["user_id"]),
            "date_order": _moment(row["date_order"]),
            "state": row["state"],
            "currency": currency,
            "pricelist": pricelist if currency != self._database.company_currency else None,
            **self._line(self._order_lines.get(row["id"], [])),
            "total": _number(row["amount_total"]),
            **{name: row[name] for name in ("origin", "commitment_date", "signed_by", "opportunity_id", "campaign_id", "source_id")},
        }

    def _invoices(self, row: Row) -> dict[str, Any]:
        return {
            "ref": row["ref"],
            **self._customer(row, "partner_id", "partner_shipping_id"),
            "invoice_user_id": self._user(row["invoice_user_id"]),
            **{name: _day(row[name]) for name in ("invoice_date", "invoice_date_due", "date")},
            "state": row["state"],
            "move_type": row["move_type"],
            "currency": self._database.currencies.get(row["currency_id"]),
            **self._line(self._move_lines.get(row["id"], [])),
            "total": _number(row["amount_total"]),
            **{name: row[name] for name in ("invoice_origin", "campaign_id", "source_id", "invoice_source_email")},
        }

    def _customer(self, row: Row, *names: str) -> dict[str, Any]:
        return {name: self._external.key_of("people", row[name]) for name in names}

    def _line(self, lines: list[Row]) -> dict[str, Any]:
        """Return the one line of an order or invoice; with none or several, how many there are instead."""
        if len(lines) != 1:
            return {"lines": len(lines), **dict.fromkeys(("product", "description", "amount", "quantity", "discount", "taxes"))}
        line = lines[0]
        return {
            "lines": 1,
            "product": self._external.key_of("products", line["product_id"]),
            "description": line["name"],
            "amount": _number(line["price_unit"]),
            "quantity": _number(line["quantity"]),
            "discount": _number(line["discount"]) or None,
            "taxes": line["taxes"] or None,
        }

    def _deals(self, row: Row) -> dict[str, Any]:
        return {
            **{name: row[name] for name in ("name", "type", "description", "referred", "lost_reason_id", "campaign_id", "source_id")},
            "partner_id": self._external.key_of("people", row["partner_id"]),
            "user_id": self._user(row["user_id"]),
            "status": _status(row),
            "stage": self._database.stages.get(row["stage_id"]),
            "expected_revenue": _number(row["expected_revenue"]) or None,
            "currency": self._database.company_currency,
            "date_deadline": _day(row["date_deadline"]),
            "date_closed": _moment(row["date_closed"]),
            "tags": sorted(self._deal_tags.get(row["id"], [])),
            "iap_enrich_done": bool(row.get("iap_enrich_done", True)),  # without that app nothing is sent anywhere
        }

    def _activities(self, row: Row) -> dict[str, Any]:
        number = row["id"]
        return {
            **{name: row[name] for name in ("name", "location", "description", "active", "opportunity_id", "videocall_location")},
            "res_id": row["res_id"] or None,
            "allday": bool(row["allday"]),
            "recurrency": bool(row["recurrency"]),
            "start": _moment(row["start"]),
            "stop": _moment(row["stop"]),
            "user_id": self._user(row["user_id"]),
            "attendees": sorted(self._guest(one) for one in self._guests.get(number, [])),
            "invited": sorted(self._guest(one) for one in self._attendees.get(number, [])),
            "alarms": self._alarms.get(number),
        }

    def _user(self, number: int | None) -> str | None:
        return None if number is None else self._database.users.get(number, f"(user {number} is gone)")

    def _guest(self, partner: int) -> str:
        """Return a guest's source key, or what a host is known by."""
        host = self._database.user_partners.get(partner)
        return host if host is not None else str(self._external.key_of("people", partner))

    def __getattr__(self, name: str) -> Any:
        """Read a dictionary that belongs to a phase when it is first asked for: an app may be missing that no phase needs."""
        if name not in LOOKUPS:
            raise AttributeError(name)
        found = LOOKUPS[name](self._database)
        setattr(self, name, found)
        return found


def _order_lines(database: Database) -> dict[int, list[Row]]:
    query = """SELECT l.order_id AS parent, l.product_id, l.name, l.price_unit, l.product_uom_qty AS quantity, l.discount,
                      (SELECT count(*) FROM account_tax_sale_order_line_rel r WHERE r.sale_order_line_id = l.id) AS taxes
               FROM sale_order_line l ORDER BY l.id"""
    return _by_parent(database.rows(query))


def _move_lines(database: Database) -> dict[int, list[Row]]:
    query = """SELECT l.move_id AS parent, l.product_id, l.name, l.price_unit, l.quantity, l.discount,
                      (SELECT count(*) FROM account_move_line_account_tax_rel r WHERE r.account_move_line_id = l.id) AS taxes
               FROM account_move_line l WHERE l.display_type NOT IN ('payment_term', 'rounding') ORDER BY l.id"""
    return _by_parent(database.rows(query))


def _by_parent(rows: list[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row["parent"], []).append(row)
    return found


def _templates(database: Database) -> dict[int, Row]:
    query = "SELECT id, name->>'en_US' AS name, list_price, type, active, description->>'en_US' AS description FROM product_template"
    return {row["id"]: row for row in database.rows(query)}


LOOKUPS: Mapping[str, Callable[[Database], Any]] = {
    "_order_lines": _order_lines,
    "_move_lines": _move_lines,
    "_templates": _templates,
    "_pricelists": lambda database: database.pairs("SELECT id, name->>'en_US' FROM product_pricelist"),
    "_categories": lambda database: database.groups(
        """SELECT r.partner_id, c.name->>'en_US' FROM res_partner_res_partner_category_rel r
           JOIN res_partner_category c ON c.id = r.category_id WHERE c.active"""
    ),
    "_deal_tags": lambda database: database.groups(
        "SELECT r.lead_id, t.name->>'en_US' FROM crm_tag_rel r JOIN crm_tag t ON t.id = r.tag_id"
    ),
    "_guests": lambda database: database.groups("SELECT calendar_event_id, res_partner_id FROM calendar_event_res_partner_rel"),
    "_attendees": lambda database: database.groups("SELECT event_id, partner_id FROM calendar_attendee"),
    "_alarms": lambda database: database.groups("SELECT calendar_event_id, calendar_alarm_id FROM calendar_alarm_calendar_event_rel"),
}


def _status(row: Row) -> str:
    """Return how a deal stands, as Odoo's list shows it; flags that contradict each other are told as they are."""
    flags = (bool(row["active"]), row["won_status"], row["probability"])
    if flags[:2] == (False, "lost") and flags[2] == LOST:
        return "lost"
    if flags == (True, "won", WON):
        return "won"
    return "open" if flags[:2] == (True, "pending") else f"(active {flags[0]}, {flags[1]}, probability {flags[2]})"


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()

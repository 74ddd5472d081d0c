"""Load a truth into a real Odoo by hand, one plain JSON-2 call after the other: what a perfect migration would have sent.

Belongs here: a loader that shares no code with the product, and the part of a truth that hangs on a few people. Not here: what is
asserted (test_compare_odoo).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from crm_pipelines_tests.lib.odoo import OdooServer

Json = dict[str, Any]
PREFIX = "crm_hand"
FOREIGN = "EUR"  # the company keeps its books in USD
QUIET = {
    "tracking_disable": True, "no_mail_to_attendees": True, "no_reset_password": True, "dont_notify": True,
    "skip_contact_description": True, "sale_no_log_for_new_lines": True,
}  # fmt: skip
MODEL = {
    "organizations": "res.partner", "people": "res.partner", "opt_outs": "mail.blacklist", "products": "product.product",
    "orders": "sale.order", "invoices": "account.move", "deals": "crm.lead", "activities": "calendar.event",
}  # fmt: skip


def part_of(truth: Json, people: Iterable[str]) -> Json:
    """Return the truth of some people and of everything that hangs on them, with its own sums and stages; one order is in euros."""
    records, wanted = truth["records"], set(people)
    kept: Json = {"users": records["users"], "people": {key: records["people"][key] for key in wanted}}
    for phase in ("orders", "invoices", "deals"):
        kept[phase] = {key: one for key, one in records[phase].items() if one["partner_id"] in wanted}
    kept["activities"] = {key: one for key, one in records["activities"].items() if wanted & set(one["attendees"])}
    companies = {one.get("parent_id") for one in kept["people"].values()}
    kept["organizations"] = {key: one for key, one in records["organizations"].items() if key in companies}
    addresses = {one["email"].lower() for one in kept["people"].values() if "email" in one}
    kept["opt_outs"] = {key: one for key, one in records["opt_outs"].items() if key in addresses}
    bought = {one["product"] for phase in ("orders", "invoices") for one in kept[phase].values()}
    kept["products"] = {key: one for key, one in records["products"].items() if key in bought}
    used = {one["stage"] for one in kept["deals"].values()}
    foreign = next(one for one in kept["orders"].values() if one.get("amount"))
    kept["orders"] = {key: {**one, "currency": FOREIGN} if one is foreign else one for key, one in kept["orders"].items()}
    return {**truth, "records": kept, "stages": [one for one in truth["stages"] if one in used], "money": sums_of(kept)}


def sums_of(records: Json) -> Json:
    """Return sums by phase, currency and state."""
    found: Json = {}
    for phase, amount, state in (("orders", "amount", "state"), ("invoices", "amount", "state"), ("deals", "expected_revenue", "status")):
        sums = found.setdefault(phase, {})
        for one in records[phase].values():
            if amount in one:
                row = sums.setdefault(one["currency"], {}).setdefault(one[state], {"count": 0, "sum": 0.0})
                row["count"], row["sum"] = row["count"] + 1, round(row["sum"] + one[amount], 2)
    return found


def column_of(label: str) -> str:
    """Return the technical name of a custom field, made character by character."""
    bare = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = "x_"
    for char in bare:
        name += char if char.isalnum() else "" if name.endswith("_") else "_"
    return name[:60]


def local(moment: str) -> str:
    return moment.replace("T", " ").removesuffix("Z")


class OdooByHand:
    """Sends records to Odoo and remembers their ids."""

    def __init__(self, server: OdooServer, database: str) -> None:
        self.server, self.database = server, database
        self.ids: dict[str, dict[str, int]] = {phase: {} for phase in MODEL}
        self.pricelists: dict[str, int] = {}

    def ask(self, model: str, method: str, **arguments: Any) -> Any:
        return self.server.call(self.database, model, method, context=QUIET, **arguments)

    def find(self, model: str, field: str, **arguments: Any) -> dict[Any, int]:
        rows = self.ask(model, "search_read", domain=arguments.get("domain", []), fields=[field])
        return {row[field]: row["id"] for row in rows}

    def make_users(self, truth: Json) -> None:
        """Make the owners' users: the client has them before a migration begins."""
        wanted = [{"name": email.split("@")[0].title(), "login": email, "email": email} for email in truth["records"]["users"]]
        made = self.ask("res.users", "create", vals_list=wanted)
        self.users = dict(zip(truth["records"]["users"], made, strict=True))
        partners = self.ask("res.users", "read", ids=made, fields=["partner_id"], load=None)
        self.hosts = {email: row["partner_id"] for email, row in zip(truth["records"]["users"], partners, strict=True)}

    def load(self, truth: Json) -> None:
        records = truth["records"]
        self._prepare(truth)
        self._create("organizations", records["organizations"], self._partner)
        self._create("people", records["people"], self._partner)
        self.ask("res.partner", "write", ids=list(self.ids["people"].values()), vals={"active": True})
        self._create("opt_outs", records["opt_outs"], lambda one: {"email": one["email"]})
        self._create("products", records["products"], self._product)
        self._create("orders", records["orders"], self._order)
        self._create("invoices", records["invoices"], self._invoice)
        self._settle_invoices(records["invoices"])
        self._create("deals", records["deals"], self._deal)
        self._create("activities", records["activities"], self._activity)

    def _prepare(self, truth: Json) -> None:
        self.countries = self.find("res.country", "code")
        states = self.ask("res.country.state", "search_read", domain=[], fields=["code", "country_id"], load=None)
        self.states = {(row["country_id"], row["code"]): row["id"] for row in states}
        self.categories: dict[str, int] = {}
        labels = sorted({label for one in truth["records"]["people"].values() for label in one.get("category_id", ())})
        made = self.ask("res.partner.category", "create", vals_list=[{"name": label} for label in labels])
        self.categories = dict(zip(labels, made, strict=True))
        self.stages = self.find("crm.stage", "name")
        for place, name in enumerate(one for one in truth["stages"] if one not in self.stages):
            self.stages[name] = self.ask("crm.stage", "create", vals_list=[{"name": name, "sequence": 10 + place}])[0]
        self._prepare_fields(truth)

    def _prepare_fields(self, truth: Json) -> None:
        models = self.find("ir.model", "model")
        wanted: Json = {}
        for phase, types in truth["fields"].items():
            records = truth["records"].get(phase, {}).values()
            for label, kind in types.items():
                used = {one["custom"][label] for one in records if label in one["custom"]} if kind == "selection" else set()
                wanted.setdefault((MODEL[phase], label), (kind, set()))[1].update(used)
        fields = []
        for (model, label), (kind, options) in wanted.items():
            field = {"model_id": models[model], "name": column_of(label), "field_description": label, "ttype": kind}
            rows = [[0, 0, {"value": option, "name": option, "sequence": n}] for n, option in enumerate(sorted(options) or ["-"])]
            fields.append({**field, "selection_ids": rows} if kind == "selection" else field)
        self.ask("ir.model.fields", "create", vals_list=fields)

    def _create(self, phase: str, records: Json, describe: Any) -> None:
        if not records:
            return
        values = [{**describe(one), **self._custom(one)} for one in records.values()]
        made = self.ask(MODEL[phase], "create", vals_list=values)
        self.ids[phase] = dict(zip(records, made, strict=True))
        names = [
            {"module": PREFIX, "model": MODEL[phase], "name": f"{phase}.{quote(key, safe='')}", "res_id": number}
            for key, number in self.ids[phase].items()
        ]
        self.ask("ir.model.data", "create", vals_list=names)

    @staticmethod
    def _custom(one: Json) -> Json:
        return {
            column_of(label): local(value) if isinstance(value, str) and value.endswith("Z") and "T" in value else value
            for label, value in one.get("custom", {}).items()
        }

    def _partner(self, one: Json) -> Json:
        same = ("name", "is_company", "email", "phone", "type", "street", "city", "zip", "website", "ref", "comment")
        found = {"lang": "en_US", **{name: one[name] for name in same if name in one}}
        if "parent_id" in one:
            found |= {"parent_id": self.ids["organizations"][one["parent_id"]], "active": False}
        if "country" in one:
            found["country_id"] = self.countries[one["country"]]
        if "state" in one:
            found["state_id"] = self.states[found["country_id"], one["state"]]
        labels = [self.categories[label] for label in one.get("category_id", ())]
        return {**found, "user_id": self.users.get(one.get("user_id"), False), "category_id": [[6, 0, labels]]}

    @staticmethod
    def _product(one: Json) -> Json:
        return {**{name: one[name] for name in ("name", "type", "list_price")}, "invoice_policy": "delivery"}

    def _line(self, one: Json, quantity: str, taxes: str) -> list[Any]:
        line = {"product_id": self.ids["products"][one["product"]], quantity: 1, "price_unit": one.get("amount", 0), taxes: [[6, 0, []]]}
        return [[0, 0, {**line, "name": one["description"]}]]

    def _order(self, one: Json) -> Json:
        return {
            "client_order_ref": one["client_order_ref"],
            **dict.fromkeys(("partner_id", "partner_invoice_id", "partner_shipping_id"), self.ids["people"][one["partner_id"]]),
            "user_id": self.users.get(one.get("user_id"), False),
            "date_order": local(one["date_order"]),
            "state": one["state"],
            "order_line": self._line(one, "product_uom_qty", "tax_ids"),
            **({"pricelist_id": self._pricelist(one["currency"])} if one.get("currency") == FOREIGN else {}),
        }

    def _pricelist(self, currency: str) -> int:
        """Return the pricelist of a foreign currency: an order takes its currency from nowhere else."""
        if currency not in self.pricelists:
            ids = self.ask("res.currency", "search", domain=[["name", "=", currency], ["active", "in", [True, False]]])
            self.ask("res.currency", "write", ids=ids, vals={"active": True})
            listed = {"name": f"Migration {currency}", "currency_id": ids[0]}
            self.pricelists[currency] = self.ask("product.pricelist", "create", vals_list=[listed])[0]
        return self.pricelists[currency]

    def _invoice(self, one: Json) -> Json:
        return {
            "move_type": "out_invoice",
            "ref": one["ref"],
            **dict.fromkeys(("partner_id", "partner_shipping_id"), self.ids["people"][one["partner_id"]]),
            "invoice_user_id": self.users.get(one.get("invoice_user_id"), False),
            **dict.fromkeys(("invoice_date", "invoice_date_due"), one["invoice_date"]),
            "invoice_line_ids": self._line(one, "quantity", "tax_ids"),
        }

    def _settle_invoices(self, records: Json) -> None:
        for state, method in (("posted", "action_post"), ("cancel", "button_cancel")):
            ids = [self.ids["invoices"][key] for key, one in records.items() if one["state"] == state]
            if ids:
                self.ask("account.move", method, ids=ids)

    def _deal(self, one: Json) -> Json:
        found = {"type": "opportunity", "iap_enrich_done": True, "name": one["name"], "stage_id": self.stages[one["stage"]]}
        found |= {name: one[name] for name in ("description", "expected_revenue", "date_deadline") if name in one}
        found |= {"date_closed": local(one["date_closed"])} if "date_closed" in one else {}
        found |= {"active": False, "probability": 0} if one["status"] == "lost" else {}
        return {**found, "partner_id": self.ids["people"][one["partner_id"]], "user_id": self.users.get(one.get("user_id"), False)}

    def _activity(self, one: Json) -> Json:
        guests = [self.hosts.get(guest) or self.ids["people"][guest] for guest in one["attendees"]]
        return {
            "name": one["name"],
            "start": local(one["start"]),
            "stop": local(one["stop"]),
            "partner_ids": [[6, 0, guests]],
            "user_id": self.users.get(one.get("user_id"), False),
            "location": one.get("location", False),
            "description": one["description"],
        }

"""Hold what Odoo stores against the truth and list every difference.

Belongs here: comparing records field by field, sums, the schema of custom fields. Not here: reading (database, observed), what else
is in the database (intruders).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crm_pipelines.sandbox.compare.odoo.before import Baseline
from crm_pipelines.sandbox.compare.odoo.custom import CustomField, technical_name
from crm_pipelines.sandbox.compare.odoo.database import MODELS, Database, External, opened, table_of
from crm_pipelines.sandbox.compare.odoo.intruders import Intruders
from crm_pipelines.sandbox.compare.odoo.markup import is_same_markup
from crm_pipelines.sandbox.compare.odoo.observed import Observed, Observer
from crm_pipelines.sandbox.compare.odoo.reasons import NOT_COMPARED
from crm_pipelines.sandbox.compare.values import is_same, kind_of
from crm_pipelines.sandbox.compare.verdict import Comparison, Difference

Record = Mapping[str, Any]
Truth = Mapping[str, Any]
MARKUP = frozenset({("people", "comment"), ("deals", "description"), ("activities", "description")})
# Nobody but the customer is invoiced or delivered to: of a contact with an address of its own Odoo would take the company's.
ADDRESSES: Mapping[str, tuple[str, ...]] = {"orders": ("partner_invoice_id", "partner_shipping_id"), "invoices": ("partner_shipping_id",)}
# What was sold then was due then, and is in the books of that day.
DAYS: Mapping[str, tuple[str, ...]] = {"invoices": ("invoice_date_due", "date")}
# What a record has of which the truth says nothing; every other field is empty then.
USUAL: Mapping[str, Record] = {
    "organizations": {"active": True, "type": "contact", "employee": False},
    "people": {"active": True, "type": "contact", "employee": False},
    "opt_outs": {"active": True},
    "products": {"active": True},
    "orders": {"amount": 0.0, "total": 0.0, "lines": 1, "quantity": 1.0},
    "invoices": {"amount": 0.0, "total": 0.0, "lines": 1, "quantity": 1.0, "move_type": "out_invoice"},
    "deals": {"type": "opportunity", "iap_enrich_done": True},
    "activities": {"active": True, "allday": False, "recurrency": False},
}


def compare(truth: Truth, dsn: str, prefix: str, before: Baseline) -> Comparison:
    """Compare every record, field and link of the truth with Odoo's PostgreSQL; `before` is what `baseline` returned.

    Shape: records_compared counts records found on both sides; fields_compared every field of these, links included.
    Raises: ComparisonError when the database cannot be read.
    """
    with opened(dsn) as database:
        return compare_look(truth, database, prefix, before)


def compare_look(truth: Truth, database: Database, prefix: str, before: Baseline) -> Comparison:
    """Compare the truth with one look at a database that is already open."""
    comparison = Comparison(not_compared=NOT_COMPARED)
    external = External(database, prefix)
    observer = Observer(database, external)
    _compare_users(truth, database, comparison)
    for phase in (one for one in MODELS if one in truth["records"]):
        found = observer.phase(phase)
        differences = list(_Judge(phase, observer.custom, database).all(truth, found, comparison))
        differences += _sums(phase, truth, database, external)
        _note(comparison, phase, differences)
    _note_intruders(comparison, Intruders(truth, database, external, before))
    return comparison


def _compare_users(truth: Truth, database: Database, comparison: Comparison) -> None:
    """Check that every owner has an active user."""
    query = """SELECT lower(u.login) AS login, lower(p.email) AS email
               FROM res_users u JOIN res_partner p ON p.id = u.partner_id WHERE u.active"""
    known = {name for row in database.rows(query) for name in (row["login"], row["email"]) if name}
    wanted = truth["records"]["users"]
    comparison.differences += [Difference("users", one, "email", "missing", one) for one in wanted if one.casefold() not in known]
    comparison.count("users", len(wanted), len(wanted), len(comparison.differences))


def _note(comparison: Comparison, phase: str, differences: list[Difference]) -> None:
    comparison.differences += differences
    comparison.by_phase[phase]["differences"] += len(differences)


def _note_intruders(comparison: Comparison, intruders: Intruders) -> None:
    for one in intruders.differences():
        comparison.by_phase.setdefault(one.phase, {"records": 0, "fields": 0, "differences": 0})
        _note(comparison, one.phase, [one])


class _Judge:
    """Compares the records of one phase."""

    def __init__(self, phase: str, custom: Mapping[str, list[CustomField]], database: Database) -> None:
        self._phase, self._company_currency, self._company_lang = phase, database.company_currency, database.company_lang
        self._custom_fields = custom.get(MODELS[phase], [])

    def all(self, truth: Truth, found: Mapping[str, Observed], comparison: Comparison) -> Iterator[Difference]:
        """Yield the differences of every record, and count what was compared."""
        wanted: Mapping[str, Record] = truth["records"][self._phase]
        yield from self._schema(truth["fields"].get(self._phase, {}), wanted)
        both = [key for key in wanted if key in found]
        fields = 0
        for key in both:
            expected, stored = self._expected(wanted[key]), found[key]
            fields += len({*expected, *stored.fields}) + len({*expected["custom"], *stored.custom}) - 1
            yield from self._record(key, expected, stored)
        yield from (Difference(self._phase, key, "", "missing") for key in wanted if key not in found)
        yield from (Difference(self._phase, key, "", "unexpected") for key in found if key not in wanted)
        comparison.count(self._phase, len(both), fields, 0)

    def _expected(self, wanted: Record) -> dict[str, Any]:
        """Complete a record of the truth with what follows from it."""
        expected = {**USUAL[self._phase], "custom": {}, **wanted}
        if "amount" in wanted:
            expected["total"] = wanted["amount"]
        if "attendees" in wanted:
            expected["invited"] = wanted["attendees"]
        expected |= dict.fromkeys(ADDRESSES.get(self._phase, ()), wanted.get("partner_id"))
        expected |= dict.fromkeys(DAYS.get(self._phase, ()), wanted.get("invoice_date"))
        if self._phase in {"organizations", "people"}:
            expected.setdefault("lang", self._company_lang)
        if self._phase in {"orders", "invoices", "deals"}:  # without an amount: the company's
            expected.setdefault("currency", self._company_currency)
            is_foreign = self._phase == "orders" and expected["currency"] != self._company_currency
            expected |= {"pricelist": f"Migration {expected['currency']}"} if is_foreign else {}
        return expected

    def _record(self, key: str, expected: Record, stored: Observed) -> Iterator[Difference]:
        names = [name for name in {**stored.fields, **expected} if name != "custom"]
        for name in names:
            yield from self._value(key, name, expected.get(name), stored.fields.get(name))
        for label in sorted({*expected["custom"], *stored.custom}):
            values = stored.custom.get(label, [])
            yield from self._value(key, f"custom.{label}", expected["custom"].get(label) or None, values[0] if values else None)
            if len(values) > 1:
                yield Difference(self._phase, key, f"custom.{label}", "duplicate", expected["custom"].get(label), values)

    def _value(self, key: str, name: str, expected: Any, actual: Any) -> Iterator[Difference]:
        if name == "category_id":  # an account's own category of other case is taken, as its people would
            expected, actual = _folded(expected), _folded(actual)
        if name == "expected_revenue":  # Odoo shows nothing and zero alike
            expected, actual = expected or None, actual or None
        is_right = is_same_markup(expected, actual) if (self._phase, name) in MARKUP else is_same(expected, actual)
        if not is_right:
            yield Difference(self._phase, key, name, kind_of(expected, actual), expected, actual)

    def _schema(self, types: Mapping[str, str], wanted: Mapping[str, Record]) -> Iterator[Difference]:
        """Check the custom fields: those in use are there, once, under the right name and type; options say what they store."""
        used = {label for one in wanted.values() for label in one.get("custom", ())}
        for label in sorted(types):
            found = [one for one in self._custom_fields if one.label == label]
            if label in used and not found:
                yield Difference(self._phase, label, "field", "missing", types[label])
            if len(found) > 1:
                yield Difference(self._phase, label, "field", "duplicate", 1, len(found))
            for one in found[:1]:
                if one.kind != types[label]:
                    yield Difference(self._phase, label, "field type", "wrong", types[label], one.kind)
                if one.name.rstrip("_") != technical_name(label):
                    yield Difference(self._phase, label, "field name", "wrong", technical_name(label), one.name)
                if any(value != shown for value, shown in one.options.items()):
                    yield Difference(self._phase, label, "field options", "wrong", sorted(one.options.values()), sorted(one.options))


def _folded(labels: list[str] | None) -> list[str]:
    return sorted(label.casefold() for label in labels or ())


def _sums(phase: str, truth: Truth, database: Database, external: External) -> Iterator[Difference]:
    """Check the money by currency and state: added by PostgreSQL, apart from the records."""
    told = truth["money"].get(phase)
    if told is None or phase not in truth["records"]:
        return
    wanted = {(currency, state): row["sum"] for currency, by_state in told.items() for state, row in by_state.items()}
    stored = _stored_sums(phase, database, list(external.of_phase(phase).values()))
    for currency, state in sorted({*wanted, *stored}):
        expected, actual = wanted.get((currency, state), 0.0), stored.get((currency, state), 0.0)
        if not is_same(expected, actual):
            yield Difference(phase, f"{currency} {state}", "sum", "wrong", expected, actual)


def _stored_sums(phase: str, database: Database, ids: list[int]) -> dict[tuple[str, str], float]:
    if phase == "deals":
        rows = database.rows(
            """SELECT %s AS currency, CASE won_status WHEN 'pending' THEN 'open' ELSE won_status END AS state, sum(expected_revenue) AS sum
               FROM crm_lead WHERE id = ANY(%s) GROUP BY won_status""",
            database.company_currency,
            ids,
        )
    else:
        rows = database.named(
            """SELECT c.name AS currency, o.state, sum(o.amount_total) AS sum FROM {table} o
               JOIN res_currency c ON c.id = o.currency_id WHERE o.id = ANY(%s) GROUP BY c.name, o.state""",
            {"table": table_of(MODELS[phase])},
            ids,
        )
    return {(row["currency"], row["state"]): float(row["sum"] or 0) for row in rows}

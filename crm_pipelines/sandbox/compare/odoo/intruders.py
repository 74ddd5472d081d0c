"""What else is in the database now: records, mails, log lines and names that the truth knows nothing of.

Belongs here: everything held against the baseline instead of the truth's records. Not here: the records themselves (judge).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from crm_pipelines.sandbox.compare.odoo.before import CHATTER, FORBIDDEN, KEYED, OF_OTHERS, Baseline, digests
from crm_pipelines.sandbox.compare.odoo.database import MODELS, Database, External, Row, parsed, table_of
from crm_pipelines.sandbox.compare.verdict import Difference

Truth = Mapping[str, Any]
OWN_PRICELIST = "Default"  # Odoo makes it itself when a second currency is switched on (product, res_company.py)
OF_TEMPLATE = "_product_template"  # load() names the template beside its product (Odoo, odoo/orm/models.py, _load_records_create)
# Handles by which load() may link; none of them is a record that the contract counts.
POINTED_TO = frozenset({"res.users", "res.partner.category", "crm.stage", "product.pricelist", "res.country", "res.country.state"})
WHICH_DATABASE = "people.account="  # the loader remembers by it in which database it is: on the company, which is no record either
PHASE_OF = {table_of(model): phase for phase, model in MODELS.items()}

FOLLOWERS = "SELECT {model} AS model, res_id FROM {table} WHERE id > %s AND {model} = ANY(%s) ORDER BY id"
# an invoice that a delta changes is a draft meanwhile; what Odoo then notes of its own fields is the books' audit trail
MESSAGES = """
SELECT {model} AS model, res_id FROM {table} WHERE id > %s AND {model} = ANY(%s) AND NOT ({model} = 'account.move'
    AND coalesce(body, '') = '' AND EXISTS (SELECT 1 FROM mail_tracking_value AS tracked WHERE tracked.mail_message_id = {table}.id))
ORDER BY id
"""

TO_INVOICE = """
SELECT id FROM sale_order WHERE invoice_status = 'to invoice' AND id = ANY(%s)
    AND EXISTS (SELECT 1 FROM sale_order_line AS line WHERE line.order_id = sale_order.id AND line.product_id > %s) ORDER BY id
"""


class Intruders:
    """Looks for everything that should not be there."""

    def __init__(self, truth: Truth, database: Database, external: External, before: Baseline) -> None:
        self._truth, self._database, self._external = truth, database, external
        self._max_ids: Mapping[str, int] = before["max_ids"]
        self._records: Mapping[str, Mapping[str, str]] = before["records"]

    def differences(self) -> Iterator[Difference]:
        """Yield every difference; its phase is that of the table's records, or the table's name."""
        yield from self._strangers()
        yield from self._forbidden()
        yield from self._chatter()
        yield from self._changed()
        yield from self._names()
        yield from self._pricelists()
        yield from self._asking()
        yield from self._external_ids()

    def _newer(self, table: str, column: str = "id") -> list[Any]:
        query = "SELECT {column} AS found FROM {table} WHERE id > %s ORDER BY id"
        found = self._database.named(query, {"table": table, "column": column}, self._max_ids[table])
        return [row["found"] for row in found]

    def _strangers(self) -> Iterator[Difference]:
        """New records of our kinds without an external id of ours."""
        ours = {table_of(model): self._external.ids(model) for model in MODELS.values()}
        if "product_product" in self._max_ids:
            query = "SELECT product_tmpl_id AS id FROM product_product WHERE id = ANY(%s)"
            ours["product_template"] = {row["id"] for row in self._database.rows(query, list(ours["product_product"]))}
        for table in (one for one in KEYED if one in self._max_ids):
            for number in set(self._newer(table)) - ours[table]:
                yield Difference(PHASE_OF.get(table, "products"), f"({table} {number})", "", "unexpected")

    def _forbidden(self) -> Iterator[Difference]:
        for table in (one for one in FORBIDDEN if one in self._max_ids):
            for number in self._newer(table):
                yield Difference("users" if table == "res_users" else table, f"({table} {number})", "", "unexpected")

    def _chatter(self) -> Iterator[Difference]:
        """Log lines and followers on records of our kinds."""
        models = {*MODELS.values(), "product.template"}
        for table in CHATTER:
            model = "model" if table == "mail_message" else "res_model"
            query = MESSAGES if table == "mail_message" else FOLLOWERS
            rows = self._database.named(query, {"table": table, "model": model}, self._max_ids[table], sorted(models))
            for row in rows:
                names = self._external.names_of(row["model"], row["res_id"])
                phase, key = names[0] if names else (table, f"({row['model']} {row['res_id']})")
                yield Difference(phase, key, table, "extra", None, 1)

    def _changed(self) -> Iterator[Difference]:
        """Records that are somebody else's and were changed or deleted."""
        for table in (one for one in OF_OTHERS if one in self._records):
            now, before = digests(self._database, table), self._records[table]
            ours = {str(number) for number in self._external.ids(table.replace("_", "."))}
            phase = PHASE_OF.get(table, table)
            for number in before.keys() - ours:
                if number not in now:
                    yield Difference(phase, f"({table} {number})", "", "missing")
                elif now[number] != before[number]:
                    yield Difference(phase, f"({table} {number})", "(a record of somebody else's)", "wrong", before[number], now[number])

    def _names(self) -> Iterator[Difference]:
        """Categories and stages: none but those of the truth, each once."""
        labels = {label for one in self._truth["records"]["people"].values() for label in one.get("category_id", ())}
        stages = {*self._truth["stages"], self._truth["won_stage"]}
        for table, phase, wanted in (("res_partner_category", "people", labels), ("crm_stage", "deals", stages)):
            rows = self._database.named("SELECT id, name->>'en_US' AS name FROM {table} ORDER BY id", {"table": table})
            folded = {name.casefold() for name in wanted}
            for row in rows:
                if row["id"] > self._max_ids[table] and row["name"].casefold() not in folded:
                    yield Difference(phase, row["name"], table, "unexpected", None, row["name"])
            counts = Counter(row["name"].casefold() for row in rows)
            for name in sorted(folded):
                if counts[name] > 1:
                    yield Difference(phase, name, table, "duplicate", 1, counts[name])
        yield from self._stages()

    def _stages(self) -> Iterator[Difference]:
        """New stages stand in the order in which the truth has them, unfolded, and none of them wins or belongs to one team."""
        query = "SELECT name->>'en_US' AS name FROM crm_stage WHERE id > %s ORDER BY sequence, id"
        found = [row["name"] for row in self._database.rows(query, self._max_ids["crm_stage"])]
        wanted = [name for name in self._truth["stages"] if name in found]
        if [name for name in found if name in wanted] != wanted:
            yield Difference("deals", "(stages)", "sequence", "wrong", wanted, found)
        odd = """SELECT name->>'en_US' AS name FROM crm_stage s WHERE id > %s AND name->>'en_US' <> %s
                 AND (is_won OR fold OR EXISTS (SELECT FROM crm_stage_crm_team_rel r WHERE r.crm_stage_id = s.id))"""
        for row in self._database.rows(odd, self._max_ids["crm_stage"], self._truth["won_stage"]):
            yield Difference("deals", row["name"], "crm_stage", "wrong")

    def _pricelists(self) -> Iterator[Difference]:
        """New pricelists are those for currencies other than the company's, and no more."""
        used = {one.get("currency") for one in self._truth["records"].get("orders", {}).values()}
        foreign = used - {None, self._database.company_currency}
        wanted = {f"Migration {code}" for code in foreign} | ({OWN_PRICELIST} if foreign else set())
        query = "SELECT name->>'en_US' AS name FROM product_pricelist WHERE id > %s"
        counts = Counter(row["name"] for row in self._database.rows(query, self._max_ids["product_pricelist"]))
        for name, count in counts.items():
            if name not in wanted or count > 1:
                yield Difference("orders", name, "product_pricelist", "unexpected" if name not in wanted else "duplicate", None, name)

    def _asking(self) -> Iterator[Difference]:
        """Orders of products that the migration made never ask to be invoiced; those that were there before keep their own policy."""
        if "sale_order" not in self._max_ids:
            return
        ids = list(self._external.of_phase("orders").values())
        for row in self._database.rows(TO_INVOICE, ids, self._max_ids["product_product"]):
            for phase, key in self._external.names_of("sale.order", row["id"]):
                yield Difference(phase, key, "invoice_status", "wrong", "no", "to invoice")

    def _external_ids(self) -> Iterator[Difference]:
        """External ids: of a phase, written in one way, on a record of the right model, one for each record."""
        seen: Counter[tuple[str, int]] = Counter()
        for row in self._external.rows:
            phase, key = parsed(row["name"])
            seen[row["model"], row["res_id"]] += 1
            if seen[row["model"], row["res_id"]] > 1:
                yield Difference(phase, key, "external_id", "duplicate")
            if not self._is_beside(row):
                yield from self._odd_name(phase, key, row)

    def _odd_name(self, phase: str, key: str, row: Row) -> Iterator[Difference]:
        if phase not in self._truth["records"] or phase == "users":
            yield Difference(phase, key, "external_id", "unexpected")
        elif row["model"] != MODELS[phase] or row["name"] != f"{phase}.{quote(key, safe='')}":
            yield Difference(phase, key, "external_id", "wrong", MODELS[phase], row["model"])

    def _is_beside(self, row: Row) -> bool:
        """Return whether an external id names no record of the contract: something records point to, or what Odoo makes with a product."""
        if row["model"] == "product.template":
            name = row["name"].removesuffix(OF_TEMPLATE)
            return name != row["name"] and self._external.has_name(name, "product.product")
        return row["model"] in POINTED_TO or (row["model"] == "res.company" and row["name"].startswith(WHICH_DATABASE))

"""Read an Odoo database: one read-only look at its tables, and the names behind its ids.

Belongs here: SQL, dictionaries of users, countries, stages, categories, external ids. Not here: which record is whose and in which words
(observed), custom fields (custom), what is right (judge).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, LiteralString
from urllib.parse import unquote

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from crm_pipelines.sandbox.compare.verdict import ComparisonError

Row = dict[str, Any]
# docs/routes/kartra_to_odoo.md, "Phases and models"; users are matched and carry no external id that must be there
MODELS: Mapping[str, str] = {
    "organizations": "res.partner", "people": "res.partner", "opt_outs": "mail.blacklist", "products": "product.product",
    "orders": "sale.order", "invoices": "account.move", "deals": "crm.lead", "activities": "calendar.event",
}  # fmt: skip


@contextmanager
def opened(dsn: str) -> Iterator[Database]:
    """Open a database for one look: everything is read as of one moment, and nothing can be written.

    Raises: ComparisonError when PostgreSQL does not answer, or the database is not Odoo's.
    """
    try:
        with psycopg.connect(dsn, row_factory=dict_row) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield Database(connection)
    except psycopg.OperationalError as error:
        raise ComparisonError(f"no PostgreSQL answers there ({type(error).__name__}); check the DSN, and that the server runs") from error
    except psycopg.errors.UndefinedTable as error:
        raise ComparisonError("tables are missing there; is it an Odoo with contacts, crm, sale_management and calendar?") from error


class Database:
    """One look at an Odoo database."""

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, query: LiteralString, *values: object) -> list[Row]:
        """Return what a query answers, a dictionary for each row."""
        return self._connection.execute(query, values or None).fetchall()

    def named(self, query: LiteralString, names: Mapping[str, str], *values: object) -> list[Row]:
        """Return what a query about tables or columns named at run time answers."""
        text = sql.SQL(query).format(**{name: sql.Identifier(value) for name, value in names.items()})
        return self._connection.execute(text, values or None).fetchall()

    def pairs(self, query: LiteralString, *values: object) -> dict[Any, Any]:
        """Return the second column of a query by the first."""
        return dict(tuple(row.values()) for row in self.rows(query, *values))

    def groups(self, query: LiteralString, *values: object) -> dict[Any, list[Any]]:
        """Return the second column of a query, grouped by the first."""
        found: dict[Any, list[Any]] = {}
        for first, second in (row.values() for row in self.rows(query, *values)):
            found.setdefault(first, []).append(second)
        return found

    def has_table(self, table: str) -> bool:
        """Return whether an app that owns this table is installed."""
        return bool(self.rows("SELECT to_regclass(%s) IS NOT NULL AS found", table)[0]["found"])

    def records(self, model: str, ids: Sequence[int]) -> dict[int, Row]:
        """Return whole rows of a model by id."""
        found = self.named("SELECT * FROM {table} WHERE id = ANY(%s)", {"table": table_of(model)}, list(ids))
        return {row["id"]: row for row in found}

    @cached_property
    def countries(self) -> dict[int, str]:
        """ISO codes by id."""
        return self.pairs("SELECT id, code FROM res_country")

    @cached_property
    def states(self) -> dict[int, str]:
        """Codes of states by id."""
        return self.pairs("SELECT id, code FROM res_country_state")

    @cached_property
    def currencies(self) -> dict[int, str]:
        """Codes of currencies by id."""
        return self.pairs("SELECT id, name FROM res_currency")

    @cached_property
    def stages(self) -> dict[int, str]:
        """Names of stages by id."""
        return self.pairs("SELECT id, name->>'en_US' FROM crm_stage")

    @cached_property
    def users(self) -> dict[int, str]:
        """What a user is known by: the address of the partner, else the login; in small letters."""
        return self.pairs("SELECT u.id, lower(coalesce(p.email, u.login)) FROM res_users u JOIN res_partner p ON p.id = u.partner_id")

    @cached_property
    def user_partners(self) -> dict[int, str]:
        """What the users' own partners are known by."""
        return self.pairs("SELECT p.id, lower(coalesce(p.email, u.login)) FROM res_users u JOIN res_partner p ON p.id = u.partner_id")

    @cached_property
    def company_currency(self) -> str:
        """The currency of the main company, in which leads are kept."""
        found = self.rows("SELECT c.name FROM res_company o JOIN res_currency c ON c.id = o.currency_id ORDER BY o.id LIMIT 1")
        return str(found[0]["name"])

    @cached_property
    def company_lang(self) -> str:
        """The language of the main company's own partner; Odoo takes English where it has none."""
        found = self.rows("SELECT p.lang FROM res_company o JOIN res_partner p ON p.id = o.partner_id ORDER BY o.id LIMIT 1")
        return str(found[0]["lang"] or "en_US")


class External:
    """The external ids of one module: which record has which source key."""

    def __init__(self, database: Database, prefix: str) -> None:
        self.rows = database.rows("SELECT name, model, res_id FROM ir_model_data WHERE module = %s ORDER BY id", prefix)
        self._names = {(row["name"], row["model"]) for row in self.rows}
        self._ids: dict[str, dict[str, int]] = {phase: {} for phase in MODELS}
        self._keys: dict[tuple[str, int], list[tuple[str, str]]] = {}
        for row in self.rows:
            phase, key = parsed(row["name"])
            if MODELS.get(phase) == row["model"]:
                self._ids[phase][key] = row["res_id"]
                self._keys.setdefault((row["model"], row["res_id"]), []).append((phase, key))

    def has_name(self, name: str, model: str) -> bool:
        """Return whether a record of a model has this external id."""
        return (name, model) in self._names

    def of_phase(self, phase: str) -> Mapping[str, int]:
        """Return record ids by source key."""
        return self._ids[phase]

    def ids(self, model: str) -> set[int]:
        """Return the ids of all records of a model that are ours."""
        return {number for of, number in self._keys if of == model}

    def names_of(self, model: str, number: int) -> list[tuple[str, str]]:
        """Return phase and key of every external id that a record has."""
        return self._keys.get((model, number), [])

    def key_of(self, phase: str, number: int | None) -> str | None:
        """Return the source key of a linked record; a mark with its id when it is not one of ours."""
        if number is None:
            return None
        keys = [key for of, key in self.names_of(MODELS[phase], number) if of == phase]
        return keys[0] if keys else f"(id {number}, not migrated)"


def parsed(name: str) -> tuple[str, str]:
    """Return phase and source key of an external id's name."""
    phase, _, encoded = name.partition(".")
    return phase, unquote(encoded)


def table_of(model: str) -> str:
    """Return the table of a model."""
    return model.replace(".", "_")

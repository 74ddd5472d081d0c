"""Version, edition and apps of a database against what a migration needs.

Belongs here: findings of the topics plan and apps. Not here: remains of apps that were removed (debris*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crm_pipelines.destinations.base import Finding, Schema, WantedSchema
from crm_pipelines.destinations.odoo.debris import listed
from crm_pipelines.destinations.odoo.inspect_reading import Reader, Row

TESTED = 19  # the version that every test of ours runs on
APPS: Mapping[str, tuple[str, str]] = {
    "deals": ("crm", "CRM"),
    "orders": ("sale_management", "Sales"),
    "invoices": ("account", "Invoicing"),
    "activities": ("calendar", "Calendar"),
    "products": ("product", "Products, which come with Sales or Invoicing"),
    "opt_outs": ("mail", "Discuss"),
}
"""Phase -> the app that holds its records, as it is called in the list of apps."""
SUBSCRIPTIONS = "sale_subscription"
PENDING = {"to install": "installed", "to upgrade": "upgraded", "to remove": "removed"}
DONE = frozenset({"installed", *PENDING})
ODOO = ("Odoo S.A.", "odoo")
"""How the makers of Odoo sign their own add-ons."""


@dataclass(frozen=True)
class Modules:
    """The modules that are in a database."""

    rows: Sequence[Row]
    """Empty where the key's user may not see them."""

    @property
    def installed(self) -> frozenset[str]:
        """Names of those that are there, also while something is to be done with them."""
        return frozenset(str(row["name"]) for row in self.rows if row["state"] in DONE)

    def may_have(self, name: str) -> bool:
        """Whether a module may be there: it is, or nobody could look."""
        return not self.rows or name in self.installed

    @property
    def own(self) -> frozenset[str]:
        """Names of those that Odoo itself makes."""
        return frozenset(str(row["name"]) for row in self.rows if row["author"] in ODOO)


async def modules_of(reader: Reader) -> Modules:
    """Read all modules that are installed, half installed, or bought and missing; one request."""
    domain = ["|", ["state", "in", sorted(DONE)], ["name", "=", SUBSCRIPTIONS]]
    return Modules(await reader.rows("ir.module.module", domain, ["name", "state", "author", "shortdesc"]))


def app_findings(schema: Schema, version: tuple[int, int], modules: Modules, wanted: WantedSchema | None) -> Iterable[Finding]:
    """Yield what version, edition and apps mean for this migration."""
    yield _version(schema, version)
    yield from _missing(schema, modules, wanted)
    if modules.rows:
        yield from _subscriptions(modules)
        yield from _pending(modules)
        yield from _of_others(modules)


def _version(schema: Schema, version: tuple[int, int]) -> Finding:
    if version[0] != TESTED:
        told = f"This is {schema.plan}. The product is tested on Odoo {TESTED}.0; other versions are spoken to by their older interface."
        return Finding("plan", "note", "version", told, "Rehearse with a copy of the database first.")
    return Finding("plan", "good", "version", f"This is {schema.plan}.")


def _missing(schema: Schema, modules: Modules, wanted: WantedSchema | None) -> Iterable[Finding]:
    there = [name for phase, (_, name) in APPS.items() if phase in schema.record_counts]
    for phase, (module, name) in APPS.items():
        if not schema.record_counts or phase in schema.record_counts:
            continue
        is_wanted = bool(wanted and wanted.counts.get(phase))
        told = f"The app {name} is not installed, so {phase} of the export have no place to go."
        yield Finding("apps", "blocker" if is_wanted else "warning", module, told, f"Install {name} (Apps), or leave {phase} out.")
    if modules.rows and "orders" in schema.record_counts and "sale_management" not in modules.installed:
        told = "Orders can be stored, but the app Sales that shows them to people is not installed."
        yield Finding("apps", "warning", "sale_management", told, "Install Sales (Apps).")
    if there:
        yield Finding("apps", "good", "apps", f"Apps that are there: {', '.join(there)}.")


def _subscriptions(modules: Modules) -> Iterable[Finding]:
    if SUBSCRIPTIONS in modules.installed:
        told = (
            "The app Subscriptions is installed. The map writes subscriptions as sale orders all the same; they do not renew by themselves."
        )
        yield Finding("apps", "note", SUBSCRIPTIONS, told, "Decide whether running subscriptions are set up anew in the app.")
        return
    told = "No subscription app is installed (Community has none): subscriptions become sale orders with a field for their status."
    yield Finding("apps", "note", SUBSCRIPTIONS, told)


def _pending(modules: Modules) -> Iterable[Finding]:
    for state, word in PENDING.items():
        names = sorted(str(row["name"]) for row in modules.rows if row["state"] == state)
        if names:
            told = f"{len(names)} add-ons wait to be {word}. That happens at the next restart, and may change tables during the load."
            yield Finding("apps", "warning", listed(state, names), told, "Finish or cancel it first (Apps).")


def _of_others(modules: Modules) -> Iterable[Finding]:
    names = sorted(modules.installed - modules.own)
    if names:
        told = f"{len(names)} add-ons of other makers are installed; they may require fields or change records as they arrive."
        yield Finding("apps", "note", listed("ir.module.module", names), told, "Watch their fields in the sample.")

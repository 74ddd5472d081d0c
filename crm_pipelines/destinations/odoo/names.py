"""Names of the map and what stands for them in the database: fields, options, categories, stages, countries, currencies.

Belongs here: looking a name up, there and back. Not here: reading them (describe), making them (prepare), values (shape).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from crm_pipelines.destinations.base import FoundField, WantedSchema
from crm_pipelines.errors import SettingsError

if TYPE_CHECKING:
    from crm_pipelines.destinations.odoo.describe import Described

MARK = "#"
"""Stands before the id of a category that has no name of its own here: a tag may well be named 2024."""
_MARKED = re.compile(rf"{MARK}[0-9]+")


class Names:
    """The names of one description of the database."""

    def __init__(self, described: Described, wanted: WantedSchema | None = None) -> None:
        schema = described.schema
        told = wanted.fields if wanted is not None else ()
        self._state_texts = {(want.phase, want.name) for want in told if want.keeps == "state"} if told else None
        self.described = described
        self.schema = schema
        self.company_currency = described.company_currency
        custom = [found for found in schema.fields if found.is_custom]
        self._by_name = {(found.phase, found.name): found for found in custom}
        self._by_code = {(found.phase, found.code): found for found in custom}
        self._labels = {phase: _folded(labels) for phase, labels in schema.labels.items()}
        self._label_names = {phase: {str(number): name for name, number in labels.items()} for phase, labels in schema.labels.items()}
        self._stages = {name: str(number) for place in schema.stages.values() for name, number in place.items()}
        self._users = frozenset(str(number) for number in described.user_partners.values())
        self._won = frozenset(stage.number for stage in described.stages if stage.is_won)
        self._stage_names = {number: name for name, number in self._stages.items()}
        self._countries = {str(number): code for code, number in described.countries.items()}
        countries = {code: int(number) for code, number in described.countries.items()}
        self.countries_of_states = {int(number): countries[code] for (code, _), number in described.states.items() if code in countries}
        """State -> its country, by ids."""
        self._currency_names = {str(number): code for code, number in described.currencies.items()}
        self._state_codes: dict[str, str] = {}
        for (_, text), number in described.states.items():
            known = self._state_codes.get(str(number))
            if known is None or len(text) < len(known):
                self._state_codes[str(number)] = text.upper()

    def field_named(self, phase: str, name: str) -> FoundField:
        """Return a custom field by its display name. Raises: SettingsError when the database has none."""
        if (phase, name) not in self._by_name:
            raise SettingsError(f"{phase}: custom field {name!r} is missing in Odoo; run `crm run` again, it makes missing fields first")
        return self._by_name[phase, name]

    def custom_of(self, phase: str) -> Iterable[FoundField]:
        """Return the custom fields of a phase."""
        return [found for (of, _), found in self._by_code.items() if of == phase]

    def keeps_state(self, found: FoundField) -> bool:
        """Return whether a custom field keeps the text of the state; by its name (`... state`) as long as nobody told what is wanted."""
        if self._state_texts is not None:
            return (found.phase, found.name) in self._state_texts
        return found.name.casefold().split()[-1:] == ["state"]

    def label_id(self, phase: str, label: str) -> int:
        """Return the id of a category: of that very name, else the oldest that differs in case alone.

        Raises: SettingsError when the database has none of that name.
        """
        number = self.schema.labels.get(phase, {}).get(label) or self._labels.get(phase, {}).get(label.casefold())
        if number is None and _MARKED.fullmatch(label):
            return int(label.removeprefix(MARK))
        if number is None:
            raise SettingsError(f"{phase}: a category of the map is missing in Odoo; run `crm run` again, it makes missing ones first")
        return int(number)

    def label_name(self, phase: str, number: object) -> str:
        """Return a category's name; `#<id>` where it was made after the description, or an older one has that name."""
        return self._label_names.get(phase, {}).get(str(number), f"{MARK}{number}")

    def stage_id(self, name: str) -> int:
        """Return the id of a stage. Raises: SettingsError when the database has none of that name."""
        if name not in self._stages:
            raise SettingsError("deals: a stage of the map is missing in Odoo; run `crm run` again, it makes missing stages first")
        return int(self._stages[name])

    def stage_name(self, number: object) -> str | None:
        """Return a stage's name."""
        return self._stage_names.get(str(number))

    def is_won(self, stage: str) -> bool:
        """Return whether Odoo takes every deal in a stage for won, whatever the stage is called."""
        return stage in self._stages and int(self._stages[stage]) in self._won

    def country_id(self, code: str) -> int | None:
        """Return the id of a country by its ISO code."""
        number = self.described.countries.get(code.upper())
        return None if number is None else int(number)

    def country_code(self, number: object) -> str | None:
        """Return a country's ISO code."""
        return self._countries.get(str(number))

    def state_id(self, country: str, text: str) -> int | None:
        """Return the id of a state by code or name within its country, upper and lower case alike."""
        number = self.described.states.get((country.upper(), text.strip().casefold()))
        return None if number is None else int(number)

    def state_code(self, number: object) -> str | None:
        """Return the shortest text that names a state, in upper case: its code."""
        return self._state_codes.get(str(number))

    def currency_id(self, code: str) -> int:
        """Return the id of a currency. Raises: SettingsError when it is not there."""
        if code not in self.described.currencies:
            raise SettingsError(f"the currency {code} is missing in Odoo; run `crm run` again, it switches currencies on first")
        return int(self.described.currencies[code])

    def currency_name(self, number: object) -> str | None:
        """Return a currency's ISO code."""
        return self._currency_names.get(str(number))

    def pricelist_id(self, code: str) -> int | None:
        """Return the pricelist that orders of a currency need; None for the company's own. Raises: SettingsError when it is not there."""
        if code == self.company_currency:
            return None
        if code not in self.described.pricelists:
            raise SettingsError(f"the pricelist for {code} is missing in Odoo; run `crm run` again, it makes missing ones first")
        return int(self.described.pricelists[code])

    def is_user(self, partner: object) -> bool:
        """Return whether a partner is a user of the database: a colleague, not a guest."""
        return str(partner) in self._users

    def partner_of(self, user: object) -> int | None:
        """Return the partner that a user is, by id or by e-mail."""
        known = self.described.user_partners
        number = known.get(str(user)) or known.get(self.schema.users.get(str(user).casefold(), ""))
        return None if number is None else int(number)


def _folded(labels: Mapping[str, str]) -> dict[str, str]:
    """Casefolded name -> id, the oldest where several differ in case alone."""
    return {name.casefold(): number for name, number in sorted(labels.items(), key=lambda item: -int(item[1]))}

"""Field types and names: what a wanted field is called at Pipedrive, and which found field it means.

Belongs here: pure look-ups over a Schema. Not here: reading fields (describe), making them (prepare), values (shape).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crm_pipelines.destinations.base import FieldType, FoundField, Schema, WantedField
from crm_pipelines.errors import SettingsError

MADE_AS: Mapping[FieldType, str] = {
    "text": "varchar",  # searchable, up to 255 characters
    "long_text": "text",
    "number": "double",
    "date": "date",
    "datetime": "varchar",  # no such custom type exists
    "enum": "enum",
    "set": "set",
    "address": "address",
    "boolean": "enum",  # custom fields have no boolean; options Yes and No
    "money": "monetary",
}
ACCEPTED: Mapping[FieldType, frozenset[str]] = {
    **{wanted: frozenset({made}) for wanted, made in MADE_AS.items()},
    "text": frozenset({"varchar", "varchar_auto", "text"}),
}
BOOLEAN_OPTIONS = ("Yes", "No")


def options_of(wanted: WantedField) -> tuple[str, ...]:
    """Return the option labels that a wanted field needs."""
    return BOOLEAN_OPTIONS if wanted.type == "boolean" else wanted.options


def pick(found: Schema, wanted: WantedField) -> FoundField | None:
    """Return the custom field that a wanted field means, or None when it must be made.

    Raises: SettingsError when two could be meant (display names are not unique at Pipedrive), or the only one has another type.
    """
    same = [f for f in found.fields if f.is_custom and f.phase == wanted.phase and f.name == wanted.name]
    accepted = frozenset({"varchar"}) if wanted.is_external_id else ACCEPTED[wanted.type]
    fitting = [f for f in same if f.type in accepted]
    if len(fitting) > 1:
        codes = " and ".join(f.code for f in fitting)
        raise SettingsError(
            f"{wanted.phase}: two custom fields named {wanted.name!r} of type {fitting[0].type} exist ({codes}); "
            "rename or delete one in Pipedrive (Settings > Data fields), then run again"
        )
    if same and not fitting:
        raise SettingsError(
            f"{wanted.phase}: custom field {wanted.name!r} exists with type {same[0].type}, the map needs {MADE_AS[wanted.type]}; "
            "rename it in Pipedrive (a type cannot be changed), or give the field another name in the spec, then run again"
        )
    return fitting[0] if fitting else None


def option_id(options: Mapping[str, str], label: str) -> str | None:
    """Return the id of a label: spelled alike, else alike but for case."""
    if label in options:
        return options[label]
    folded = label.casefold()
    return next((number for name, number in options.items() if name.casefold() == folded), None)


@dataclass
class Names:
    """Display names against codes and ids, both ways, for one account."""

    found: Schema
    wanted: tuple[WantedField, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_name: dict[tuple[str, str], FoundField] = field(default_factory=dict)
    by_code: dict[tuple[str, str], FoundField] = field(default_factory=dict)
    _spelling: dict[tuple[str, str], str] = field(default_factory=dict)
    """(phase and field, option id) -> label as the map spells it."""

    def __post_init__(self) -> None:
        ambiguous: set[tuple[str, str]] = set()
        for one in self.found.fields:
            if not one.is_custom:
                continue
            key = (one.phase, one.name)
            if key in self.by_name:
                ambiguous.add(key)
            self.by_name[key] = one
            self.by_code[one.phase, one.code] = one
        for key in ambiguous:
            del self.by_name[key]
        for want in self.wanted:
            picked = pick(self.found, want)
            if picked is not None:
                self.by_name[want.phase, want.name] = picked
        self._index_spellings()

    def field_named(self, phase: str, name: str) -> FoundField:
        """Return a custom field. Raises: SettingsError when the account has none, or several, of that name."""
        try:
            return self.by_name[phase, name]
        except KeyError:
            raise SettingsError(
                f"{phase}: the account has no single custom field named {name!r}; run `crm run` again, it makes missing fields first"
            ) from None

    def label_id(self, phase: str, label: str) -> int | None:
        """Return the option id of a label."""
        found = option_id(self.found.labels.get(phase, {}), label)
        return None if found is None else int(found)

    def label_name(self, phase: str, number: int) -> str | None:
        """Return the label of an option id."""
        return self._spelling.get((f"label:{phase}", str(number)))

    def option_number(self, one: FoundField, label: str) -> int | None:
        """Return the option id of an option label."""
        found = option_id(one.options, label)
        return None if found is None else int(found)

    def option_name(self, one: FoundField, number: int | str) -> str | None:
        """Return an option's label as the map spells it, else as the account does."""
        return self._spelling.get((f"{one.phase}:{one.code}", str(number)))

    def type_key(self, phase: str, name: str) -> str | None:
        """Return the vendor's key of a record type, given its key or its name."""
        there = self.found.types.get(phase, {})
        return there.get(name) or there.get(name.casefold())

    def type_name(self, phase: str, key: str) -> str:
        """Return a record type as the map spells it, else the vendor's key."""
        return next((name for name in self.types.get(phase, ()) if self.type_key(phase, name) == key), key)

    def stage_of(self, number: int) -> tuple[str, str] | None:
        """Return (pipeline, stage) of a stage id."""
        for pipeline, stages in self.found.stages.items():
            for stage, stage_id in stages.items():
                if stage_id == str(number):
                    return pipeline, stage
        return None

    def _index_spellings(self) -> None:
        for one in self.by_code.values():
            self._spelling.update({(f"{one.phase}:{one.code}", number): label for label, number in one.options.items()})
        for phase, labels in self.found.labels.items():
            self._spelling.update({(f"label:{phase}", number): label for label, number in labels.items()})
        for want in self.wanted:
            picked = self.by_name.get((want.phase, want.name))
            for label in options_of(want) if picked else ():
                if picked and (number := option_id(picked.options, label)) is not None:
                    self._spelling[f"{picked.phase}:{picked.code}", number] = label
        for phase, names in self.labels.items():
            for label in names:
                if (number := option_id(self.found.labels.get(phase, {}), label)) is not None:
                    self._spelling[f"label:{phase}", number] = label

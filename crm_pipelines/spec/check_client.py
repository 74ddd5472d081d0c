"""Hold what a client decided beside columns against the route: words, owners, tags, merged records, kinds left out.

Belongs here: mistakes of reference and of meaning, each with its line. Not here: mistakes of shape (client), choices for columns
(overlay), what the decisions do (phases.reword, phases.resolve).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from crm_pipelines.errors import Problem
from crm_pipelines.spec.client import ADDRESS, at
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.contract import SourceContract
from crm_pipelines.spec.derive import DeriveSpec
from crm_pipelines.spec.folding import folded_word
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import Document, Path, nearest
from crm_pipelines.spec.rules_read import NO, YES
from crm_pipelines.spec.vocabularies import word_columns

SHOWN_WORDS = 12
WHOLE, DECIMAL = re.compile(r"[+-]?\d+"), re.compile(r"[+-]?\d+(\.\d+)?")


def map_problems(spec: MappingSpec, client_map: ClientMap, source: SourceContract, document: Document) -> list[Problem]:
    """Return every problem of a client's words, owners, tags, merged records and kinds left out."""
    checks = _Checks(spec, client_map, source)
    found = [*checks.values(), *checks.tags(), *checks.owners(), *checks.groups(), *checks.kinds(), *checks.rows()]
    return [at(document, path, message) for path, message in found]


Found = Iterator[tuple[Path, str]]


@dataclass(frozen=True)
class _Checks:
    spec: MappingSpec
    client_map: ClientMap
    source: SourceContract

    def values(self) -> Found:
        """Replaced words: of a column whose words can be replaced, each once, by something the column can hold."""
        for place, words in self.client_map.values.items():
            found = list(self._place(("values", place), place))
            yield from found
            if not found:
                yield from self._column(("values", place), place)
                yield from self._words(("values", place), words, self._type(place))
                yield from self._closed(("values", place), place, words)

    def tags(self) -> Found:
        """Replaced members of a list."""
        for place, words in self.client_map.tags.items():
            found = list(self._place(("tags", place), place))
            yield from found
            if not found and self._type(place) != "list":
                yield ("tags", place), "is no list of tags; words of other columns stand under `values`"
            elif not found:
                yield from self._words(("tags", place), words, "list")
                for word in {folded_word(word) for word in words} & {folded_word(word) for word in self.client_map.values.get(place, {})}:
                    path = next(each for each in words if folded_word(each) == word)
                    yield ("tags", place, path), "has an answer under `values`, too; keep one"

    def owners(self) -> Found:
        """Owners and who takes over from them."""
        yield from self._words(("owners",), self.client_map.owners, "text")
        for owner, user in self.client_map.owners.items():
            if not ADDRESS.fullmatch(user.strip()):
                yield ("owners", owner), "must be the e-mail address of the user who takes over"
        users = {folded_word(owner): folded_word(user) for owner, user in self.client_map.owners.items()}
        for owner, user in self.client_map.owners.items():
            if users.get(folded_word(user), folded_word(user)) not in (folded_word(user), folded_word(owner)):
                yield ("owners", owner), "goes to an owner whose records go to somebody else; write the user who takes over in the end"
            elif folded_word(user) != folded_word(owner) and users.get(folded_word(user)) == folded_word(owner):
                yield ("owners", owner), "and the owner it goes to take over from each other; write one user for both"

    def groups(self) -> Found:
        """Groups of keys: two keys or more, a key in one group only, and never both same and different."""
        people = self.spec.derive.contacts.from_
        for part in ("same", "different"):
            for name, groups in getattr(self.client_map, part).items():
                if name != people:
                    yield (part, name), f"only records of {people} can be merged{nearest(name, [people])}"
                yield from _group_problems((part, name), groups)
        for name, groups in self.client_map.different.items():
            together = {key.strip(): number for number, group in enumerate(self.client_map.same.get(name, ())) for key in group}
            for number, group in enumerate(groups):
                merged = [together[key.strip()] for key in group if key.strip() in together]
                if len(merged) != len(set(merged)):
                    yield ("different", name, number), "are two of one group under `same`; they cannot be both"

    def kinds(self) -> Found:
        """Kinds of rows that stay behind, and the day that makes a row stale."""
        people = self.spec.derive.contacts.from_
        for name in self.client_map.stale_before:
            if name != people:
                yield ("stale_before", name), f"only {people} can be stale{nearest(name, [people])}"
        for name, kinds in self.client_map.leave_out.items():
            if name != people:
                yield ("leave_out", name), f"only {people} have kinds that can be left out{nearest(name, [people])}"
            for number, kind in enumerate(kinds):
                if kind in ("bounced", "stale") and self.spec.derive.contacts.suppress is None:
                    yield ("leave_out", name, number), f"the route has no rule for what is {kind} (derive.contacts.suppress)"

    def rows(self) -> Found:
        """Single rows that stay behind, and sides taken in conflicts: of exports and phases that the route has."""
        for part in ("left_behind", "left_lines"):
            for name in getattr(self.client_map, part):
                if name not in self.source.objects or name not in self.spec.objects or name in self.spec.schema_exports:
                    yield (part, name), f"the route reads no rows of {name!r} that could stay behind{nearest(name, self.spec.objects)}"
        for name, chunks in self.client_map.left_lines.items():
            for chunk, row in ((chunk, row) for chunk, rows in chunks.items() for row in rows if not WHOLE.fullmatch(row)):
                yield ("left_lines", name, chunk, row), "must be the number of a row"
        for phase in self.client_map.conflicts:
            if phase not in self.spec.phases:
                yield ("conflicts", phase), f"the route has no phase {phase!r}{nearest(phase, self.spec.phases)}"

    def _place(self, path: Path, place: str) -> Found:
        name, dot, heading = place.partition(".")
        if name not in self.source.objects or name not in self.spec.objects:
            yield path, f"the route reads no export {name!r}{nearest(name, self.spec.objects)}"
        elif not dot or not heading.strip():
            yield path, f"must name a column, as {name}.{self.source.objects[name].key}"

    def _column(self, path: Path, place: str) -> Found:
        name, column = self._staged(place)
        if column == self.source.objects[name].key:
            yield path, "identifies the rows; records that are one stand under `same`"
        elif (name, column) in owner_columns(self.spec.derive):
            yield path, "names owners; who takes over from whom stands under `owners`"
        elif (name, column) in identities(self.spec.derive):
            yield path, "tells whose row it is, and is not replaced; correct the cells and give the file back"
        elif self._type(place) in ("date", "datetime"):
            yield path, "holds dates, which are read and not replaced; correct the cells and give the file back"

    def _words(self, path: Path, words: Mapping[str, str | None], kind: str) -> Found:
        seen: dict[str, str | None] = {}
        for word, meaning in words.items():
            folded = folded_word(word)
            if not folded:
                yield (*path, word), "is an empty word; an empty cell stays empty"
            elif seen.setdefault(folded, meaning) != meaning:
                yield (*path, word), "stands here twice (case does not matter) with two meanings; keep one"
            if meaning is not None and (told := _unfit(meaning, kind)):
                yield (*path, word), told

    def _closed(self, path: Path, place: str, words: Mapping[str, str | None]) -> Found:
        """Yield words that become one the map does not know, where the column has a vocabulary of its own."""
        known = self.closed.get(self._staged(place), {})
        for word, meaning in words.items():
            if known and meaning and meaning.strip() and folded_word(meaning) not in known:
                shown = ", ".join(f"`{each}`" for each in list(known.values())[:SHOWN_WORDS])
                more, hint = ", ..." if len(known) > SHOWN_WORDS else "", nearest(meaning, known.values()) or "."
                yield (*path, word), f"becomes a word that the map does not know{hint} One of: {shown}{more}."

    @cached_property
    def closed(self) -> Mapping[tuple[str, str], Mapping[str, str]]:
        """Object and column -> folded -> word, of columns whose words the spec lists all."""
        found = word_columns(self.spec, self.source.objects)
        return {place: column.known for place, column in found.items() if column.known}

    def _staged(self, place: str) -> tuple[str, str]:
        name, _, heading = place.partition(".")
        return name, self.source.staged_column(name, heading)

    def _type(self, place: str) -> str:
        name, column = self._staged(place)
        return self.source.objects[name].columns.get(column, "text")


def owner_columns(derive: DeriveSpec) -> set[tuple[str, str]]:
    """Return the columns, as (object, column), that name an owner."""
    parts = (derive.contacts, derive.deals, derive.bookings)
    named = {(name, column) for name, _, column in (place.partition(".") for place in derive.owners.from_)}
    return {*named, *((part.from_, part.owner) for part in parts if part is not None)}


def identities(derive: DeriveSpec) -> set[tuple[str, str]]:
    """Return the columns, as (object, column), that tell records apart or whose they are: keys, links to them and e-mail addresses."""
    found = {(derive.contacts.from_, column) for column in (derive.contacts.key, derive.contacts.email)}
    if derive.purchases:
        paid, listed = derive.purchases.columns, derive.purchases.subscription_columns
        links = (paid.id, paid.contact, paid.email, paid.subscription, paid.processor_transaction)
        found |= {(derive.purchases.payments, column) for column in links}
        found |= {(derive.purchases.subscriptions, column) for column in (listed.id, listed.contact, listed.email)}
    if derive.bookings:
        found |= {(derive.bookings.from_, column) for column in (derive.bookings.key, derive.bookings.email)}
    for part in (derive.deals, derive.partners):
        if part:
            found |= {(part.from_, column) for column in (part.key, part.contact, part.email)}
    return found


def _group_problems(path: Path, groups: tuple[tuple[str, ...], ...]) -> Found:
    seen: dict[str, int] = {}
    for number, group in enumerate(groups):
        keys = [key.strip() for key in group]
        if len(keys) < 2:
            yield (*path, number), "needs two keys or more"
        for place, key in enumerate(keys):
            if not key:
                yield (*path, number, place), "is empty; write the key of a record"
            elif path[0] == "same" and seen.setdefault(key, number) != number:
                yield (*path, number, place), f"is in group {seen[key] + 1}, too; put both groups together, or take it out of one"
        if len(set(keys)) < len(keys):
            yield (*path, number), "names a key twice"


def _unfit(meaning: str, kind: str) -> str:
    """Return what is wrong with a word that a column of this type is given."""
    word = meaning.strip().lower()
    if kind == "boolean" and word not in (*YES, *NO):
        return "must become yes or no: the column holds nothing else"
    if kind == "integer" and not WHOLE.fullmatch(word):
        return "must become a whole number: the column holds nothing else"
    if kind == "decimal" and not DECIMAL.fullmatch(word):
        return "must become a number as 1234.50: the column holds nothing else"
    return "" if word else "becomes an empty word; only tags can be left out (null)"

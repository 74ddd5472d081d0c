"""Companies and the contacts that are made under them: a company without an address keeps none.

Belongs here: which contacts are made archived, and that no two batches make contacts of one company at once. Not here: making them
(loading), un-archiving them (finishing), changes to people (changing).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crm_pipelines.destinations.odoo.api import Api
from crm_pipelines.destinations.odoo.finishing import ADDRESS
from crm_pipelines.destinations.odoo.loading import Line
from crm_pipelines.destinations.odoo.models import PEOPLE


@dataclass
class Families:
    """What a connection knows of companies and their contacts."""

    with_contacts: set[int] = field(default_factory=set)
    """Companies that have an active contact."""
    in_work: set[int] = field(default_factory=set)
    """Companies whose contacts are being made right now."""
    waiting: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def kept(self, api: Api, lines: Sequence[Line]) -> AsyncIterator[Sequence[Line]]:
        """Keep companies without an address from receiving the one of their first contact.

        `_handle_first_contact_creation` (res_partner.py) gives it to a company that has exactly one active contact after a load. So
        the contacts of a company without any are made archived, and un-archived when all of them are there; no other batch makes
        contacts of the same company meanwhile.
        """
        companies = {line.columns["parent_id"] for line in lines if line.columns.get("parent_id")}
        async with self.waiting:
            await self.waiting.wait_for(lambda: not companies & self.in_work)
            self.in_work |= companies
        try:
            careful = await self._without_contacts(api, {line.columns["parent_id"] for line in lines if _hands_address(line)})
            yield [_archived(line) if line.columns.get("parent_id") in careful else line for line in lines]
        finally:
            async with self.waiting:
                self.in_work -= companies
                self.waiting.notify_all()

    def settled(self, lines: Iterable[Line]) -> None:
        """Remember the companies of contacts that are made and active."""
        self.with_contacts |= {line.columns["parent_id"] for line in lines if line.columns.get("parent_id")}

    async def _without_contacts(self, api: Api, companies: set[int]) -> set[int]:
        """Return the companies that have no active contact yet."""
        asked = sorted(companies - self.with_contacts)
        if asked:
            found = await api.search_read("list.people", PEOPLE.name, [["parent_id", "in", asked]], ["parent_id"])
            self.with_contacts |= {row["parent_id"][0] if isinstance(row["parent_id"], list) else row["parent_id"] for row in found}
        return companies - self.with_contacts


def _hands_address(line: Line) -> bool:
    return bool(line.columns.get("parent_id")) and any(line.columns.get(name) for name in ADDRESS)


def _archived(line: Line) -> Line:
    return Line(line.attempt_id, line.key, {**line.columns, "active": False})

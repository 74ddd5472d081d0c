"""Give records that were there before us our external ids, so that they are found as ours from then on.

Belongs here: rows of `ir.model.data`. Not here: records that we create (loading gives those their ids).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crm_pipelines.destinations.odoo import listing
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.keys import name_of
from crm_pipelines.destinations.odoo.models import READ_ROWS, Model

TAKEN = "external_id_taken"


class Binder:
    """Binds source keys to records of one phase."""

    def __init__(self, api: Api, model: Model, prefix: str) -> None:
        self._api = api
        self._model = model
        self._prefix = prefix

    async def bind(self, wanted: Mapping[int, tuple[str, int]], former: Mapping[str, Sequence[str]] | None = None) -> dict[int, str]:
        """Bind attempt id -> (key, record id); what is bound so already stays.

        A record that still goes by one of the `former` keys of its key loses that one: a later record of that key is not this one.

        Shape: attempt id -> reason, of those alone whose key names another record.
        """
        if not wanted:
            return {}
        known = await listing.ids_by_key(self._api, self._prefix, self._model, [key for key, _ in wanted.values()])
        failed = {attempt: TAKEN for attempt, (key, number) in wanted.items() if known.get(key, number) != number}
        rows = [
            {"module": self._prefix, "name": name_of(self._model.phase, key), "model": self._model.name, "res_id": number}
            for key, number in wanted.values()
            if key not in known
        ]
        asked = {key: number for key, number in wanted.values() if key in (former or {}) and known.get(key, number) == number}
        if rows:
            reply = await self._api.ask(f"{self._model.phase}.bind", "ir.model.data", "create", vals_list=rows, writes=True)
            if reply.fault is not None:
                raise error_of(f"{self._model.phase}.bind", reply.fault)
        await self._release(asked, former or {})
        return failed

    async def _release(self, numbers: Mapping[str, int], former: Mapping[str, Sequence[str]]) -> None:
        """Take the former keys off records; the new one is there already, so that no record is without a key for a moment."""
        names = {name_of(self._model.phase, was): number for key, number in numbers.items() for was in former[key]}
        if not names:
            return
        domain = [["module", "=", self._prefix], ["model", "=", self._model.name], ["name", "in", sorted(names)]]
        found = await self._api.search_read(f"list.{self._model.phase}", "ir.model.data", domain, ["name", "res_id"], page=READ_ROWS)
        ids = [row["id"] for row in found if int(row["res_id"]) == names[row["name"]]]
        if ids:
            reply = await self._api.ask(f"{self._model.phase}.bind", "ir.model.data", "unlink", ids=ids, writes=True)
            if reply.fault is not None:
                raise error_of(f"{self._model.phase}.bind", reply.fault)

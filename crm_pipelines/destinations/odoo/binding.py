"""Give records that were there before us our external ids, so that they are found as ours from then on.

Belongs here: rows of `ir.model.data`. Not here: records that we create (loading gives those their ids).
"""

from __future__ import annotations

from collections.abc import Mapping

from crm_pipelines.destinations.odoo import listing
from crm_pipelines.destinations.odoo.api import Api, error_of
from crm_pipelines.destinations.odoo.keys import name_of
from crm_pipelines.destinations.odoo.models import Model

TAKEN = "external_id_taken"


class Binder:
    """Binds source keys to records of one phase."""

    def __init__(self, api: Api, model: Model, prefix: str) -> None:
        self._api = api
        self._model = model
        self._prefix = prefix

    async def bind(self, wanted: Mapping[int, tuple[str, int]]) -> dict[int, str]:
        """Bind attempt id -> (key, record id); what is bound so already stays.

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
        if rows:
            reply = await self._api.ask(f"{self._model.phase}.bind", "ir.model.data", "create", vals_list=rows, writes=True)
            if reply.fault is not None:
                raise error_of(f"{self._model.phase}.bind", reply.fault)
        return failed

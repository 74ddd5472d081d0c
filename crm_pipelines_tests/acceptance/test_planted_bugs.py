"""The comparison with the truth is worth something only if it turns red when the product is wrong: a dozen bugs, one at a time.

Each bug is a plausible mistake in one function of the product, put in its place while a migration of 120 contacts runs in this process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_pipelines.destinations.http import HttpClient
from crm_pipelines.destinations.pipedrive import shape
from crm_pipelines_tests.lib.planted import SHARED, Bug, Patch
from crm_pipelines_tests.lib.rig import Rig


def doubled_note(patch: Patch) -> None:
    """A create that was answered is sent again."""
    right = HttpClient.send

    async def send(self: HttpClient, call: Any) -> Any:
        if call.operation.startswith("notes.create"):
            await right(self, call)
        return await right(self, call)

    patch.setattr(HttpClient, "send", send)


def cents_lost(patch: Patch) -> None:
    """Amounts are cut to whole numbers."""
    patch.setattr(shape, "number_of", lambda value: int(float(value)))


BUGS: tuple[Bug, ...] = (*SHARED, doubled_note, cents_lost)


def test_without_a_bug_the_comparison_is_green(rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"chunks": 2})
    one.walk_here(monkeypatch)
    found = one.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in one.truth["records"].values())


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_turns_the_comparison_red(bug: Bug, rig: Callable[..., Rig], monkeypatch: Patch) -> None:
    one = rig(contacts=120, sample={"chunks": 2})
    bug(monkeypatch)
    one.walk_here(monkeypatch)
    assert one.compare().differences, f"the comparison did not notice {bug.__name__}"

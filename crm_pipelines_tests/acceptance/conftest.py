"""Rigs that are stopped when their test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_pipelines_tests.lib.rig import Rig, build


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Build migrations in the test's folder; their sandboxes end with the test."""
    made: list[Rig] = []

    def make(**options: object) -> Rig:
        made.append(build(tmp_path / f"rig{len(made)}", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.sandbox.stop()

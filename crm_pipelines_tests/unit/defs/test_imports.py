"""What a command loads: a look at the account does not wait for libraries that only workbooks, twins and proposals need."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("openpyxl", "scipy", "duckdb")
LOADED = "import sys, {module}; print(*(name for name in {heavy} if name in sys.modules))"


@pytest.mark.parametrize(
    "module", ["crm_pipelines.cli", "crm_pipelines.cli_map", "crm_pipelines.defs.commands", "crm_pipelines.defs.account"]
)
def test_a_command_loads_heavy_libraries_only_when_it_needs_them(module: str) -> None:
    told = subprocess.run([sys.executable, "-c", LOADED.format(module=module, heavy=HEAVY)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []

"""Several ledgers open at once: in one process, and beside another process that comes and goes.

Closing any descriptor of the database file drops every lock this process holds on it (POSIX); the next process that leaves would
then take itself for the last one, and delete the write-ahead log under our feet. Source: sqlite.org/howtocorrupt.html, 2.2.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from crm_pipelines.ledger import Ledger

BESIDE = """
import sys
from crm_pipelines.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    ledger.open_pass('beside', 'a:b', '1')
"""


def test_a_process_that_comes_and_goes_leaves_our_log_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    with Ledger.open(url) as first:
        first.open_pass("acme", "a:b", "1")
        with Ledger.open(url) as second:
            subprocess.run([sys.executable, "-c", BESIDE, url], check=True, timeout=60)
            assert (tmp_path / "ledger.sqlite-wal").exists(), "the log is still in use"
            first.open_pass("other", "a:b", "1")
            assert second.current_pass("other") is not None
    with Ledger.open(url) as again:
        assert {name for name in ("acme", "beside", "other") if again.current_pass(name)} == {"acme", "beside", "other"}

"""The state file: one appended line per request, so that whatever was answered survives a killed process.

Belongs here: bytes on disk. Not here: what the lines mean (store, account).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson


class Journal:
    """An append-only file of JSON lines, mode 0600; a torn last line is cut off when it is opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._cut_torn_tail()

    def lines(self) -> Iterator[Any]:
        """Every line so far, oldest first."""
        with self._path.open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    def append(self, line: bytes) -> None:
        """Write one line with a single system call; the kernel keeps it when this process is killed."""
        os.write(self._file, line)

    def clear(self) -> None:
        """Forget everything."""
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    def _cut_torn_tail(self) -> None:
        data = self._path.read_bytes()
        if data and not data.endswith(b"\n"):
            os.ftruncate(self._file, data.rfind(b"\n") + 1)

"""What a workbook said when it was last taken over, so that its next word is held against that and not against its first.

Belongs here: one small file per workbook in the engagement's work folder. Not here: what a workbook remembers of its making
(workbook_material), laying its words over those of others (workbook_merge).
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from crm_pipelines.phases.files import write_bytes
from crm_pipelines.spec.client_map import ClientMap

FOLDER = "workbooks"
_ID = re.compile(r"[0-9a-f]{32}")


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: dict[str, str]
    client: ClientMap


def remember(work: Path, workbook: str, answers: dict[str, str], client: ClientMap) -> None:
    """Keep what a workbook said; one that was given out without an id of its own is not kept."""
    if _ID.fullmatch(workbook):
        write_bytes(_place(work, workbook), _Taken(answers=answers, client=client).model_dump_json(exclude_defaults=True).encode())


def recalled(work: Path, workbook: str) -> tuple[dict[str, str], ClientMap] | None:
    """Return what a workbook said when it was last taken over; None when it never was."""
    if not _ID.fullmatch(workbook) or not _place(work, workbook).is_file():
        return None
    try:
        taken = _Taken.model_validate_json(_place(work, workbook).read_bytes())
    except ValueError:  # of another version: then the workbook is held against what it was given out with, which is stricter
        return None
    return taken.answers, taken.client


def _place(work: Path, workbook: str) -> Path:
    return work / FOLDER / f"{workbook}.json"

"""Laying what a workbook says over what is decided now, which others may have changed since it was given out.

Belongs here: three states of every decision (before, in the workbook, now) and their outcome. Not here: rows (workbook_answers), what
the workbook said before (workbook_memory).

Before is when the workbook was last taken over, or when it was given out. What it leaves as it was before stays as it is now. What it
changes is taken over, unless it was changed elsewhere, too, and differently: then somebody has to say which of the two is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_pipelines.phases.twin_groups import Groups, Verdict, apply_verdicts, verdict_in
from crm_pipelines.reports.sheets import CellProblem
from crm_pipelines.reports.workbook_answers import LEFT_OUT, Path, Said
from crm_pipelines.reports.workbook_layout import DUPLICATES
from crm_pipelines.spec.client_map import ClientMap

Answers = Mapping[str, str]

_MEANWHILE = (
    "what was decided meanwhile, or no change",
    "another choice",
    "run crm propose and answer in the new file, or write what decisions.yaml says by now into this cell",
)


def decided(answers: Answers, client: ClientMap, path: Path) -> Any:
    """Return what is decided at a path, in the shape in which rows say it; None when nothing is."""
    kind, *keys = path
    if kind == "answers":
        return answers.get(keys[0])
    if kind == "owners":
        return client.owners.get(keys[0])
    if kind == "leave_out":
        return LEFT_OUT if keys[1] in client.leave_out.get(keys[0], ()) else None
    if kind == "tags":
        tags = client.tags.get(keys[0], {})
        return None if keys[1] not in tags else (LEFT_OUT,) if tags[keys[1]] is None else ("as", tags[keys[1]])
    parts: Mapping[str, Mapping[str, Any]] = client.columns if kind == "columns" else client.values
    return parts.get(keys[0], {}).get(keys[1])


class Merge:
    """What is decided now, with the changes of a workbook laid over it."""

    def __init__(self, answers: Answers, client: ClientMap, problems: list[CellProblem]) -> None:
        self.answers = dict(answers)
        self._client, self._problems = client, problems
        self._parts: dict[str, dict[str, Any]] = {name: dict(getattr(client, name)) for name in ClientMap.model_fields}
        self._parts |= {name: {key: dict(part) for key, part in getattr(client, name).items()} for name in ("columns", "values", "tags")}

    @property
    def client(self) -> ClientMap:
        """The client map as it is after the changes."""
        return ClientMap.model_validate(self._parts)

    def take(self, said: Sequence[Said], answers: Answers, client: ClientMap) -> None:
        """Take over what rows say and did not say before, which was `answers` and `client`."""
        for one in said:
            then, now = decided(answers, client, one.path), decided(self.answers, self._client, one.path)
            if one.value in (then, now) or (one.is_tick and now not in (None, then)):
                continue
            if now != then:
                self._problems.append(CellProblem(one.sheet, one.place, *_MEANWHILE))
            else:
                self._set(one.path, one.value)

    def _set(self, path: Path, value: Any) -> None:
        kind, *keys = path
        if kind == "leave_out":
            kept = tuple(each for each in self._parts[kind].get(keys[0], ()) if each != keys[1])
            _put(self._parts[kind], keys[0], (*kept, keys[1]) if value else kept)
        elif kind in ("answers", "owners"):
            _put(self.answers if kind == "answers" else self._parts[kind], keys[0], value)
        else:
            part = self._parts[kind].setdefault(keys[0], {})
            if kind == "tags" and value is not None:
                part[keys[1]] = None if value == (LEFT_OUT,) else value[1]
            else:
                _put(part, keys[1], value)
            _put(self._parts[kind], keys[0], part)

    def judge(self, verdicts: Sequence[Verdict], client: ClientMap, alone: ClientMap | None = None) -> None:
        """Take over verdicts on pairs that differ from those before, which made the groups of `client`.

        Where nobody else changed the groups since, they become those of `alone`: what the workbook makes of what it was given out with.
        """
        for name in dict.fromkeys(each.object for each in verdicts):
            if alone is not None and all(self._groups(kind, name) == getattr(client, kind).get(name, ()) for kind in ("same", "different")):
                _put(self._parts["same"], name, alone.same.get(name, ()))
                _put(self._parts["different"], name, alone.different.get(name, ()))
                continue
            changed = [each for each in verdicts if each.object == name and self._is_change(each, client)]
            if changed:
                same, different = self._groups("same", name), self._groups("different", name)
                same, different, wrong = apply_verdicts(same, different, changed)
                _put(self._parts["same"], name, same)
                _put(self._parts["different"], name, different)
                for each in wrong:
                    todo = "compare the rows of these records and change one of them"
                    self._problems.append(CellProblem(DUPLICATES, each.place, each.expected, "a contradiction", todo))

    def _is_change(self, each: Verdict, client: ClientMap) -> bool:
        """Whether a verdict is to be taken over; one that contradicts what was decided meanwhile is a problem."""
        then, now = _verdict(client, each), _verdict(self._client, each)
        if each.word in (then, now):
            return False
        if now != then:
            self._problems.append(CellProblem(DUPLICATES, each.place, *_MEANWHILE))
        return now == then

    def _groups(self, kind: str, name: str) -> Groups:
        groups: Groups = self._parts[kind].get(name, ())
        return groups


def _verdict(client: ClientMap, each: Verdict) -> str:
    return verdict_in(client.same.get(each.object, ()), client.different.get(each.object, ()), each.first, each.second)


def _put(part: dict[str, Any], key: str, value: Any) -> None:
    """Set a key, or take it away when there is nothing to hold."""
    if value is None or value in ((), {}):
        part.pop(key, None)
    else:
        part[key] = value

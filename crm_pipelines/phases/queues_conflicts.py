"""Fields on which an export and the people in the destination disagree: what is asked, what was answered, and the answer carried out.

Belongs here: questions with both values, whether an answer is about them, what an answer sends. Not here: finding them (phases.update),
sheets (reports.queues), judging what came back (queues_answers).

An answer stands for what was asked: another value of the export asks again, and `ours` writes over nothing that nobody saw. What was asked
is kept in the work folder, because the ledger holds no values of the destination.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.files import write_bytes
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.three_way import CUSTOM
from crm_pipelines.spec.client_map import ConflictAnswer, Side

CONFLICT = "conflict"
EDITED, LEFT = "edited_in_destination", "merged_data_left"
BOTH: tuple[Side, ...] = ("ours", "theirs")
Answered = Mapping[str, ConflictAnswer]


@dataclass(frozen=True)
class Question:
    """One field of one record."""

    field: str
    """Its name; `custom.` in front of a custom field."""
    kind: str
    """Why it is asked: EDITED, or LEFT over from somebody who was merged in and is another again."""
    export: Any
    """What the export says; what was written of the other person, where that is left."""
    there: Any
    sends: Any
    """What `ours` sends; None empties the field."""
    sides: tuple[Side, ...] = BOTH
    """What can be answered: the destination may be unable to take a value off."""
    asked: str = ""
    over: str = ""
    """Digests of `export` and `there`."""

    @property
    def name(self) -> str:
        """The field as people know it."""
        return self.field.removeprefix(f"{CUSTOM}.")

    @property
    def stamp(self) -> str:
        """What tells in a file which two values were shown."""
        return f"{self.asked} {self.over}"

    def answer(self, answers: Answered) -> Side | None:
        """Return the side that counts; None while nobody said so of these values."""
        given = answers.get(self.field)
        if given is None or given.export != self.asked or given.take not in self.sides:
            return None
        return given.take if given.take == "theirs" or given.there == self.over else None

    def taken(self, side: Side) -> ConflictAnswer:
        """Return the answer as it is kept."""
        return ConflictAnswer(take=side, export=self.asked, there=self.over if side == "ours" else None)


@dataclass(frozen=True)
class ConflictLine:
    """One question of one record, as it stands in the queue."""

    phase: str
    key: str
    destination_id: str
    question: Question


def sealed(ledger: Ledger, phase: str, key: str, question: Question) -> Question:
    """Return the question with the digests by which an answer is held to it; they are this ledger's own, for values can be guessed."""
    place = f"{phase} {key} {question.field} {question.kind}"
    return replace(
        question, asked=ledger.digest(f"{place} {_json(question.export)}"), over=ledger.digest(f"{place} {_json(question.there)}")
    )


def answers_of(project: Project, phase: str, key: str) -> Answered:
    """Return what was answered of a record, by field."""
    return project.client_map.conflicts.get(phase, {}).get(key, {})


def carry_out(questions: Iterable[Question], answers: Answered, fields: dict[str, Any]) -> list[Question]:
    """Put what `ours` sends into the fields of an update; return the questions that nobody answered."""
    still_asked = []
    for question in questions:
        side = question.answer(answers)
        if side is None:
            still_asked.append(question)
        elif side == "ours" and question.field.startswith(f"{CUSTOM}."):
            fields[CUSTOM] = {**fields.get(CUSTOM, {}), question.name: question.sends}
        elif side == "ours":
            fields[question.field] = question.sends
    return still_asked


def settled(project: Project, phase: str) -> dict[str, list[Question]]:
    """Return the questions of records of which everything is answered; the next load carries that out."""
    if not project.client_map.conflicts.get(phase):
        return {}
    found = {key: questions for key, (_, questions) in asked_of(project, phase).items()}
    return {key: questions for key, questions in found.items() if all(each.answer(answers_of(project, phase, key)) for each in questions)}


def sends(fields: Mapping[str, Any], questions: Collection[Question], answers: Answered) -> bool:
    """Whether an update sends something, once what was answered is carried out; `fields` as if nobody had changed anything there."""
    spared = {each.field for each in questions if each.answer(answers) == "theirs"}
    named = {name for name in fields if name != CUSTOM} | {f"{CUSTOM}.{name}" for name in fields.get(CUSTOM, {})}
    return bool(named - spared) or any(each.answer(answers) == "ours" for each in questions)


def reason_of(questions: Collection[Question]) -> str:
    """Return the reason code of a record with these open questions, with the fields; what somebody edited comes first."""
    kind = EDITED if any(each.kind == EDITED for each in questions) else LEFT
    return f"{kind}: " + ", ".join(sorted(each.name for each in questions if each.kind == kind))


def remember(project: Project, phase: str, looked_at: Iterable[str], found: Mapping[str, tuple[str, Collection[Question]]]) -> None:
    """Keep what is asked of the records that were looked at: key -> number in the destination, open questions."""
    before = _read(project, phase)
    kept = {key: told for key, told in before.items() if key not in set(looked_at)}
    kept |= {key: {"number": number, "questions": [_plain(each) for each in asked]} for key, (number, asked) in found.items()}
    if kept != before:
        write_bytes(_path(project, phase), orjson.dumps(kept, option=orjson.OPT_SORT_KEYS))


def asked_of(project: Project, phase: str) -> dict[str, tuple[str, list[Question]]]:
    """Return key -> number in the destination and what was asked when the record was looked at last."""
    return {key: (told["number"], [_question(each) for each in told["questions"]]) for key, told in _read(project, phase).items()}


def conflict_lines(project: Project, records: pl.DataFrame) -> tuple[ConflictLine, ...]:
    """Return every question that is still open, of records that wait for themselves (`records`: queues_blocked.waiting_records)."""
    own = records.filter(
        (pl.col("root_queue") == CONFLICT) & (pl.col("phase") == pl.col("root_phase")) & (pl.col("key") == pl.col("root_key"))
    )
    found = []
    for (phase,), rows in own.partition_by("phase", as_dict=True, maintain_order=True).items():
        asked = asked_of(project, str(phase))
        for key in (key for key in rows.get_column("key") if key in asked):
            number, questions = asked[key]
            given = answers_of(project, str(phase), key)
            found += [ConflictLine(str(phase), key, number, each) for each in questions if each.answer(given) is None]
    return tuple(found)


def shown(value: Any) -> str:
    """Return a value as a person reads it in a cell."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list | tuple):
        return "; ".join(shown(each) for each in value)
    return _json(value)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _plain(question: Question) -> dict[str, Any]:
    return {name: getattr(question, name) for name in Question.__dataclass_fields__}


def _question(told: Mapping[str, Any]) -> Question:
    return Question(**{**told, "sides": tuple(told["sides"])})


def _read(project: Project, phase: str) -> dict[str, Any]:
    path = _path(project, phase)
    found: dict[str, Any] = orjson.loads(path.read_bytes()) if path.exists() else {}
    return found


def _path(project: Project, phase: str) -> Path:
    return project.engagement.work / "seen" / f"{phase}.conflicts.json"

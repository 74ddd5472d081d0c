"""Queues: what waits, as files; what people answered, as the next intake. Returns plain values.

Belongs here: the order in which answers are judged, taken and confirmed. Not here: judging (phases.queues_answers), files
(reports.queues), arguments (cli_map).

All or nothing: while one answer of one file does not fit, nothing is changed. Nothing is sent here either; the next run sends what
the answers set free.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from crm_pipelines.defs.intake import take_corrections
from crm_pipelines.discovery.duplicates import likely_duplicates
from crm_pipelines.errors import Problem, SettingsError, SpecError
from crm_pipelines.ledger import Ledger
from crm_pipelines.observe import failpoint
from crm_pipelines.phases.client import require_unedited, write_client
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.queues import CONFLICT, DIFFERENT, DUPLICATE, OWNER, Tables, export_headings, read_tables
from crm_pipelines.phases.queues_answers import (
    ANSWER,
    ASKED,
    CHUNK,
    ENGAGEMENT,
    FIELD,
    KEY,
    KEY_A,
    KEY_B,
    LEAVE,
    OBJECT,
    PHASE,
    QUEUE,
    ROW,
    TAKE,
    USER,
    Answers,
    Returned,
    judge,
)
from crm_pipelines.phases.queues_answers import OWNER as OWNER_COLUMN
from crm_pipelines.phases.queues_correct import Correction, corrections
from crm_pipelines.phases.queues_map import wanted_map
from crm_pipelines.phases.queues_pairs import PairLine, side_by_side, survivors, with_survivors
from crm_pipelines.phases.queues_sales import payment_keys
from crm_pipelines.phases.queues_seal import Renewal, owners_behind, renew_seal, require_unchanged
from crm_pipelines.phases.queues_taking import TAKEN, as_sealed, finish_taking, note_taking
from crm_pipelines.phases.resolve import read_resolved
from crm_pipelines.phases.session import Session, open_session
from crm_pipelines.reports.queues import forget_files, read_answers, write_queues
from crm_pipelines.reports.reasons import next_step, sentence
from crm_pipelines.settings import home, load_engagement
from crm_pipelines.spec.client_map import ClientMap


@dataclass(frozen=True)
class Given:
    """What came back: files, and answers on the command line."""

    files: Sequence[Path] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    same: Sequence[tuple[str, str]] = ()
    different: Sequence[tuple[str, str]] = ()
    ours: Sequence[tuple[str, str]] = ()
    theirs: Sequence[tuple[str, str]] = ()
    """Phase and key of records in conflict: which side counts in all fields that are asked about."""
    leave_behind: Mapping[str, str] = field(default_factory=dict)
    """Source key of a row that waits -> why it does not move."""
    object: str | None = None
    """The export that the keys of `same`, `different` and `leave_behind` are of."""


def write_queue_files(project: Project, ledger: Ledger) -> dict[str, list[Path]]:
    """Write the files of every queue as things stand; return where they lie."""
    return write_queues(tables_of(project, ledger), project.engagement.queues, _memory(project))


def tables_of(project: Project, ledger: Ledger) -> Tables:
    """Return everything that waits for a person, likely twins among it."""
    return read_tables(
        project, ledger, side_by_side(project, [(one.object, *one.keys, one.score, one.why) for one in likely_duplicates(project)])
    )


def list_queues(project: Project, name: str | None) -> dict[str, Any]:
    """Return what waits: per queue and reason the rows, records and money, where the files lie, and the rows; holds source keys."""
    project.require_mapped()
    with Ledger.open(home().ledger_url) as ledger:
        tables = tables_of(project, ledger)
        paths = write_queues(tables, project.engagement.queues, _memory(project), is_look=True)
    summary = [each for each in tables.summary if name in (None, each.queue)]
    rows = [
        {"object": r.object, "file": r.file, "row": r.row, "key": r.key, "queue": r.queue, "reason": r.reason}
        for r in tables.rows
        if name in (None, r.queue)
    ]
    return {
        "engagement": tables.engagement,
        "queues": [{**asdict(s), "why": sentence(s.reason), "what_to_do": next_step(s.reason)} for s in summary],
        "rows": rows,
        "owners": [asdict(each) for each in tables.owners] if name in (None, OWNER) else [],
        "files": {queue: [str(path) for path in own] for queue, own in paths.items() if name in (None, queue)},
    }


def resolve_queues(project: Project, given: Given, by: str) -> dict[str, Any]:
    """Take what people answered, all of it or nothing, and renew the seal for exactly that; the next run sends what it sets free.

    Answers that were being taken when the process died are finished first; with no answers given, those alone.

    Raises: SpecError with every answer that does not fit; NotConfirmedError when the map changed beside the answers; SettingsError when
    somebody changed the decisions meanwhile.
    """
    from crm_pipelines.defs.commands import walk_to_map

    walk_to_map(project)
    with open_session(project, "resolve queues", opens_pass=False) as session:
        finished = finish_taking(session, by)
        if finished is None and given == Given():
            raise SettingsError(
                "no answers are given, and none were left half taken; name a queue file, or answer with --owner, --same, --ours"
            )
        tables = _asked(project, tables_of(project, session.ledger), given)
        answers = _judged(session, tables, given)
        client_map, found = wanted_map(project.client_map, answers), corrections(project, [fix for fix, _ in answers.fixes])
        _raise_problems([*answers.problems, *_correction_problems(project, tables, answers, found)])
        owners = {*answers.owners, *answers.invited, *owners_behind(project, answers.left_behind)}
        seal = require_unchanged(session, owners)
        if answers.is_empty:
            return _told(answers, finished or Renewal(None), {}, found)
        require_unedited(project.engagement, project.client)
        note_taking(session, client_map, owners, seal, by, taken=answers.counts(), files=[path.name for path in given.files])
        failpoint("queue.noted")
        fresh = _take(project, client_map, found, by)
        walk_to_map(fresh)
        with open_session(fresh, "resolve queues", opens_pass=False) as now:
            renewal = renew_seal(now, seal, as_sealed(client_map), owners, by) if seal else Renewal(None)
            failpoint("queue.sealed")
            told = _told(answers, renewal, _written(given, fresh, now.ledger), found)
            detail = {name: told[name] for name in ("taken", "seal_no", "chunks", "to_confirm")}
            now.ledger.add_audit(now.engagement, by, TAKEN, {**detail, "files": [path.name for path in given.files]})
    return told


def _asked(project: Project, tables: Tables, given: Given) -> Tables:
    """Return the tables with the pairs that the command line names: those need not have been found alike. Raises: SettingsError."""
    pairs = [*given.same, *given.different]
    if not pairs:
        return tables
    name = given.object
    if name is None or name not in project.objects:
        raise SettingsError(f"say which export the records are of: --object, one of {', '.join(project.objects)}")
    known = set(read_resolved(project.resolved_folder, f"fates/{name}").get_column("key").drop_nulls())
    for pair in pairs:
        if missing := [place for place, key in zip(("first", "second"), pair, strict=True) if key not in known]:
            raise SettingsError(f"the {' and '.join(missing)} key of a pair is no record of {name}; look them up in the export")
        if pair[0] == pair[1]:
            raise SettingsError("a pair names the same record twice")
    return replace(tables, pairs=(*tables.pairs, *(PairLine(name, *pair, 1.0, "named by a person") for pair in pairs)))


def _judged(session: Session, tables: Tables, given: Given) -> Answers:
    """Read all files and judge every answer. Raises: SheetError of the first file that is no queue file."""
    headings = export_headings(session.project)
    rows = [row for path in given.files for row in read_answers(path, headings, tables)]
    rows += _short_forms(tables, given)
    users = session.described().users if any(row.text(QUEUE) == OWNER for row in rows) else ()
    answers = judge(tables, rows, users, payment_keys(session.project))
    answers.problems += _merged_already(session.project, rows)
    answers.same = {name: _surviving(session, name, pairs) for name, pairs in answers.same.items()}
    absent = [owner for owner in answers.invited if owner.casefold() not in {user.casefold() for user in users}]
    answers.problems += [
        row.problem(USER, "the destination has no active user with the owner's address yet; invite that person first")
        for row in rows
        if row.text(OWNER_COLUMN).casefold() in absent
    ]
    return answers


def _surviving(session: Session, name: str, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return pairs by the records that their keys are part of; one that arrived in the destination survives one that did not."""
    arrived = session.ledger.ids(session.account, session.engagement, session.project.spec.derive.contacts.phase)
    return with_survivors(pairs, survivors(session.project, name), arrived)


def _merged_already(project: Project, rows: Iterable[Returned]) -> list[Problem]:
    """Return the answers that tell two rows apart which have one address: they are one, whatever is answered."""
    told = "both rows have the same e-mail address, so they are one record; correct the address of one of them instead"
    apart = [row for row in rows if row.text(QUEUE) == DUPLICATE and row.text(ANSWER).casefold() == DIFFERENT]
    found = []
    for name in {row.text(OBJECT) for row in apart} & set(project.objects):
        into, same = survivors(project, name), project.client_map.same.get(name, ())
        for row in (row for row in apart if row.text(OBJECT) == name):
            first, second = row.text(KEY_A), row.text(KEY_B)
            is_decided = any({first, second} <= set(group) for group in same)
            if into.get(first, first) == into.get(second, second) and not is_decided:
                found.append(row.problem(ANSWER, told))
    return found


def _short_forms(tables: Tables, given: Given) -> list[Returned]:
    own = {ENGAGEMENT: tables.engagement}
    rows = [{**own, QUEUE: OWNER, OWNER_COLUMN: owner, USER: user} for owner, user in given.owners.items()]
    for answer, pairs in (("same", given.same), ("different", given.different)):
        rows += [{**own, QUEUE: DUPLICATE, OBJECT: str(given.object), KEY_A: a, KEY_B: b, ANSWER: answer} for a, b in pairs]
    for side, records in (("ours", given.ours), ("theirs", given.theirs)):
        for phase, key in records:
            rows += [{**own, **asked, TAKE: side} for asked in _asked_fields(tables, phase, key)]
    rows += [{**own, **_waiting_row(tables, given.object, key), LEAVE: why} for key, why in given.leave_behind.items()]
    return [Returned("command line", "", place, row) for place, row in enumerate(rows, 1)]


def _waiting_row(tables: Tables, name: str | None, key: str) -> dict[str, str]:
    """Return the cells that name a row that waits. Raises: SettingsError when there is none."""
    line = next((line for line in tables.rows if (line.object, line.key) == (name, key)), None)
    if line is None:
        raise SettingsError(
            "no row with that key waits in that export; say which export with --object, and look the key up in `crm queue list`"
        )
    return {QUEUE: line.queue, OBJECT: line.object, CHUNK: line.chunk, ROW: str(line.row), KEY: key}


def _asked_fields(tables: Tables, phase: str, key: str) -> list[dict[str, str]]:
    """Return the cells that name what is asked of a record. Raises: SettingsError when nothing is."""
    found = [line for line in tables.conflicts if (line.phase, line.key) == (phase, key)]
    if not found:
        phases = ", ".join(dict.fromkeys(line.phase for line in tables.conflicts)) or "none now"
        raise SettingsError(f"no field of that record of {phase} is in conflict; kinds of records with conflicts: {phases}")
    return [{QUEUE: CONFLICT, PHASE: phase, KEY: key, FIELD: line.question.field, ASKED: line.question.stamp} for line in found]


def _correction_problems(project: Project, tables: Tables, answers: Answers, found: Sequence[Correction]) -> list[Problem]:
    """Return what is still wrong with rows that came back, by the cell that a person changed."""
    lines = {(line.chunk, line.row): line for line in tables.rows}
    returned: dict[tuple[str, int], list[Returned]] = {}
    for fix, row in answers.fixes:
        returned.setdefault((fix.chunk, fix.row), []).append(row)
    out = []
    for one in found:
        rows = [(lines[chunk, row], returned[chunk, row].pop(0)) for chunk, row, _ in one.chunk.corrects]
        out += [rows[bad.row - 1][1].problem("row", f"the row still cannot be read: {bad.sentence}") for bad in one.staged.bad_lines]
        headings = {heading.column: heading.raw for heading in one.staged.headings}
        for error in one.staged.cell_errors.iter_rows(named=True):
            line, row = rows[error["row"] - 1]
            key = f"cell:{headings.get(error['column'], '').strip().casefold()}"
            before = {f"cell:{heading.casefold()}": cell for heading, cell in zip(line.headings, line.cells, strict=True)}
            if row.cells.get(key, "").strip() != before.get(key, "").strip():
                out.append(row.problem(key, f"cannot be read: {error['reason'].replace('_', ' ')}"))
    return out


def _take(project: Project, client_map: ClientMap, found: Sequence[Correction], by: str) -> Project:
    """Write the decisions and register the rows; return the engagement opened anew."""
    from crm_pipelines.defs.home import open_instance

    require_unedited(project.engagement, project.client)
    if client_map != project.client_map:
        write_client(project.engagement, None, client_map, by)
    failpoint("queue.decided")
    with open_instance() as instance:
        take_corrections(project, instance, found)
    failpoint("queue.taken")
    return Project.open(load_engagement(project.engagement.name))


def _written(given: Given, project: Project, ledger: Ledger) -> dict[str, list[Path]]:
    """Write the queues as they are now; files that were taken are not kept a second time."""
    inside = [path for path in given.files if path.resolve().parent == project.engagement.queues.resolve()]
    forget_files(inside, _memory(project))
    return write_queue_files(project, ledger)


def _told(answers: Answers, renewal: Renewal, paths: Mapping[str, Iterable[Path]], found: Sequence[Correction]) -> dict[str, Any]:
    return {
        "taken": answers.counts(),
        "unanswered": answers.unanswered,
        "skipped": answers.skipped,
        "chunks": [one.chunk.key for one in found],
        "seal_no": renewal.seal_no,
        "changes": list(renewal.changes),
        "to_confirm": list(renewal.undeclared),
        "queues": {queue: [str(path) for path in own] for queue, own in paths.items()},
    }


def _raise_problems(problems: Sequence[Problem]) -> None:
    if problems:
        raise SpecError(list(problems))


def _memory(project: Project) -> Path:
    return project.engagement.work / "queue_files.json"

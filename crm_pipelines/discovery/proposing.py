"""Propose a map for one engagement: waiting columns, empty fields, unknown words.

Belongs here: what of an engagement and a destination goes into the engine. Not here: the engine (propose), which words are unknown
(vocabularies), likely duplicates (duplicates), how it is shown (reports). Offline: the schema comes from an inspection, or not at all.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from crm_pipelines.destinations.base import Schema
from crm_pipelines.discovery import frames
from crm_pipelines.discovery.custom_fields import custom_field_findings, rows_with
from crm_pipelines.discovery.evidence import SAMPLE_MAX
from crm_pipelines.discovery.features import ColumnSample, Surveyor
from crm_pipelines.discovery.lexicon import load_lexicon, read_table
from crm_pipelines.discovery.meanings import meanings
from crm_pipelines.discovery.model import load_model
from crm_pipelines.discovery.overlap import Overlap
from crm_pipelines.discovery.owners import owner_findings
from crm_pipelines.discovery.proposal import Candidate, DayOrder, EmptyField, Proposal, ProposedMap, Reading, Target, WordProposal
from crm_pipelines.discovery.propose import NEAR, NO_TARGET, PLACES, propose_columns, weighed
from crm_pipelines.discovery.readings import OFFERED_SHARE, TICKED_SHARE, Told, readings
from crm_pipelines.discovery.types import infer_type
from crm_pipelines.discovery.vocabularies import known_words, vocabularies
from crm_pipelines.phases.columns import column_account
from crm_pipelines.phases.contracts import destination_contract, source_contract
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.contract import FieldContract, PhaseContract
from crm_pipelines.spec.derived import frame_of
from crm_pipelines.spec.overlay import FIELD_RULES

FEW_ROWS = 3
"""Rows that have to be filled before a column is ticked as a field of its own."""
SHOWN_MAX = 0.99
"""Nothing that is estimated is certain."""
KEPT: Mapping[str, str] = {"date": "dates", "datetime": "dates", "boolean": "yes or no"}
"""What is never left behind before somebody says so."""
READ_AS: Mapping[str, str] = {
    "number": "a number",
    "money": "an amount in the new system's currency",
    "date": "a date",
    "datetime": "a date",
    "boolean": "yes or no",
}
ROLES: Mapping[str, str] = {"status": "status", "stage": "stage", "kind": "kind", "list": "option", "consent": "status"}


def propose(project: Project, schema: Schema | None) -> ProposedMap:
    """Propose for every column that waits, every standard field that stays empty and every word without an answer; deterministic.

    Without a schema the destination's users, stages, options and custom fields are no evidence, and owners are not proposed.
    `duplicates` stays empty here.
    """
    columns: list[Proposal] = []
    empty: list[EmptyField] = []
    overlap = overlap_of(schema)
    for name, lines in _by_object(project).items():
        places = Places(project, name, schema)
        told = _told(project, name, schema)
        looked = {str(line["heading"]): _sample(project, name, line, told) for line in lines}
        samples = {heading: each.sample for heading, each in looked.items()}
        waiting = [samples[str(line["heading"])] for line in lines if line["state"] == "waiting"]
        columns += [_with_doubt(each, looked[each.heading], places) for each in places.proposals(waiting, overlap)]
        empty += places.empty_fields(list(samples.values()), overlap)
    return ProposedMap(
        engagement=project.engagement.name,
        route=f"{project.spec.route.source}_to_{project.spec.route.destination}",
        columns=tuple(columns),
        empty_fields=tuple(_merged(empty)),
        words=(*_words(project), *_options(project), *_owners(project, schema)),
        threshold=load_model().threshold,
    )


def overlap_of(schema: Schema | None) -> Overlap:
    """Return what a destination holds; nothing when it was not asked."""
    if schema is None:
        return Overlap()
    return Overlap.of(
        users=schema.users,
        stages=schema.stages,
        types=[name for each in schema.types.values() for name in each],
        labels=[name for each in schema.labels.values() for name in each],
        options={(field.phase, field.name): tuple(field.options) for field in schema.fields if field.options},
    )


class Places:
    """The fields that columns of one export may go to, and those that are not open."""

    def __init__(self, project: Project, name: str, schema: Schema | None) -> None:
        self._project, self._name = project, name
        self._contract = destination_contract(project.engagement.destination)
        frame = frame_of(project.spec.derive, name)
        known = self._contract.phases
        self.phases = [each for each, phase in project.spec.phases.items() if frame is not None and phase.from_ == frame and each in known]
        standard = [each for phase in self.phases for each in self._standard(phase)]
        custom = [each for phase in self.phases for each in _custom(project, phase, schema)]
        self.open = [target for target, is_open in (*standard, *custom) if is_open]
        offered = {target.concept for target in self.open}
        closed = [target for target, is_open in (*standard, *custom) if not is_open]
        closed = [target for target in closed if not target.concept or target.concept not in offered]
        self.taken = [*closed, *_without_field({*offered, *(target.concept for target in closed)})]

    def proposals(self, columns: Sequence[ColumnSample], overlap: Overlap) -> list[Proposal]:
        """Propose for the columns of the export; where no record carries them, they can only stay behind."""
        made = propose_columns(columns, self.open, overlap, taken=self.taken)
        if not self.phases:
            return [_left_behind(proposal) for proposal in made]
        if any(self._contract.phases[phase].custom_fields for phase in self.phases):
            return list(made)
        return [replace(each, candidates=tuple(one for one in each.candidates if one.target.kind != "new")) for each in made]

    def takes(self, target: Target, inferred: str) -> str:
        """Return as what type of field a target reads a column's text; a field of numbers takes amounts, too."""
        if target.kind == "new":
            return inferred
        if target.kind != "field":
            return target.type
        takes = self._contract.phases[target.phase].fields[target.name].takes
        return "money" if takes == "number" else takes  # as reports.workbook_picks offers it

    def empty_fields(self, columns: Sequence[ColumnSample], overlap: Overlap) -> Iterator[EmptyField]:
        """Yield every standard field that nothing fills, with the columns that could, mapped ones among them."""
        targets = [target for target in self.open if target.kind == "field" and target.concept]
        if not targets:
            return
        surveyor, model = Surveyor((*targets, *self.taken), overlap), load_model()
        _, probable = weighed(surveyor, columns, model)
        for place, target in enumerate(targets):
            scored = [(min(model.confidence(probable[row, place]), SHOWN_MAX), column.heading) for row, column in enumerate(columns)]
            best = sorted((-score, heading) for score, heading in scored if score >= NEAR)[:PLACES]
            yield EmptyField(target, tuple((self._name, heading, -score) for score, heading in best))

    def _standard(self, phase: str) -> Iterator[tuple[Target, bool]]:
        """Yield the standard fields of a phase, and whether a client may choose them (spec.overlay holds choices against the same)."""
        contract = self._contract.phases[phase]
        filled = self._project.spec.phases[phase].fields
        for name, field in contract.fields.items():
            is_open = name not in filled and _is_choosable(contract, name, field)
            if field.concept or is_open:
                yield _field(phase, name, field), is_open


def _without_field(concepts: Container[str]) -> Iterator[Target]:
    """Yield what columns may mean and the destination has no field for."""
    for concept in load_lexicon().concepts.values():
        if concept.name not in concepts:
            yield Target("", concept.name, "new", concept.kind, concept.name, concept.label)


def _is_choosable(contract: PhaseContract, name: str, field: FieldContract) -> bool:
    built = (contract.pipeline, contract.stage, contract.types, contract.currency, contract.amount, contract.status)
    return not field.link and name not in built and "text" in FIELD_RULES.get(field.takes, {})


def _field(phase: str, name: str, field: FieldContract) -> Target:
    concept = load_lexicon().concepts.get(field.concept)
    label = concept.label if concept else name.removesuffix("_id").replace("_", " ").capitalize()
    return Target(phase, name, "field", concept.kind if concept else field.takes, field.concept, label, field.choices)


def _custom(project: Project, phase: str, schema: Schema | None) -> Iterator[tuple[Target, bool]]:
    """Yield custom fields: those of the map are filled already, those that only the destination has are open."""
    filled = (
        {each.name.casefold(): each for each in project.compiled.phases[phase].fields if each.is_custom}
        if phase in project.compiled.phases
        else {}
    )
    for each in filled.values():
        yield Target(phase, each.name, "custom_field", each.type, label=each.name, options=each.options), False
    types = read_table("kinds")["found_types"]
    for found in schema.fields if schema else ():
        if found.phase == phase and found.is_custom and found.name.casefold() not in filled:
            yield (
                Target(phase, found.name, "custom_field", types.get(found.type, "text"), label=found.name, options=tuple(found.options)),
                True,
            )


def _left_behind(proposal: Proposal) -> Proposal:
    found = next(each for each in proposal.candidates if each.target.kind == "none")
    told = "no record of the route carries columns of this export"
    return replace(proposal, candidates=(replace(found, target=NO_TARGET, confidence=1.0, evidence=(told,)),), state="pre-ticked")


@dataclass(frozen=True)
class _Looked:
    """Some cells of a column, and what is said of all of them: how its dates are written, how many different words it holds, what the
    loader reads."""

    sample: ColumnSample
    day_order: DayOrder
    distinct: int
    readings: tuple[Reading, ...]
    told: Told


def _with_doubt(proposal: Proposal, looked: _Looked, places: Places) -> Proposal:
    """Return a proposal that is not surer than its rows: what says little, is not read or would be lost is not ticked."""
    proposal = replace(proposal, day_order=looked.day_order, readings=looked.readings)
    takes = [places.takes(each.target, proposal.inferred) for each in proposal.candidates]
    doubts = [_read_doubt(proposal.ways(kind), looked.told, each) for kind, each in zip(takes, proposal.candidates, strict=True)]
    little = _says_little(proposal, looked)
    is_held = bool(little) or doubts[0].is_held
    candidates = []
    for number, (each, doubt) in enumerate(zip(proposal.candidates, doubts, strict=True)):
        evidence = tuple(why for why in (little if number == 0 else "", doubt.why, *each.evidence) if why)
        candidates.append(replace(each, confidence=min(each.confidence, SHOWN_MAX), evidence=evidence))
    state = "choose" if is_held and proposal.state == "pre-ticked" else proposal.state
    return replace(proposal, candidates=tuple(candidates), state=state)


def _says_little(proposal: Proposal, looked: _Looked) -> str:
    """Return why the best candidate is for a person to choose; nothing where it is not."""
    kind = proposal.best.target.kind
    if kind == "new" and looked.distinct == 1:
        return "the same word in every row"
    if kind == "new" and looked.sample.filled < FEW_ROWS:
        return f"only {looked.sample.filled} rows are filled"
    if kind == "none" and len(proposal.candidates) > 1 and proposal.inferred in KEPT:
        return f"its cells read as {KEPT[proposal.inferred]}: whether they are needed is for you to say"
    return ""


@dataclass(frozen=True)
class _Doubt:
    """What a client has to know of how a candidate's field is filled, and whether it is too much to tick it."""

    why: str = ""
    is_held: bool = False


def _read_doubt(ways: Sequence[Reading], told: Told, candidate: Candidate) -> _Doubt:
    best = min(ways, key=lambda each: each.waiting, default=None)
    if best is None:
        return _Doubt()
    if best.waiting:
        short = " (a year needs four digits)" if best.has_short_years else ""
        is_offered = candidate.target.kind != "new" or best.share >= OFFERED_SHARE
        then = ": their rows would wait" if is_offered else ", so that it is offered as text"
        why = f"{best.waiting:,} of {best.filled:,} filled cells do not read as {READ_AS[best.type]}{short}{then}"
        return _Doubt(why, best.share < TICKED_SHARE)
    if best.currency and not told.currency:
        return _Doubt(f"its amounts name a currency ({best.currency}): make sure that it is the one of the new system", is_held=True)
    return _Doubt()


def _by_object(project: Project) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for line in column_account(project):
        found.setdefault(str(line["object"]), []).append(line)
    return found


def _told(project: Project, name: str, schema: Schema | None) -> Told:
    """Return what is known of an export's columns before one looks at their cells."""
    return Told(
        zone=project.engagement.node.source.timezone,
        order=project.date_orders().get(name),
        locale=project.decimal_locales().get(name),
        currency=schema.currency if schema else "",
    )


def _sample(project: Project, name: str, line: Mapping[str, object], told: Told) -> _Looked:
    """Read some cells of a column, spread over all of it, for the engine and nothing else; tell how its dates are written, and what of a
    column that waits is read."""
    heading = str(line["heading"])
    column = source_contract(project.source).staged_column(name, heading)
    values = frames.column_values(project, name, column)
    cells = _as_text(values).drop_nulls()
    reads = infer_type(cells)
    is_read = line["state"] == "waiting" and values.dtype == pl.String
    step = max(1, len(cells) // SAMPLE_MAX)
    some = tuple(cells.gather_every(step).head(SAMPLE_MAX).to_list())
    sample = ColumnSample(name, heading, column, some, int(str(line["filled"])), reads.type)
    distinct = cells.str.strip_chars().str.to_lowercase().n_unique()
    return _Looked(sample, reads.day_order, distinct, readings(cells, reads.day_order, told) if is_read else (), told)


def _as_text(cells: pl.Series) -> pl.Series:
    return cells.cast(pl.List(pl.String)).list.join(";") if isinstance(cells.dtype, pl.List) else cells.cast(pl.String)


def _merged(found: Sequence[EmptyField]) -> Iterator[EmptyField]:
    """Put the columns of several exports for one field together."""
    together: dict[Target, list[tuple[str, str, float]]] = {}
    for each in found:
        together.setdefault(each.target, []).extend(each.candidates)
    for target, candidates in together.items():
        yield EmptyField(target, tuple(sorted(candidates, key=lambda one: (-one[2], one[0], one[1]))[:PLACES]))


def _words(project: Project) -> Iterator[WordProposal]:
    """Yield the words of vocabularies that the map has no answer for."""
    known = known_words(project)
    for found in vocabularies(project):
        answers = known.get((found.object, found.column), ())
        for word in found.unknown:
            yield WordProposal(
                object=found.object,
                column=found.column,
                role=ROLES[found.role],  # type: ignore[arg-type]  # the values of ROLES are roles
                word=word,
                rows=found.words[word],
                candidates=tuple((each, min(share, SHOWN_MAX)) for each, share in meanings(word, answers)),
            )


def _options(project: Project) -> Iterator[WordProposal]:
    """Yield the words of fields with a list of their own that the list does not have."""
    for field in custom_field_findings(project):
        column = source_contract(project.source).staged_column(field.object, field.name)
        for word in field.unknown_options:
            meant = tuple((each, min(share, SHOWN_MAX)) for each, share in meanings(word, field.options))
            yield WordProposal(field.object, column, "option", word, rows_with(project, field.object, column, word), meant)


def _owners(project: Project, schema: Schema | None) -> Iterator[WordProposal]:
    """Yield the owners who are no user of the destination."""
    if schema is None:
        return
    columns = dict(place.split(".", 1) for place in project.spec.derive.owners.from_)
    for found in owner_findings(project, schema.users):
        if found.user is None:
            scored = tuple((user, round(0.8 - 0.1 * place, 2)) for place, user in enumerate(found.suggestions))
            name = max(found.rows, key=lambda each: found.rows[each], default=next(iter(columns)))
            yield WordProposal(name, columns.get(name, ""), "owner", found.owner, sum(found.rows.values()), scored)

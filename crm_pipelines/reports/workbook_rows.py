"""The rows of the sheets that a client fills in: what was found, what is proposed, what was decided before.

Belongs here: findings and proposals as rows. Not here: pairs of records (workbook_pairs), what to call things (workbook_words), sheets to
read only (workbook_pages), reading answers (workbook_answers).

Everything that the client map holds gets a row, found or not: what was decided stays visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import get_args

from crm_pipelines.discovery.proposal import Proposal, WordProposal
from crm_pipelines.discovery.values import ColumnProfile
from crm_pipelines.reports.sheets import Cell, Scalar, State
from crm_pipelines.reports.workbook_layout import BEHIND, DROP, KEEP, OWNERS, REASON_CHARS, RENAME, STAY, labels, spoken
from crm_pipelines.reports.workbook_material import Material
from crm_pipelines.reports.workbook_picks import WORTH_TELLING, Picks
from crm_pipelines.reports.workbook_words import counted, owner_question
from crm_pipelines.spec.client import completed
from crm_pipelines.spec.client_map import ColumnChoice, LeaveOut
from crm_pipelines.spec.model import Decision
from crm_pipelines.spec.parse import chosen

SAME_WORD = "(the same word in every row that is not empty)"
Values = dict[str, Scalar | Cell]

KINDS: Mapping[str, str] = {
    "no_email": "without an e-mail address",
    "role_account": "shared mailboxes (info@, office@)",
    "bounced": "e-mails that bounced",
    "stale": "not active for long",
}
EVENTS: Mapping[str, str] = {
    "event": "something that happened",
    "membership": "membership",
    "course": "course",
    "admin": "housekeeping",
    "plain": "",
}


def question_rows(material: Material) -> list[Values]:
    """Return a row per decision of the spec."""
    taken, unanswered = completed(material.spec, material.answers)
    return [
        {"number": number, **_question(material, name, decision, taken, name in unanswered)}
        for number, (name, decision) in enumerate(material.spec.decisions.items(), 1)
    ]


def _question(material: Material, name: str, decision: Decision, taken: Mapping[str, str], is_open: bool) -> Values:
    words, shown = spoken(tuple(decision.options)), labels(decision.options)
    lines = [f"{words[option]}{' (suggested)' if option == decision.default else ''}: {told}" for option, told in decision.options.items()]
    if not decision.options:
        lines = ["A user of the list, or another e-mail address." if material.users else "An e-mail address."]
    if name == owner_question(material.spec):
        lines.append(
            f"First, the sheet {OWNERS} names who takes over from each of them. This answer is for those for whom nobody is named."
        )
    if decision.needed_if and not chosen(decision.needed_if, taken):
        lines.append(f"Only needed if {_condition(material, decision)}.")
    answer = material.answers.get(name)
    state: State = "open" if is_open else "done" if answer else "may"
    choices = tuple(shown.values()) or tuple(material.users)
    cell = Cell(shown.get(answer, answer) if answer else "", choices=choices, state=state, is_strict=bool(shown))
    return {"name": name, "question": decision.question, "options": "\n".join(lines), "why": decision.why, "answer": cell}


def _condition(material: Material, decision: Decision) -> str:
    parts, numbers = [], {name: number for number, name in enumerate(material.spec.decisions, 1)}
    for other, options in decision.needed_if.items():
        words = spoken(tuple(material.spec.decisions[other].options))
        parts.append(f"question {numbers[other]} is answered with {' or '.join(repr(words[option]) for option in options)}")
    return " and ".join(parts)


def column_rows(material: Material, picks: Picks) -> list[Values]:
    """Return a row per column that no rule knows, and per column decided before."""
    decided = {(name, heading): choice for name, columns in material.client.columns.items() for heading, choice in columns.items()}
    proposed = {(proposal.object, proposal.heading): proposal for proposal in material.proposed.columns}
    for each in material.columns:
        if each.state == "waiting":
            nothing = Proposal(each.object, each.heading, each.column, each.filled, each.inferred, (), "unmapped")
            proposed.setdefault((each.object, each.heading), nothing)
    rows = [_column(material, picks, proposal, decided.get(key)) for key, proposal in proposed.items()]
    return rows + [_decided_column(material, picks, key, choice) for key, choice in decided.items() if key not in proposed]


def _column(material: Material, picks: Picks, proposal: Proposal, choice: ColumnChoice | None) -> Values:
    options = picks.options(proposal)
    label, name, reason, state = "", "", "", "open"
    if choice is not None:
        (label, name, reason), state = picks.chosen(choice), "done"
    elif proposal.state == "pre-ticked":
        label, reason = _ticked(picks, proposal, options)
        state = "proposed" if label else "open"
    if label and label not in options:
        options = (label, *options)
    profile = _profile(material, proposal.object, proposal.heading)
    return {
        "object": proposal.object,
        "heading": proposal.heading,
        "filled": _share(*profile[:2]) if profile[1] else "",
        "examples": "\n".join(profile[2]),
        "proposals": _proposals(picks, proposal),
        "choice": Cell(label, choices=options, state=_state(state)),
        "name": name,
        "reason": reason,
    }


def _ticked(picks: Picks, proposal: Proposal, options: tuple[str, ...]) -> tuple[str, str]:
    """Return the proposal that is filled in, with its reason where the column is to stay behind; nothing where it may not be chosen."""
    label = picks.proposed(proposal, proposal.best)
    reason = "; ".join(proposal.best.evidence) if label == BEHIND else ""
    if label not in options or (label == BEHIND and len(reason) < REASON_CHARS):
        return "", ""
    return label, reason


def _decided_column(material: Material, picks: Picks, key: tuple[str, str], choice: ColumnChoice) -> Values:
    label, name, reason = picks.chosen(choice)
    filled, rows, examples = _profile(material, *key)
    options = tuple(dict.fromkeys([label, *picks.options(Proposal(*key, "", 0, "", (), "unmapped"))]))
    return {
        "object": key[0],
        "heading": key[1],
        "filled": _share(filled, rows) if rows else "",
        "examples": "\n".join(examples),
        "proposals": "Decided before.",
        "choice": Cell(label, choices=options, state="done"),
        "name": name,
        "reason": reason,
    }


def _proposals(picks: Picks, proposal: Proposal) -> str:
    lines = []
    worth = [each for each in proposal.candidates[:3] if each is proposal.best or each.confidence >= WORTH_TELLING]
    for number, candidate in enumerate(worth, 1):
        why = "; ".join(candidate.evidence[: 3 if number == 1 else 1])
        lines.append(f"{number}. {picks.proposed(proposal, candidate)}, {candidate.confidence:.0%}" + (f": {why}" if why else ""))
    return "\n".join(lines)


def _profile(material: Material, name: str, heading: str) -> tuple[int, int, tuple[str, ...]]:
    for profile in material.columns:
        if (profile.object, profile.heading) == (name, heading):
            examples = profile.options[:6] or profile.examples
            same = (SAME_WORD,) if profile.distinct == 1 and profile.filled > 1 else ()
            return profile.filled, profile.rows, (*_twin(material, profile), *examples, *same)
    return 0, 0, ()


def _twin(material: Material, profile: ColumnProfile) -> tuple[str, ...]:
    """Return which column of the export it is, where several have one heading and this one goes by the name it was given."""
    first, _, number = profile.column.rpartition("__")
    if profile.heading != profile.column or not number.isdecimal():
        return ()
    return tuple(
        f"(column {number} of those headed “{each.heading}”)"
        for each in material.columns
        if (each.object, each.column) == (profile.object, first)
    )


def word_rows(material: Material) -> list[Values]:
    """Return a row per word that the map has no answer for, and per word decided before."""
    decided = {(column, word): meaning for column, words in material.client.values.items() for word, meaning in words.items()}
    known = readings(material)
    proposed = {(f"{each.object}.{each.column}", each.word): each for each in material.proposed.words if each.role not in ("tag", "owner")}
    counts = {(f"{found.object}.{found.column}", word): rows for found in material.vocabularies for word, rows in found.words.items()}
    rows = []
    for key in dict.fromkeys([*proposed, *decided]):
        rows.append(_word(material, key, proposed.get(key), decided.get(key), known.get(key[0], ())))
        rows[-1].setdefault("rows", counts.get(key))
    return rows


def _word(material: Material, key: tuple[str, str], proposal: WordProposal | None, meaning: str | None, known: tuple[str, ...]) -> Values:
    candidates = proposal.candidates if proposal else ()
    best = candidates[0] if candidates else ("", 0.0)
    ticked = best[0] if meaning is None and best[1] >= material.proposed.threshold else ""
    state: State = "done" if meaning is not None else "proposed" if ticked else "open"
    row: Values = {
        "column": key[0],
        "role": proposal.role if proposal else "",
        "word": key[1],
        "proposals": "\n".join(f"{word}, {share:.0%}" for word, share in candidates[:3]),
        "choice": Cell(ticked if meaning is None else meaning, choices=known, state=state),
    }
    return {**row, "rows": proposal.rows} if proposal else row


def readings(material: Material) -> dict[str, tuple[str, ...]]:
    """Return `object.column` -> the words that one of its words may be read as: proposed ones, known ones, those decided before."""
    words: dict[str, dict[str, None]] = {}
    for each in material.proposed.words:
        if each.role not in ("tag", "owner"):
            words.setdefault(f"{each.object}.{each.column}", {}).update(dict.fromkeys(word for word, _ in each.candidates))
    for column, decided in material.client.values.items():
        words.setdefault(column, {}).update(dict.fromkeys(decided.values()))
    for place, answers in _known_words(material):
        if place in words:
            taken = {word.casefold() for word in (*words[place], *material.client.values.get(place, {}))}
            folded = {word.casefold(): word for word in reversed(answers) if word.casefold() not in taken}
            words[place].update(dict.fromkeys(reversed(folded.values())))
    return {column: tuple(found) for column, found in words.items()}


def _known_words(material: Material) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield `object.column` and the words that the map has an answer for: of vocabularies, of the lists of fields."""
    for found in material.vocabularies:
        yield f"{found.object}.{found.column}", [word for word in found.words if word not in found.unknown]
    for field in material.custom_fields:
        if field.object in material.source.objects:
            yield f"{field.object}.{material.source.staged_column(field.object, field.name)}", field.options


def owner_rows(material: Material) -> list[Values]:
    """Return a row per team member without a user, and per one decided before; then those whose user was found."""
    found = {each.owner: each for each in material.owners}
    users = tuple(dict.fromkeys([*material.users, *material.client.owners.values()]))
    waiting = [owner for owner, each in found.items() if each.user is None]
    rows: list[Values] = []
    for owner in dict.fromkeys([*waiting, *material.client.owners, *found]):
        each, given = found.get(owner), material.client.owners.get(owner)
        is_matched = each is not None and each.user is not None
        state: State = "done" if given is not None else "may" if is_matched else "open"
        rows.append(
            {
                "owner": owner,
                "rows": ", ".join(counted(material.spec, name, count) for name, count in each.rows.items()) if each else "",
                "money": "\n".join(f"{Decimal(amount):,} {currency}" for currency, amount in each.money.items()) if each else "",
                "proposals": f"{each.user} (the same address)" if each and each.user else "\n".join(each.suggestions) if each else "",
                "choice": Cell(given, choices=users, state=state),
            }
        )
    return rows


def tag_rows(material: Material) -> list[Values]:
    """Return a row per tag, most used first, and per tag decided before."""
    decided = {(column, tag): new for column, tags in material.client.tags.items() for tag, new in tags.items()}
    counts = {(f"{each.object}.{each.column}", each.word): each for each in material.proposed.words if each.role == "tag"}
    found = {(each.column or material.tag_column, each.tag): each for each in material.tags}
    rows: list[Values] = []
    for key in dict.fromkeys([*found, *counts, *decided]):
        each, word = found.get(key), counts.get(key)
        kind = (EVENTS[each.kind] if each.event in ("plain", each.kind) else each.event.replace("_", " ")) if each else ""
        records = each.records if each else word.rows if word else None
        rows.append({"column": key[0], "tag": key[1], "records": records, "kind": kind, **_tag_choice(key, decided)})
    return rows


def _tag_choice(key: tuple[str, str], decided: Mapping[tuple[str, str], str | None]) -> Values:
    if key not in decided:
        return {"choice": Cell("", state="may"), "name": ""}
    new = decided[key]
    choice = DROP if new is None else KEEP if new == key[1] else RENAME
    return {"choice": Cell(choice, state="done"), "name": new if choice == RENAME else ""}


def leave_out_rows(material: Material) -> list[Values]:
    """Return a row per object and kind of record that may be left out."""
    contacts = material.spec.derive.contacts
    clean = {each.object: each for each in material.clean if each.object == contacts.from_}
    ruled = get_args(LeaveOut) if contacts.suppress else ("no_email", "role_account")
    rows: list[Values] = []
    for name in dict.fromkeys([*clean, *material.client.leave_out]):
        for kind in get_args(LeaveOut):
            chosen_kinds = material.client.leave_out.get(name, ())
            count = clean[name].kinds.get(kind) if name in clean else None
            if (count and kind in ruled) or kind in chosen_kinds:
                rule = (clean[name].rules.get(kind, "") if name in clean else "") or KINDS[kind]
                state: State = "done" if kind in chosen_kinds else "may"
                cell = Cell(STAY if kind in chosen_kinds else "", state=state)
                rows.append({"object": name, "kind": kind, "spoken": KINDS[kind], "records": count, "rule": rule, "choice": cell})
    return rows


def _share(filled: int, rows: int) -> str:
    return f"{filled / rows:.0%}" if rows else ""


def _state(word: str) -> State:
    states: dict[str, State] = {"open": "open", "proposed": "proposed", "done": "done"}
    return states.get(word, "")

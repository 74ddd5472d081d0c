"""Team members named in the exports: who is a user of the destination, and what waits on those who are not.

Belongs here: matching by address, suggestions, sums. Not here: asking the destination for its users (its inspection), what the client
decides about an owner (spec.client_map).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

import polars as pl
from rapidfuzz import fuzz

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.values import OwnerFinding
from crm_pipelines.phases.project import Project
from crm_pipelines.spec.model import Phase

ALIKE = 70.0
"""Score out of 100 from which a user is suggested."""
SAME_DOMAIN = 8.0
SUGGESTIONS = 3
NO_CURRENCY = "no currency"


def owner_findings(project: Project, users: Mapping[str, str] | None) -> tuple[OwnerFinding, ...]:
    """Return every owner, those without a user and with most rows first; the user is whom the client named, else who has the address.

    `users` are those of the destination: e-mail address -> name or id; None when it could not be asked.
    """
    rows = _rows(project)
    money = _money(project)
    known = {email.casefold(): name for email, name in (users or {}).items()}
    taken = set(rows) & set(known)
    heirs = {owner.strip().casefold(): user.strip().casefold() for owner, user in project.client_map.owners.items()}
    found = [
        OwnerFinding(
            owner=owner,
            user=next((each for each in (heirs.get(owner, owner), owner) if each in known), None),
            rows=dict(each),
            money={currency: f"{value:f}" for currency, value in sorted(money.get(owner, {}).items())},
            suggestions=() if owner in known else suggestions(owner, {email: name for email, name in known.items() if email not in taken}),
        )
        for owner, each in rows.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.user is not None, -sum(one.rows.values()), one.owner)))


def suggestions(owner: str, users: Mapping[str, str]) -> tuple[str, ...]:
    """Return users whose address or name is like an owner's address, best first, three at most."""
    scored = [(_alike(owner, email, name), email) for email, name in users.items()]
    best = sorted((-score, email) for score, email in scored if score >= ALIKE)
    return tuple(email for _, email in best[:SUGGESTIONS])


def _alike(owner: str, email: str, name: str) -> float:
    local, _, domain = owner.partition("@")
    other, _, home = email.partition("@")
    words, theirs = _words(local), _words(other)
    alike = [fuzz.token_sort_ratio(words, each) for each in (theirs, _words(name)) if words and each]  # two empty texts would be alike
    score = max(fuzz.ratio(local, other), *alike, 0.0)
    is_colleague = bool(domain) and domain == home
    if _shares_a_name(words, f"{theirs} {_words(name)}", 3 if is_colleague else 4):
        score = max(score, ALIKE)
    return float(score) + (SAME_DOMAIN if is_colleague and score >= ALIKE - SAME_DOMAIN else 0.0)


def _words(text: str) -> str:
    return " ".join("".join(sign if sign.isalpha() else " " for sign in text.casefold()).split())


def _shares_a_name(one: str, other: str, letters: int) -> bool:
    """Tell whether a word of so many letters stands in both: `zoe.departed` and `z.departed`."""
    return any(len(word) >= letters for word in set(one.split()) & set(other.split()))


def _rows(project: Project) -> dict[str, dict[str, int]]:
    """Return owner -> object -> records of the exports."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for place in project.spec.derive.owners.from_:
        name, _, column = place.partition(".")
        if name not in project.objects:
            continue
        frame = frames.newest_rows(project, name, [column])
        if column in frame.columns:
            for owner, count in _counted(frame[column]):
                found[owner][name] = found[owner].get(name, 0) + count
    return dict(found)


def _counted(cells: pl.Series) -> list[tuple[str, int]]:
    owners = cells.cast(pl.String).str.strip_chars().str.to_lowercase().drop_nulls()
    return owners.filter(~owners.is_in(["", "n/a"])).alias("owner").value_counts().rows()


def _money(project: Project) -> dict[str, dict[str, Decimal]]:
    """Return owner -> currency -> the amounts of the records that would go to them, from the resolved frames; empty before."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for frame, (amount, currency) in _amounts(project).items():
        scanned = frames.resolved(project, frame)
        if scanned is None or not {amount, currency, "owner_key"} <= set(scanned.collect_schema().names()):
            continue
        held = scanned.filter(pl.col("owner_key").is_not_null() & pl.col(amount).is_not_null())
        grouped = held.group_by("owner_key", currency).agg(pl.col(amount).cast(pl.Decimal(38, 4)).sum()).collect()
        for owner, code, total in grouped.iter_rows():
            sums[owner][code or NO_CURRENCY] += total
    return {owner: {code: _two_places(total) for code, total in each.items() if total} for owner, each in sums.items()}


def _two_places(total: Decimal) -> Decimal:
    """Return a sum with at least two decimals."""
    rounded = total.quantize(Decimal("0.01"))
    return rounded if rounded == total else total.normalize()


def _amounts(project: Project) -> dict[str, tuple[str, str]]:
    """Return resolved frame -> its columns of amount and currency, as the phases say what their money is."""
    found = {}
    for phase in project.spec.phases.values():
        columns = _money_columns(phase)
        if columns is not None:
            found[phase.from_] = columns
    return found


def _money_columns(phase: Phase) -> tuple[str, str] | None:
    if phase.money is None:
        return None
    nodes = [phase.fields.get(name) for name in (phase.money.amount, phase.money.currency)]
    names = [node.from_[0] if node and node.from_ else "" for node in nodes]
    return (names[0], names[1]) if all(names) else None

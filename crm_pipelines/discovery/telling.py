"""Evidence as sentences that a client can check.

Belongs here: wording, and whether a column is technical. Not here: weighing (model), values themselves: no sentence quotes one.
"""

from __future__ import annotations

from crm_pipelines.discovery import evidence
from crm_pipelines.discovery.features import Facts
from crm_pipelines.discovery.lexicon import LANGUAGES, load_lexicon
from crm_pipelines.discovery.names import NameMatch
from crm_pipelines.discovery.proposal import Target

NAME_MIN = 0.5  # below it a likeness of names convinces nobody
SHARE_MIN = 0.3


def of_target(facts: Facts, place: int, target: Target) -> tuple[str, ...]:
    """Return why a column may go to a target, strongest first; and what speaks against it."""
    told = [*_of_hits(facts, place), *_of_name(facts.names[place], target), *_of_values(facts, target)]
    return tuple(told) or ("neither its name nor its values point to it",)


def of_taken(facts: Facts, place: int, target: Target) -> tuple[str, ...]:
    """Return why a column means something that is not open."""
    label = target.label or target.name
    why = (
        f"the new system has no field `{label}` for these records"
        if target.kind == "new"
        else f"something else fills `{label}` already, or only we can fill it"
    )
    return (*of_target(facts, place, target), why)


def of_none(facts: Facts) -> tuple[str, ...]:
    """Return why a column may fit no field."""
    told = []
    if facts.none_name.likeness >= NAME_MIN:
        told.append(f"its name reads like `{facts.none_name.alias}`, and the new system has no field for that")
    if facts.technical > SHARE_MIN:
        kind = max(evidence.TECHNICAL, key=lambda each: (facts.kinds.get(each, 0.0), each))
        told.append(f"{_share(facts.kinds[kind])} {_called(kind)}")
    return tuple(told) or ("no field has a name or values that come near",)


def is_technical(facts: Facts) -> bool:
    """Whether the column helps machines rather than people: its name or values say so, or nothing is in it."""
    is_named = facts.none_concept.startswith("technical.") and facts.none_name.likeness >= 0.6
    is_kept = facts.none_concept.startswith("kept.") and facts.none_name.likeness >= 0.6
    is_worded = not is_kept and any(load_lexicon().against.get(word, 0.0) >= 1.0 for word in facts.said.words)
    return is_named or is_worded or (facts.technical > 0.5 and not is_kept) or not facts.kinds


def _of_hits(facts: Facts, place: int) -> list[str]:
    hits = facts.hits[place]
    if not hits.found:
        return []
    if hits.distinct == 1:
        return [f"the only value in it is one of the {hits.what}"]
    share = f"all {hits.distinct:,}" if hits.found == hits.distinct else f"{hits.found:,} of {hits.distinct:,}"
    return [f"{share} different values are {hits.what}"]


def _of_name(name: NameMatch, target: Target) -> list[str]:
    if name.likeness < NAME_MIN:
        return []
    label = target.label or target.name
    spoken = LANGUAGES.get(name.language)
    is_same = name.alias.casefold() == label.casefold()
    told = [f"its name reads like `{label}`" if is_same or spoken is None else f"its name reads like `{label}` ({spoken}: {name.alias})"]
    if name.against >= 0.3:
        told.append(f"the word `{name.speaker}` speaks against it")
    return told


def _of_values(facts: Facts, target: Target) -> list[str]:
    lexicon = load_lexicon()
    table = lexicon.kinds.get(target.concept) or lexicon.types.get(target.type, {})
    fitting = [(facts.kinds.get(kind, 0.0) * weight, kind) for kind, weight in table.items() if weight >= 0.3]
    fit, kind = max(fitting, default=(0.0, ""))
    if fit >= SHARE_MIN:
        return [f"{_share(facts.kinds[kind])} {_called(kind)}"]
    strange, likeness = evidence.strongest(facts.kinds)
    if strange and likeness > 0.5 and strange not in table:
        return [f"{_share(likeness)} {_called(strange)}, which does not suit it"]
    return []


def _share(likeness: float) -> str:
    return "all values are" if likeness >= 0.995 else f"{likeness * 100:.0f} % of the values are"


def _called(kind: str) -> str:
    return load_lexicon().called.get(kind, kind)

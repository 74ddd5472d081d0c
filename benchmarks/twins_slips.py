"""What happens to a name when it is typed a second time.

Belongs here: the kinds of change, how often each happens, and doing it. Not here: who has a twin, and what else it loses
(twins_planted).
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, replace

from benchmarks import twins_names as words

KINDS = {
    "as it was": 0.30,
    "case": 0.09,  # JOHN SMITH, john smith, jOHN sMITH
    "accents": 0.09,  # dropped, or ü as ue; those without any change case instead
    "slip in the first name": 0.10,
    "slip in the last name": 0.14,
    "heard": 0.03,  # Meyer and Meier, Philipp and Philip; those without such a place get a slip
    "middle name": 0.08,  # added, or left out
    "double last name cut": 0.06,  # those with one last name get a middle name instead
    "title": 0.04,  # added, or left out
    "last name first": 0.02,  # "Müller, Thomas", "Müller Thomas"
    "nickname": 0.02,  # Bob for Robert; those without one (most) get an initial
    "initial": 0.02,  # T. Müller
    "two slips": 0.01,
}
"""Shares of twins. 46 % differ in letters, with cuts and nicknames: more than the fifth or quarter of names that census matches differ in
(Winkler, Overview of Record Linkage, 2006), so harder than typed lists are."""
ALSO_OTHER_LETTERS = 0.15
"""Of all kinds: also in other case or without accents."""
SLIPS = {"drop": 0.37, "insert": 0.29, "replace": 0.20, "swap": 0.14}
"""Dropping is the commonest, inserting mostly doubles; nine of ten misspelt words have one slip (Pollock and Zamora, JASIS 34, 1983)."""
IN_FIRST_LETTER = 0.05  # slips rarely hit the first letter (Yannakoudakis and Fawthrop, Information Processing & Management 19, 1983)
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
TRANSCRIBED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
SHORT = dict(pair.split("/") for pair in words.NICKNAMES)
SLIPPED = ("as it was", "slip in the first name", "slip in the last name", "heard", "two slips")
SHORTEST = 3  # letters of a name that a slip can hit


@dataclass(frozen=True)
class Name:
    """A person's name in its parts."""

    given: str
    middle: str | None = None
    family: str | None = None
    second_family: str | None = None
    title: str | None = None
    mark: str | None = None

    def families(self) -> str:
        return " ".join(part for part in (self.family, self.second_family) if part)

    def written(self) -> str:
        """Return the name as one text."""
        return " ".join(part for part in (self.title, self.given, self.middle, self.families(), self.mark) if part)


def deface(rng: random.Random, name: Name, kind: str, language: str) -> tuple[str, str]:
    """Write a name another way; returns it, and the kind that it was in the end."""
    written, really = _changed(rng, name, kind, language)
    if kind not in ("case", "accents") and rng.random() < ALSO_OTHER_LETTERS:
        written = _plain(written) if rng.random() < 0.5 else _cased(rng, written)
    return written, really


def _changed(rng: random.Random, name: Name, kind: str, language: str) -> tuple[str, str]:
    if kind == "accents" and not name.written().isascii():
        return (_transcribed(name.written()) if rng.random() < 0.5 else _plain(name.written())), kind
    if kind in ("case", "accents"):
        return _cased(rng, name.written()), "case"
    if kind in SLIPPED:
        return _slipped(rng, name, kind)
    if kind in ("nickname", "initial"):
        return _shortened(name, kind)
    return _rearranged(rng, name, kind, language)


def _rearranged(rng: random.Random, name: Name, kind: str, language: str) -> tuple[str, str]:
    """Add, leave out or turn round whole parts."""
    if kind == "double last name cut" and name.second_family:
        return replace(name, second_family=None).written(), kind
    if kind in ("middle name", "double last name cut"):
        return replace(name, middle=None if name.middle else _middle(rng, language)).written(), "middle name"
    if kind == "title":
        return replace(name, title=None if name.title else rng.choice(words.TITLES[language])).written(), kind
    joint = ", " if rng.random() < 0.5 else " "
    return f"{name.families()}{joint}{name.given}", kind


def _slipped(rng: random.Random, name: Name, kind: str) -> tuple[str, str]:
    family = name.family or ""
    if kind == "heard" and (heard := _heard(rng, family)):
        return replace(name, family=heard).written(), kind
    if kind == "heard" and (heard := _heard(rng, name.given)):
        return replace(name, given=heard).written(), kind
    if kind == "slip in the first name" and len(name.given) >= SHORTEST:
        return replace(name, given=slip(rng, name.given)).written(), kind
    if kind == "two slips" and len(name.given) >= SHORTEST and len(family) >= SHORTEST:
        return replace(name, given=slip(rng, name.given), family=slip(rng, family)).written(), kind
    if kind != "as it was" and len(family) >= SHORTEST:
        return replace(name, family=slip(rng, family)).written(), "slip in the last name"
    return name.written(), "as it was"


def _shortened(name: Name, kind: str) -> tuple[str, str]:
    if kind == "nickname" and name.given in SHORT:
        return replace(name, given=SHORT[name.given]).written(), kind
    return replace(name, given=f"{name.given[0]}.").written(), "initial"


def _middle(rng: random.Random, language: str) -> str:
    drawn = rng.choice(words.GIVEN[language])
    return f"{drawn[0]}." if rng.random() < 0.5 else drawn[0] if rng.random() < 0.2 else drawn


def _cased(rng: random.Random, text: str) -> str:
    way = rng.random()
    return text.upper() if way < 0.45 else text.lower() if way < 0.9 else text.swapcase()


def _plain(text: str) -> str:
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return bare.replace("ß", "ss")


def _transcribed(text: str) -> str:
    return _plain("".join(TRANSCRIBED.get(mark, mark) for mark in text))


def _heard(rng: random.Random, text: str) -> str | None:
    for pair in rng.sample(words.HEARD, len(words.HEARD)):
        old, new = pair.split("/") if rng.random() < 0.5 else reversed(pair.split("/"))
        place = text.lower().find(old)
        if place >= 0:
            made = text[:place] + new + text[place + len(old) :]
            return made[0].upper() + made[1:]
    return None


def slip(rng: random.Random, word: str) -> str:
    """Mistype a word once; never returns it as it was."""
    while True:
        place = 0 if rng.random() < IN_FIRST_LETTER else rng.randrange(1, len(word))
        (kind,) = rng.choices(list(SLIPS), list(SLIPS.values()))
        made = _slip(rng, word, place, kind)
        if made != word:
            return made


def _slip(rng: random.Random, word: str, place: int, kind: str) -> str:
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "swap":
        return word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
    if kind == "insert":
        extra = word[place].lower() if rng.random() < 0.6 else _neighbour(rng, word[place])
        return word[: place + 1] + extra + word[place + 1 :]
    return word[:place] + _neighbour(rng, word[place]) + word[place + 1 :]


def _neighbour(rng: random.Random, letter: str) -> str:
    """Return a key beside the letter's, one time in three any letter."""
    row = next((row for row in KEYS if letter.lower() in row), "")
    if not row or rng.random() < 1 / 3:
        return rng.choice("abcdefghijklmnopqrstuvwxyz")
    at = row.index(letter.lower())
    beside = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return rng.choice(beside)

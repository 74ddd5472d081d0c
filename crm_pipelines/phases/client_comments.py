"""Comments of a rewritten YAML file: none disappears, whatever was taken out or replaced around it.

Belongs here: finding comments, and putting back those that got lost. Not here: rewriting the file (client).

The writer of YAML keeps comments on what stays; those on what is taken out or replaced go with it. They are put back above the line that
they stood above; where nothing of what followed is left, at the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from ruamel.yaml import YAML
from ruamel.yaml.tokens import ScalarToken

from crm_pipelines.errors import SpecError
from crm_pipelines.spec.parse import read_document

COMMENT = re.compile(r"(?:(?<=\s)|^)#[^\n]*", re.MULTILINE)
MARKS = re.compile(r"[\s\"']")
Comment = tuple[int, str]
"""Number of the line from 0, and the comment itself."""


def with_comments(old: str, new: str, signature: str) -> str:
    """Return `new` with the comments of `old` that it lost; both are readable YAML, and lines that begin with `signature` may go."""
    lost = _lost([each for each in comments(old) if not each[1].startswith(signature)], comments(new))
    if not lost:
        return new
    placed = _placed(old.split("\n"), new.split("\n"), lost)
    ended = f"{new.rstrip()}\n" + "".join(f"{comment}\n" for _, comment in lost)
    return placed if _says_the_same(placed, new) else ended


def comments(text: str) -> list[Comment]:
    """Return the comments of a YAML text, in their order; a # in a text is none."""
    masked = list(text)
    for token in YAML(typ="safe", pure=True).scan(text):
        if isinstance(token, ScalarToken):
            begin, end = token.start_mark.index, token.end_mark.index
            masked[begin:end] = [letter if letter == "\n" else "x" for letter in text[begin:end]]
    return [(text.count("\n", 0, found.start()), found[0].rstrip()) for found in COMMENT.finditer("".join(masked))]


def _lost(before: Iterable[Comment], after: Iterable[Comment]) -> list[Comment]:
    kept = Counter(comment for _, comment in after)
    lost = []
    for each in before:
        if kept[each[1]]:
            kept[each[1]] -= 1
        else:
            lost.append(each)
    return lost


def _placed(old: Sequence[str], new: Sequence[str], lost: Iterable[Comment]) -> str:
    """Put each comment above the first line after it that is still there, indented as that line is."""
    matcher = SequenceMatcher(None, [_bare(line) for line in old], [_bare(line) for line in new], autojunk=False)
    stayed = {a + step: b + step for a, b, size in matcher.get_matching_blocks() for step in range(size) if _bare(old[a + step])}
    above: dict[int, list[str]] = {}
    for number, comment in lost:
        place = next((stayed[each] for each in range(number + 1, len(old)) if each in stayed), len(new))
        indent = "" if place == len(new) else " " * (len(new[place]) - len(new[place].lstrip()))
        above.setdefault(place, []).append(f"{indent}{comment}")
    out = [line for place, own in enumerate(new) for line in (*above.get(place, ()), own)]
    end = above.get(len(new), [])
    return "\n".join([*out[:-1], *end, ""] if end and not out[-1] else [*out, *end])


def _bare(line: str) -> str:
    """Return a line as it is recognised again: without comment, blanks and quotes."""
    return MARKS.sub("", COMMENT.sub("", line))


def _says_the_same(placed: str, new: str) -> bool:
    try:
        return bool(read_document(placed, is_plain=True).data == read_document(new, is_plain=True).data)
    except SpecError:  # a comment in the middle of a text of several lines
        return False

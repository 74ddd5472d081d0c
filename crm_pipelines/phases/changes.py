"""How two seals differ, in a client's words: which decision, column, field, option, stage or user is another one now.

Belongs here: comparing two contents of seals and wording each difference; what is growth and what is change. Not here: what a seal holds
(phases.confirm). Never says a source key: groups of records that were decided on are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

PARTS = ("spec", "decisions", "map", "source", "stale_before", "headings", "destination", "growth", "engine")
GROWING = frozenset({"destination.users", "destination.currencies", "headings", "source.files"})
"""Parts where new entries are growth, not change: they are reported by the run, never blocking."""
HAS_USER, HAS_NONE = "has a user", "has no user"
FACTS = frozenset({"wanted", "there", "exists", "made", "had"})
"""Of a field, pipeline or kind of record: how the destination stands, kept to tell what is gone since; no difference by itself."""
HELD: Mapping[str, str] = {"fields": "options", "stages": "stages", "types": "names"}
"""Parts of the destination of which it is told what is gone -> member of each that was confirmed as a list."""
FILES = ("source", "files")
ORDER = ("with", "order")
COUNTED = frozenset({"conflicts", "left_behind", "left_lines"})
"""Parts of the map that name single records: a difference says how many, never which."""
LONGEST = 80


class _LeftOut:
    """What stands where a word becomes nothing: equal to no text, so that a tag may be called anything."""


LEFT_OUT = _LeftOut()


@dataclass(frozen=True)
class Change:
    """One difference between what was confirmed and what is."""

    path: str
    """Where it stands in the seal, e.g. `destination.users.ann@example.com`."""
    told: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.told


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield every difference between two seals' contents that has to be confirmed; growth is none."""
    for change, is_growth in _all(old, new):
        if not is_growth:
            yield change


def growth(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what came since and needs no confirmation: new users and owners, currencies, export files of a known kind."""
    for change, is_growth in _all(old, new):
        if is_growth:
            yield change


def _all(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[Change, bool]]:
    old, new = _as_now(old), _as_now(new)
    for part in PARTS:
        for path, was, now in _differ((part,), old.get(part) or {}, new.get(part) or {}):
            if path[:2] == FILES and was is None and not now:
                continue  # one more file that is read as files are: its records are told of, it is not
            told = _taken_over(path, now, new) or _worded(path, was, now) + _disagreeing(path, now, new)
            yield Change(".".join(path), told), _is_growth(path, was, now)
    yield from ((change, False) for change in _gone(old, new))


def _as_now(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a seal's content as seals are now: earlier ones hold stages and types as bare lists, and nothing of what was there."""
    destination = content.get("destination") or {}
    lists = {
        part: {name: {member: each} if isinstance(each, list) else each for name, each in destination[part].items()}
        for part, member in HELD.items()
        if part in destination
    }
    return {**content, "destination": {**destination, **lists}}


def _taken_over(path: tuple[str, ...], now: Any, new: Mapping[str, Any]) -> str:
    """Return what became of an owner whom no record names any more because the map gives them to somebody; else nothing."""
    if path[:2] != ("destination", "users") or now is not None:
        return ""
    owner = ".".join(path[2:])
    heirs = {str(name).strip().casefold(): heir for name, heir in ((new.get("map") or {}).get("owners") or {}).items()}
    heir = heirs.get(owner.casefold())
    return f"owner {owner}: no record is left with them, {heir} takes over" if heir else ""


def _disagreeing(path: tuple[str, ...], now: Any, new: Mapping[str, Any]) -> str:
    """Return why the order of a column's dates is no longer told, where the files say different ones; else nothing."""
    if path[0] != "spec" or path[-2:] != ORDER or now is not None:
        return ""
    told = {name: file["date_order"] for name, file in ((new.get("source") or {}).get("files") or {}).items() if file.get("date_order")}
    shown = ", ".join(f"{name} {order}" for name, order in told.items())
    return (
        f"; export files are declared with different ones ({shown}), so that what reads two ways waits" if len({*told.values()}) > 1 else ""
    )


def _differ(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield (path, old value, new value) of leaves that differ; None stands for absent."""
    if old == new or (len(path) == 4 and path[-1] in FACTS and path[0] == "destination" and path[1] in HELD):
        return
    if path[0] == "map" and not _is_whole(path) and isinstance(old or new, Mapping):
        old, new = old or {}, new or {}  # a section that is not there decides nothing
    if isinstance(old, Mapping) and isinstance(new, Mapping) and not _is_whole(path):
        for key in sorted({*old, *new}, key=str):
            yield from _differ((*path, str(key)), _at(old, key), _at(new, key))
    elif isinstance(old, list) and isinstance(new, list) and all(isinstance(x, str) for x in (*old, *new)):
        words: list[tuple[Any, Any]] = [(x, None) for x in old if x not in new] + [(None, x) for x in new if x not in old]
        yield from ((path, was, now) for was, now in words or [(old, new)])
    else:
        yield path, old, new


def _at(content: Mapping[str, Any], key: Any) -> Any:
    """Return what stands under a key; a null is LEFT_OUT (a tag that becomes nothing), absence is None."""
    return LEFT_OUT if key in content and content[key] is None else content.get(key)


def _is_whole(path: tuple[str, ...]) -> bool:
    """Say whether what stands here is worded as one: a column's choice, the rows of an export, the conflicts of a phase."""
    return (path[:2] == ("map", "columns") and len(path) == 4) or (path[:1] == ("map",) and len(path) == 3 and path[1] in COUNTED)


def _is_growth(path: tuple[str, ...], was: Any, now: Any) -> bool:
    if path[:2] == ("destination", "users") and (was, now) == (HAS_NONE, HAS_USER):
        return True
    is_one_column = path[0] == "headings" and isinstance(now, str)
    return was is None and not is_one_column and ".".join(path[:-1]) in GROWING


def _gone(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what the destination had, or was given by us, and has no more: loading would make it anew.

    `ready` of a seal counts how often the destination was made ready: what it had then it had after every seal of before.
    """
    is_ready_since = new.get("ready", 0) != old.get("ready", 0)
    for part, (whole, member) in GONE.items():
        before = (old.get("destination") or {}).get(part) or {}
        for name, now in ((new.get("destination") or {}).get(part) or {}).items():
            was = before.get(name) or {}
            is_made_since = bool(now.get("made")) and (is_ready_since or not was.get("made"))
            if whole and (was.get("exists") or is_made_since) and now.get("exists") is False:
                yield Change(f"destination.{part}.{name}", whole.format(name=name))
                continue
            given = set(now.get("had", ())) - (set() if is_ready_since else set(was.get("had", ())))
            there = {*was.get("there", ()), *given}
            wanted = now.get("wanted", now.get(HELD[part], ()))
            for each in sorted((there - set(now.get("there", ()))) & set(wanted)):
                yield Change(f"destination.{part}.{name}.{HELD[part]}", member.format(name=name, each=each))


def _worded(path: tuple[str, ...], was: Any, now: Any) -> str:
    for start, words in WORDS.items():
        if path[: len(start)] == start:
            return words(path[len(start) :], was, now)
    return f"{path[0]} {'.'.join(path[1:])}: {_moved(was, now)}"


def _moved(was: Any, now: Any) -> str:
    if was is None:
        return f"new, {_short(now)}"
    return f"gone, was {_short(was)}" if now is None else f"was {_short(was)}, is {_short(now)}"


def _decision(path: Sequence[str], was: Any, now: Any) -> str:
    return f"decision {path[0]}: {_moved(was, now)}"


def _column(path: Sequence[str], was: Any, now: Any) -> str:
    name = f"column `{path[1]}` of {path[0]}" if len(path) > 1 else f"columns of {path[0]}"
    if now is None:
        return f"{name}: no longer decided; was {_choice(was)}"
    return f"{name}: now {_choice(now)}" + (f" (was {_choice(was)})" if was is not None else "")


def _choice(choice: Any) -> str:
    if not isinstance(choice, Mapping):
        return _short(choice)
    if "ignore" in choice:
        return f"ignored: {choice['ignore']}"
    if "custom_field" in choice:
        kind = f" ({choice['type']}{_order(choice)})" if choice.get("type") else ""
        return f"custom field {choice.get('phase')}.{choice['custom_field']}{kind}"
    return f"field {choice.get('phase')}.{choice.get('field')}{_order(choice)}"


def _order(choice: Mapping[str, Any]) -> str:
    told = (choice.get(name) for name in ("date_order", "decimal_locale", "currency"))
    pivot = [f"years from {choice['year_pivot']:02} on are of the last century"] if choice.get("year_pivot") is not None else []
    return "".join(f", {each}" for each in (*told, *pivot) if each)


def _word(path: Sequence[str], was: Any, now: Any) -> str:
    end = "read as it stands" if now is None else f"read as `{now}`"
    return f"word `{path[-1]}` of {path[0]}: now {end}" + (f" (was `{was}`)" if was is not None else "")


def _owner(path: Sequence[str], was: Any, now: Any) -> str:
    end = "to a user of the same address" if now is None else f"to {now}"
    return f"records of {'.'.join(path)}: now go {end}" + (f" (was {was})" if was is not None else "")


def _tag(path: Sequence[str], was: Any, now: Any) -> str:
    ends = [f"`{end}`" if isinstance(end, str) else end for end in (was, now)]
    return f"tag `{path[-1]}` of {path[0]}: {_moved(*ends)}" + ("; it stays as it stands" if now is None else "")


def _groups(word: str) -> Callable[[Sequence[str], Any, Any], str]:
    def told(path: Sequence[str], was: Any, now: Any) -> str:
        name, count = path[0] if path else "records", len(now or ())
        return (
            f"{name}: {count} {'group' if count == 1 else 'groups'} decided to be {word} (before: {len(was or ())}), or others than before"
        )

    return told


def _counted(what: str) -> Callable[[Sequence[str], Any, Any], str]:
    def told(path: Sequence[str], was: Any, now: Any) -> str:
        count, before = len(_leaves(now)), len(_leaves(was))
        return f"{path[0] if path else 'records'}: {count} {what} (before: {before}), or others than before"

    return told


def _leaves(value: Any) -> list[Any]:
    """Return what was decided one by one: reasons, and sides taken."""
    if not isinstance(value, Mapping) or "take" in value:
        return [] if value is None else [value]
    return [leaf for each in value.values() for leaf in _leaves(each)]


def _left_out(path: Sequence[str], was: Any, now: Any) -> str:
    name = path[0] if path else "rows"
    if isinstance(was, list) or isinstance(now, list):
        return f"{name}: what stays behind is {', '.join(now or ()) or 'nothing'} (was {', '.join(was or ()) or 'nothing'})"
    return f"{name}: rows of kind {was or now} {'stay behind now' if was is None else 'move again'}"


def _source(path: Sequence[str], was: Any, now: Any) -> str:
    if path[0] != "files" or len(path) < 2:
        return f"time zone of the exports: {_moved(was, now)}"
    if len(path) == 2:
        declared = ", ".join(f"{DECLARED.get(name, name)} {_short(value)}" for name, value in (now or {}).items())
        return f"export file {path[1]}: " + ("gone" if now is None else f"new, declared with {declared or 'nothing'}")
    end = "no longer declared" if now is None else f"declared as {_short(now)}"
    return f"export file {path[1]}: {DECLARED.get(path[2], path[2])} {end} ({'was not declared' if was is None else f'was {_short(was)}'})"


def _stale(path: Sequence[str], was: Any, now: Any) -> str:
    moved = f"before {now or 'nobody can tell'} (was {was or 'not decided'})"
    hint = f"; to keep it, write under map: stale_before: {{contacts: {was}}}" if was and not path else ""
    return f"stale is who joined {moved}{hint}"


def _heading(path: Sequence[str], was: Any, now: Any) -> str:
    if isinstance(was, list) or isinstance(now, list):
        return f"exports of {path[0]}: " + ("are new" if was is None else "are gone" if now is None else "columns are in another order")
    return f"column `{was or now}` of {path[0]}: " + ("new in the exports" if was is None else "gone from the exports")


def _field(path: Sequence[str], was: Any, now: Any) -> str:
    name, rest = path[0], path[1:]
    if rest == ("options",):
        return f"the option `{was or now}` of {name} is {'new' if was is None else 'gone'}"
    if rest:
        return f"{name}: {'type' if rest == ('type',) else '.'.join(rest)} {_moved(was, now)}"
    if now is None:
        return f"{name}: this custom field is no longer part of the map"
    options = f", options {', '.join(now['options'])}" if now.get("options") else ""
    return f"{name}: new custom field ({now['type']}{options})"


def _stage(path: Sequence[str], was: Any, now: Any) -> str:
    if len(path) == 1:
        return f"pipeline {path[0]}: {'new' if was is None else 'gone'}"
    if isinstance(was, list) or isinstance(now, list):
        return f"pipeline {path[0]}: its stages are in another order"
    return f"pipeline {path[0]}: stage `{was or now}` is {'new' if was is None else 'gone'}"


def _type(path: Sequence[str], was: Any, now: Any) -> str:
    if len(path) == 1:
        return f"kinds of {path[0]}: {'new' if was is None else 'gone'}"
    return f"{path[0]}: kind `{was or now}` is {'new' if was is None else 'gone'}"


def _user(path: Sequence[str], was: Any, now: Any) -> str:
    owner = ".".join(path)
    if was is None:
        return f"owner {owner}: new in the exports, {now}"
    return (
        f"owner {owner}: gone from the exports"
        if now is None
        else f"owner {owner}: {now} in the destination now, {was.replace('has', 'had')}"
    )


def _currency(path: Sequence[str], was: Any, now: Any) -> str:
    return f"currency {path[0]}: {'new' if was is None else 'no longer in use'}"


def _account(path: Sequence[str], was: Any, now: Any) -> str:
    return f"another account of the destination: {_moved(was, now)}"


def _engine(path: Sequence[str], was: Any, now: Any) -> str:
    return f"engine: {'version' if path[0] == 'version' else 'the libraries it is locked to'} {_moved(was, now)}"


def _spec(path: Sequence[str], was: Any, now: Any) -> str:
    if len(path) >= 3 and path[0] == "phases" and path[2] in {"fields", "custom_fields"} and len(path) > 3:
        name, rest = f"{path[1]}.{path[3]}", ".".join(path[4:])
        if rest:
            return f"{name}: {DECLARED['date_order'] if tuple(path[-2:]) == ORDER else rest} {_moved(was, now)}"
        kind = "custom field" if path[2] == "custom_fields" else "field"
        return f"{name}: {'new' if was is None else 'no longer a'} {kind}" if was is None or now is None else f"{name}: {_moved(was, now)}"
    place = f"phase {path[1]}: {'.'.join(path[2:])}" if path[0] == "phases" and len(path) > 2 else ".".join(path)
    return f"mapping spec, {place}: {_moved(was, now)}"


DECLARED: Mapping[str, str] = {
    "object": "kind of export",
    "exported_at": "time of the export",
    "date_order": "order of day and month",
    "decimal_locale": "way of writing numbers",
}
"""What an engagement declares of a file -> how it is called; others go by their own name."""
GONE: Mapping[str, tuple[str, str]] = {
    "fields": ("the field {name} is gone in the destination", "the option `{each}` of {name} is gone in the destination"),
    "stages": (
        "the pipeline {name} is gone in the destination (renamed or deleted)",
        "the stage `{each}` of pipeline {name} is gone in the destination (renamed or deleted)",
    ),
    "types": ("", "the kind `{each}` of {name} is gone in the destination (renamed or deleted)"),
}
"""Part of the destination -> how it is said that one of it is gone, and a member of one; types have no whole."""
WORDS: Mapping[tuple[str, ...], Callable[[Sequence[str], Any, Any], str]] = {
    ("decisions",): _decision,
    ("map", "columns"): _column,
    ("map", "values"): _word,
    ("map", "owners"): _owner,
    ("map", "tags"): _tag,
    ("map", "same"): _groups("one record"),
    ("map", "different"): _groups("different records"),
    ("map", "leave_out"): _left_out,
    ("map", "conflicts"): _counted("fields in conflict of which a side was taken"),
    ("map", "left_behind"): _counted("rows left behind by name"),
    ("map", "left_lines"): _counted("rows without a key left behind"),
    ("source",): _source,
    ("map", "stale_before"): _stale,
    ("stale_before",): _stale,
    ("headings",): _heading,
    ("destination", "fields"): _field,
    ("destination", "stages"): _stage,
    ("destination", "types"): _type,
    ("destination", "users"): _user,
    ("destination", "currencies"): _currency,
    ("destination", "account"): _account,
    ("engine",): _engine,
    ("spec",): _spec,
}
"""Start of a path -> how a difference below it is said."""


def _short(value: Any) -> str:
    if value is LEFT_OUT:
        return "left out"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."

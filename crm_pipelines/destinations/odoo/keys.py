"""Source keys and external ids: `people.1001` is what key 1001 of people is called inside our module of `ir.model.data`.

Belongs here: the one form of an external id's name, there and back. Not here: where they are looked up (listing, lookup).
"""

from __future__ import annotations

from urllib.parse import quote, unquote


def name_of(phase: str, key: str) -> str:
    """Return the name of an external id; Odoo refuses spaces in it, and a dot separates module and name."""
    return f"{phase}.{quote(key, safe='')}"


def external_id(prefix: str, phase: str, key: str) -> str:
    """Return the whole external id, as `load` takes it: the module up to the first dot, then the name."""
    return f"{prefix}.{name_of(phase, key)}"


def key_of(phase: str, name: str) -> str | None:
    """Return the source key of an external id's name; None for names of other phases."""
    start = f"{phase}."
    return unquote(name[len(start) :]) if name.startswith(start) else None

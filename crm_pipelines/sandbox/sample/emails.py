"""E-mail cells: plain, dressed up, unusable.

Belongs here: the e-mail column. Not here: e-mail twins (twins), which contact gets which (people).
Domains are example.com, example.org and their subdomains only.
"""

from __future__ import annotations

import random

from crm_pipelines.sandbox.sample.world import Cell, Email

LOCALS = ("anna", "ben", "carla", "david", "eva", "frank", "gina", "hugo", "ines", "jonas", "karin", "luis", "mona", "nils")
DOMAINS = ("example.com", "example.org", "mail.example.com", "post.example.org")


def address(rng: random.Random, number: int) -> str:
    """Return an address that no other contact has; some with capitals in front of the @."""
    local = rng.choice(LOCALS)
    if rng.random() < 0.05:
        local = local.capitalize()
    return f"{local}.{number}@{rng.choice(DOMAINS)}"


def usable(text: str) -> Cell:
    """Return a cell that holds nothing but the address."""
    return Cell(text, Email(text, text))


def plus(rng: random.Random, other: str) -> Cell:
    """Return a plus-address built on somebody else's address: still its own person."""
    local, domain = other.split("@")
    return usable(f"{local}+{rng.choice(('promo', 'work', 'kartra'))}@{domain}")


def role(rng: random.Random, number: int) -> Cell:
    """Return the address of a role rather than a person."""
    return usable(f"{rng.choice(('info', 'sales', 'office'))}@shop{number}.example.com")


def dressed(rng: random.Random, text: str) -> Cell:
    """Return an address with spaces, a `mailto:`, a display name or a loud domain around it."""
    local, domain = text.split("@")
    dress = rng.choice((f" {text} ", f"{text}\u00a0", f"mailto:{text}", f"Jane Doe <{text}>", f"{local}@{domain.upper()}"))
    return Cell(dress, Email(text, text))


def bad(rng: random.Random, number: int) -> Cell:
    """Return a text that is no address."""
    text = rng.choice(
        (f"jane.{number}(at)example.com", f"jane.{number}@@example.com", f"jane{number}.example.com", f"jane {number}@example.com")
    )
    return Cell(text, Email(None, text))


def case_twin(text: str) -> Cell:
    """Return the same address in another case."""
    local, domain = text.split("@")
    twisted = f"{local.upper() if local != local.upper() else local.lower()}@{domain}"
    return usable(twisted)

"""Columns that no map knows: what a client added to the account and nobody wrote down.

Belongs here: their headings, their cells, and what the demo's client answers about them. Not here: columns of the account's own list of
custom fields (details.custom_cells), the constant column of later files (exports).
"""

from __future__ import annotations

from datetime import date, timedelta

from crm_pipelines.sandbox.sample.world import EMPTY, Cell, World, plain

BIRTH_DATE, BADGE_COLOUR = "birth_date", "badge_colour"
HEADINGS = (BIRTH_DATE, BADGE_COLOUR)
BIRTHDAY = "Birthday"
"""The custom field that the client's answer makes of `birth_date`; `badge_colour` and the constant column stay behind."""
COLOURS = ("blue", "green", "grey", "red")
FIRST, DAYS = date(1951, 3, 1), 19_000
WITH_BIRTH_DATE, WITH_COLOUR = 0.55, 0.3


def plant_unknown(world: World) -> None:
    """Give contacts a birth date and a badge colour, the same in each of their rows."""
    if not world.config.unknown_columns:
        return
    rng = world.random("unknown columns")
    for contact in world.contacts:
        born = FIRST + timedelta(days=rng.randrange(DAYS))
        cells = {
            BIRTH_DATE: Cell(born.isoformat(), born.isoformat()) if rng.random() < WITH_BIRTH_DATE else EMPTY,
            BADGE_COLOUR: plain(rng.choice(COLOURS)) if rng.random() < WITH_COLOUR else EMPTY,
        }
        for row in contact.rows.values():
            row.update(cells)


def unknown_headings(world: World) -> tuple[str, ...]:
    """Return the headings that stand behind the custom fields."""
    return HEADINGS if world.config.unknown_columns else ()

"""Sensors of an engagement: new export files, and the vendor's next day.

Belongs here: when to ask for a run. Not here: what it does (assets), the walk of a first load (drive; a person starts it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from crm_pipelines.defs.assets import Plan


def build_sensors(plan: Plan) -> list[dg.SensorDefinition]:
    """Return the sensors of an engagement."""
    return []

"""The Dagster code location: every engagement found, one executor. Assembles, defines nothing.

Belongs here: what holds for all engagements. Not here: anything of one engagement (defs).
"""

from __future__ import annotations

import dagster as dg

from crm_pipelines.defs.component import engagement_definitions
from crm_pipelines.defs.home import initialise
from crm_pipelines.defs.resources import Installation
from crm_pipelines.settings import engagement_names, home


@dg.definitions
def defs() -> dg.Definitions:
    """Merge all engagements. Steps stay in the run's process: a step process of its own costs five seconds (measured)."""
    where = initialise(home())
    parts = [engagement_definitions(name) for name in engagement_names(where)]
    shared = dg.Definitions(resources={"installation": Installation()}, executor=dg.in_process_executor)
    return dg.Definitions.merge(*parts, shared)

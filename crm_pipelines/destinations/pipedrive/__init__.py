"""Pipedrive, the first destination: API v2 where it exists, v1 where it does not.

Belongs here: everything that says Pipedrive. Not here: retries and transport (destinations.http), requests a window
(destinations.limiter), the order of journal and network (destinations.waves).
"""

from __future__ import annotations

from crm_pipelines.destinations.pipedrive.destination import PipedriveDestination, connect

__all__ = ["PipedriveDestination", "connect"]

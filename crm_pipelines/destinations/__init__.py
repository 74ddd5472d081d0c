"""CRMs out. `DESTINATIONS` maps a name to `module:factory`, so that phases never import a vendor."""

from __future__ import annotations

DESTINATIONS: dict[str, str] = {
    "odoo": "crm_pipelines.destinations.odoo:connect",
    "pipedrive": "crm_pipelines.destinations.pipedrive:connect",
}

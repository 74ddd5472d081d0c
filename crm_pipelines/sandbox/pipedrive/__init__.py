"""A stateful, strict imitation of the Pipedrive API, v1 and v2, on loopback.

Written from the vendor's OpenAPI files and documents alone. What those leave open is a switch (config.Switches).
Belongs here: the way in. `start` runs it in a process of its own, `serve` in this one.
"""

from __future__ import annotations

from crm_pipelines.sandbox.pipedrive.config import PLANS, SandboxConfig, SandboxUser, Switches
from crm_pipelines.sandbox.pipedrive.running import RunningSandbox, TruthClient, start
from crm_pipelines.sandbox.pipedrive.serving import main, serve

__all__ = ["PLANS", "RunningSandbox", "SandboxConfig", "SandboxUser", "Switches", "TruthClient", "main", "serve", "start"]

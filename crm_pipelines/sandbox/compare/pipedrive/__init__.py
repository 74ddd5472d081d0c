"""Compare what a Pipedrive sandbox holds with the truth of a sample.

Belongs here: reading that account back over HTTP and judging it. Not here: what a comparison says (compare.verdict), other
vendors (compare.odoo).
"""

from __future__ import annotations

from crm_pipelines.sandbox.compare.pipedrive.judge import compare

__all__ = ["compare"]

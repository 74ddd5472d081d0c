"""Compare what an Odoo database holds with the truth of a sample, by SQL and without Odoo.

Belongs here: reading Odoo's own PostgreSQL and judging it. Not here: what a comparison says (compare.verdict), other vendors.
Tables and columns: measured on Odoo 19.0 Community.
"""

from __future__ import annotations

from crm_pipelines.sandbox.compare.odoo.before import baseline
from crm_pipelines.sandbox.compare.odoo.judge import compare
from crm_pipelines.sandbox.compare.odoo.reasons import NOT_COMPARED

__all__ = ["NOT_COMPARED", "baseline", "compare"]

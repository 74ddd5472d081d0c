"""Compare what a destination holds with the truth of a sample: every record, every field, every link.

Belongs here: what a comparison says (verdict, values) and one package for each vendor: `pipedrive` reads a sandbox account over
HTTP, `odoo` reads Odoo's own PostgreSQL. Nothing here may import another package of the product: the judge must not share a
mistake with the judged. The truth itself: crm_pipelines.sandbox.sample.
"""

from __future__ import annotations

from crm_pipelines.sandbox.compare.pipedrive import compare
from crm_pipelines.sandbox.compare.verdict import NOT_COMPARED, Comparison, ComparisonError, Difference

__all__ = ["NOT_COMPARED", "Comparison", "ComparisonError", "Difference", "compare"]

"""Compare what a Pipedrive sandbox holds with the truth of a sample: every record, every field, every link.

Belongs here: reading the account back and judging it. Nothing here may import another package of the product: the
judge must not share a mistake with the judged. The truth itself: crm_pipelines.sandbox.sample.
"""

from __future__ import annotations

from crm_pipelines.sandbox.compare.account import ComparisonError
from crm_pipelines.sandbox.compare.judge import compare
from crm_pipelines.sandbox.compare.verdict import NOT_COMPARED, Comparison, Difference

__all__ = ["NOT_COMPARED", "Comparison", "ComparisonError", "Difference", "compare"]

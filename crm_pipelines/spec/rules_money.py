"""Rules over money.

Belongs here: what currency an amount is in. Not here: numbers (rules_text, rules_read), what purchases add up to (phases.resolve).
"""

from __future__ import annotations

import polars as pl

from crm_pipelines.spec.currencies import CODES
from crm_pipelines.spec.rules import rule
from crm_pipelines.spec.rules_text import filled


@rule("text", gives="text", reason="unknown_currency", queue="remediation")
def currency_code(column: pl.Expr) -> pl.Expr:
    """The ISO code of a currency, `EUR`, written in any case. A word that is no code stops its row: no amount arrives in
    another currency."""
    code = filled(column).str.to_uppercase()
    return pl.when(code.is_in(sorted(CODES))).then(code)

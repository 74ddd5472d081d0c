"""The pandera contract of a typed export, generated from the source's columns.

Belongs here: the schema and its check on a frame. Not here: cell errors, which typing already turned into nulls with
reasons; what fails here contradicts the contract as a whole, and nothing of the file is used.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.base import LINE, ROW, SourceObject
from crm_pipelines.sources.typed import DTYPES

if TYPE_CHECKING:
    import pandera.polars as pa


@lru_cache(maxsize=64)
def export_schema(contract: SourceObject) -> pa.DataFrameSchema:
    """Return the schema of an object's typed frame: types, the key never null, row numbers positive and unique."""
    import pandera.polars as pa  # 2 to 3 seconds to import

    columns = {
        column.name: pa.Column(DTYPES[column.type], nullable=column.name != contract.key, required=column.required)
        for column in contract.columns
    }
    rows = pa.Column(pl.Int64, pa.Check.ge(1), unique=True)
    return pa.DataFrameSchema({ROW: rows, LINE: pa.Column(pl.Int64, pa.Check.ge(1)), **columns}, strict=False, name=contract.name)


def hold_to_contract(frame: pl.DataFrame, contract: SourceObject, file_name: str) -> None:
    """Check a typed frame against its contract.

    Raises: SourceError with the columns and checks that failed, never a value.
    """
    from pandera.errors import SchemaError, SchemaErrors

    try:
        export_schema(contract).validate(frame, lazy=True)
    except SchemaErrors as error:
        # A failure case is a field value, save where a column is missing: there it is the column's name.
        missing = pl.col("check") == "column_in_dataframe"
        column = pl.when(missing).then("failure_case").otherwise("column")
        failed = error.failure_cases.select(column.alias("column"), "check").unique(maintain_order=True).rows()
        told = "; ".join(f"{name}: {check}" for name, check in failed)
    except SchemaError as error:
        told = str(error.check)
    else:
        return
    raise SourceError(f"{file_name}: the typed {contract.name} rows do not keep their contract ({told}); nothing of the file was used")

"""The pandera contract: what typing got wrong as a whole stops the file, and the message holds no value."""

from __future__ import annotations

import polars as pl
import pytest

from crm_pipelines.errors import SourceError
from crm_pipelines.sources.schema import hold_to_contract
from crm_pipelines_tests.unit.sources.staging import KARTRA

CONTACTS = KARTRA.objects["contacts"]
GOOD = pl.DataFrame({"_row": [1, 2], "_line": [2, 3], "id": [7, 8], "email": ["a@example.com", None], "favourite": ["x", None]})


def test_frame_that_keeps_its_contract_passes_with_columns_of_its_own() -> None:
    hold_to_contract(GOOD, CONTACTS, "contacts_1.csv")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (GOOD.with_columns(pl.col("id").cast(pl.String)), "id: dtype"),
        (GOOD.with_columns(id=pl.Series([7, None])), "id: not_nullable"),
        (GOOD.with_columns(_row=pl.Series([1, 1])), "_row: field_uniqueness"),
        (GOOD.drop("email"), "email"),
    ],
)
def test_frame_that_breaks_its_contract_is_refused(changed: pl.DataFrame, told: str) -> None:
    with pytest.raises(SourceError) as caught:
        hold_to_contract(changed, CONTACTS, "contacts_1.csv")
    assert str(caught.value).startswith("contacts_1.csv: the typed contacts rows do not keep their contract (")
    assert told in str(caught.value)
    assert "example.com" not in str(caught.value)

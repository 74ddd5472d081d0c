"""The second reading of amounts: what a person reads in a cell, by code that shares nothing with the reader."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

from crm_pipelines.sources import moneycount
from crm_pipelines.sources.moneycount import MoneyColumns, RawAmount, count_money
from crm_pipelines_tests.unit.sources.staging import KARTRA

COLUMNS = MoneyColumns("id", "amount", "transaction_type", "currency")


def counted(tmp_path: Path, text: str, *, is_comma: bool = False, encoding: str = "utf-8") -> list[RawAmount]:
    path = tmp_path / "transactions.csv"
    path.write_bytes(text.encode(encoding))
    return list(count_money(path, KARTRA.objects["transactions"], COLUMNS, encoding=None, is_comma=is_comma))


def test_shares_no_code_with_the_reader_and_the_map() -> None:
    tree = ast.parse(Path(str(moneycount.__file__)).read_text())
    ours = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) if "crm_pipelines" in str(node.module)}
    assert ours == {"crm_pipelines.sources.base", "crm_pipelines.sources.rowcount"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_row_is_read_where_it_stands(tmp_path: Path, encoding: str) -> None:
    text = 'ID,Transaction_Type,Amount (EUR)\n7,Sale,"1,249.50"\n\n8,Refund,9\n9,Sale,1,249.50\n,Sale,3.10\n10,"Partial\nrefund",(2.00)\n'
    found = counted(tmp_path, text, encoding=encoding)
    assert [(one.row, one.key, one.amount) for one in found] == [
        (1, "7", Decimal("1249.50")),
        (3, "8", Decimal(9)),
        (4, "9", None),  # a cell too many, so that nobody can tell which
        (5, "", Decimal("3.10")),
        (6, "10", Decimal(-2)),
    ]
    assert {one.currency for one in found} == {"EUR"}
    assert found[1].word == "Refund"


@pytest.mark.parametrize(
    ("cell", "is_comma", "amount"),
    [
        ("1.249,50", True, "1249.50"),
        ("1.249", True, "1249"),
        ("1.249", False, "1.249"),
        ("1,249", False, "1249"),
        ("1,249", True, "1.249"),
        ("1.234.567,8", False, "1234567.8"),
        ("$ 9.50", False, "9.50"),
        ("-9.50", False, "-9.50"),
        ("0", False, "0"),
        ("N/A", False, None),
        ("", False, None),
        ("12 EUR", False, None),
    ],
)
def test_a_number_is_read_as_a_person_would(tmp_path: Path, cell: str, is_comma: bool, amount: str | None) -> None:
    found = counted(tmp_path, f'id;Transaction_Type;Amount (USD);currency\n1;Sale;"{cell}";GBP\n', is_comma=is_comma)
    assert [one.amount for one in found] == [None if amount is None else Decimal(amount)]
    assert found[0].currency == "GBP", "a row's own currency counts before the heading's"

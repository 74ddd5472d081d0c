"""Any text: rules on polars and on the oracle agree, and payloads are the JSON that orjson would write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_pipelines.spec.encode import json_documents
from crm_pipelines.spec.rules import load_rules
from crm_pipelines_tests.lib.oracle import ORACLE

# The two differ on purpose on separators that no export holds (U+001C to U+001F, U+0085, U+2028) and on case folding
# beyond lower case; both are drawn without them.
LETTERS = st.sampled_from(list("aB é£™中🙂0.,;:|<>/&\"'\\@+-_()\t\n{}[]xX=")) | st.characters(
    codec="utf-8", categories=["L", "N", "P", "S"]
)
CELLS = st.one_of(st.none(), st.text(LETTERS, max_size=24))
LISTS = st.one_of(st.none(), st.lists(st.text(LETTERS, max_size=6), max_size=5))
MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
WORDS = {"apple": ["1"], "salt, pepper": ["2"], "Not accepted": []}
MANY = settings(max_examples=25, deadline=None)

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("text", (CELLS,), {"max": 6, "empty": ["0", "a"]}),
    ("join", (CELLS, CELLS, CELLS), {"separator": ", "}),
    ("first_filled", (CELLS, CELLS), {}),
    ("full_name", (CELLS, CELLS), {}),
    ("labels", (LISTS,), {"prefix": "list_"}),
    ("labels", (LISTS,), {}),
    ("list_of_one", (CELLS,), {}),
    ("join_list", (LISTS,), {}),
    ("html_note", (CELLS,), {}),
    ("html_paragraph", (CELLS,), {}),
    ("one_line", (st.none() | st.text(st.sampled_from(list("ab ,\t\n\r")), max_size=12),), {}),
    ("web_address", (st.none() | st.text(st.sampled_from(list("ab/:?#.+1 @")), max_size=12),), {}),
    ("address", (CELLS, CELLS, CELLS), {"parts": ["value", "locality", "country"]}),
    ("option", (st.sampled_from([None, "1", " Apple", "not  ACCEPTED", "x", ""]),), {"words": WORDS}),
    ("options", (st.lists(st.sampled_from(["1", "Apple", "salt, pepper", "2", "x", " "]), max_size=4),), {"words": WORDS}),
    (
        "split_options",
        (st.lists(st.sampled_from(["1", "Apple", "salt, pepper", "salt", "2", " ", "|", ","]), max_size=5).map("".join),),
        {"words": WORDS},
    ),
    (
        "email",
        (st.lists(st.sampled_from(["a", "B.C", "@", "ex", ".com", ".", " ", "<", ">", "mailto:", ",", "é"]), max_size=7).map("".join),),
        {},
    ),
]


def dtype_of(values: list[Any]) -> Any:
    return pl.List(pl.String) if any(isinstance(value, list) for value in values) else pl.String


@pytest.mark.parametrize(("name", "strategies", "with_"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_polars_and_oracle_agree(name: str, strategies: tuple[Any, ...], with_: dict[str, Any]) -> None:
    lists = name in ("labels", "join_list", "options")

    @MANY
    @given(st.lists(st.tuples(*strategies), min_size=1, max_size=8))
    def agree(rows: list[tuple[Any, ...]]) -> None:
        kind = pl.List(pl.String) if lists else pl.String
        frame = pl.DataFrame({f"c{place}": pl.Series([row[place] for row in rows], dtype=kind) for place in range(len(strategies))})
        given_columns = [pl.col(column) for column in frame.columns]
        found = frame.select(load_rules()[name].apply(*given_columns, **with_).alias("r"))["r"].to_list()
        for row, value in zip(rows, found, strict=True):
            kept = {part: text for part, text in value.items() if text is not None} if isinstance(value, dict) else value
            assert (kept or None) == ORACLE[name](*row, **with_), row

    agree()


@MANY
@given(st.lists(MOMENTS, min_size=1, max_size=8), st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "UTC"]))
def test_days_agree_in_any_zone(moments: list[datetime], zone: str) -> None:
    frame = pl.DataFrame({"m": pl.Series(moments, dtype=pl.Datetime("us", "UTC"))})
    found = frame.select(load_rules()["local_date"].apply(pl.col("m"), zone=zone))["m"].to_list()
    assert found == [ORACLE["local_date"](moment, zone=zone) for moment in moments]


def not_empty(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a payload holds of a row: nothing empty, whole numbers without a point."""
    whole = {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in row.items()}
    return {name: value for name, value in whole.items() if value not in (None, "", [], {}) or value is False or isinstance(value, int)}


@MANY
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "a": CELLS,
                "l": LISTS,
                "f": st.one_of(st.none(), st.floats(-1e12, 1e12).map(lambda x: round(x, 4))),
                "b": st.sampled_from([None, True, False]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_payloads_are_canonical_json(rows: list[dict[str, Any]]) -> None:
    types = {"a": pl.String, "l": pl.List(pl.String), "f": pl.Float64, "b": pl.Boolean}
    frame = pl.DataFrame(rows, schema=types)
    written = json_documents(frame, {name: name for name in frame.columns}, {"in": {"x": "a"}, "z": {"y": "l", "x": "f"}})
    for text, row in zip(written, rows, strict=True):
        kept = not_empty({**row, "in": not_empty({"x": row["a"]}), "z": not_empty({"y": row["l"], "x": row["f"]})})
        assert text == orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()

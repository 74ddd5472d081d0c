"""Which records that are there already are the desired ones: names and addresses as people mean them."""

from __future__ import annotations

import orjson
import polars as pl
import pytest

from crm_pipelines.keys import match_value
from crm_pipelines.phases.match import adopted


@pytest.mark.parametrize(
    ("wanted", "there", "decision"),
    [
        ({"email": "Ann@Example.com"}, "ann@example.COM", "adopt"),
        ({"email": "info@fußball.example.com"}, "info@fussball.example.com", "create"),
        ({"email": "weiss@example.com"}, "weiß@example.com", "create"),
        ({"email": "JÖRG@example.com"}, "jörg@example.com", "adopt"),
        ({"emails": ["weiß@example.com"]}, "WEIß@example.com", "adopt"),
        ({"name": "STRASSE & Co"}, "Straße & Co", "adopt"),
    ],
)
def test_case_does_not_count_and_addresses_with_eszett_are_their_own(wanted: dict[str, object], there: str, decision: str) -> None:
    frame = pl.DataFrame({"decision": ["create"], "payload": [orjson.dumps(wanted).decode()]})
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("queue", "reason", "destination_id", "base"))
    existing = pl.DataFrame({"destination_id": ["7"], "match": [match_value(there)], "payload": ["{}"]})
    assert adopted(frame, existing, ["emails", "email", "name"])["decision"].to_list() == [decision]

"""Records as frames: by key, in bulk, held and released."""

from __future__ import annotations

import polars as pl
import pytest

from crm_pipelines.journal import Attempt, Outcome
from crm_pipelines.ledger import Fence, Ledger
from crm_pipelines_tests.conformance.ledger.conftest import ACCOUNT, ENGAGEMENT, PHASE

SCOPE = (ACCOUNT, ENGAGEMENT, PHASE)
ODD = ["o'brien@example.com", 'quo"te', "back\\slash", "100%s ?", "ünï@example.com", "😀", "", " space ", "{a,b}", "NULL"]
KNOWN = ["destination_id", "applied_hash", "outcome", "outcome_pass"]
COLUMNS = ["key", *KNOWN, "held_state", "held_queue", "held_reason", "held_hash", "held_pass"]


def create(ledger: Ledger, fence: Fence, keys: list[str], scope: tuple[str, str, str] = SCOPE) -> None:
    journal = ledger.journal(*scope, 1, fence)
    sent = journal.sending([Attempt(key, "create", "h", b"\x00\xff{}", "t", 1) for key in keys], None)
    journal.answered([Outcome(i, key, "created", f"id of {key}") for i, key in zip(sent, keys, strict=True)])


def held(keys: list[str], state: str = "waiting", queue: str | None = "owner") -> pl.DataFrame:
    size = len(keys)
    columns = {"key": keys, "state": [state] * size, "queue": [queue] * size, "reason": ["no user"] * size, "hash": ["h2"] * size}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def test_odd_keys_and_bytes_come_back_as_they_went_in(ledger: Ledger, fence: Fence) -> None:
    create(ledger, fence, ODD)
    assert sorted(ledger.records(*SCOPE, ODD)["key"]) == sorted(ODD)
    assert ledger.ids(*SCOPE, ODD) == {key: f"id of {key}" for key in ODD}
    assert set(ledger.payloads(*SCOPE, ODD)["applied_payload"]) == {b"\x00\xff{}"}
    ledger.release(*SCOPE, fence, ODD)


def test_frames_have_one_shape_whatever_is_in_them(ledger: Ledger, fence: Fence) -> None:
    empty = ledger.records(*SCOPE, ["a"])
    create(ledger, fence, ["a", "b"])
    some, whole = ledger.records(*SCOPE, ["a", "none"]), ledger.records(*SCOPE)
    assert empty.columns == some.columns == whole.columns == COLUMNS
    assert empty.schema == some.schema == whole.schema == ledger.records(*SCOPE, []).schema
    assert (empty.height, some.height, whole.height) == (0, 1, 2)
    assert pl.concat([empty, some, whole]).height == 3


def test_scopes_never_mix(ledger: Ledger, fence: Fence) -> None:
    create(ledger, fence, ["a"])
    for other in [("rehearsal", ENGAGEMENT, PHASE), (ACCOUNT, "other", PHASE), (ACCOUNT, ENGAGEMENT, "deals")]:
        assert ledger.records(*other).is_empty()
        assert ledger.ids(*other, ["a"]) == {}
        assert ledger.counts(*other) == {"open": 0}


def test_lookups_of_many_keys(ledger: Ledger, fence: Fence) -> None:
    keys = [f"lead-{i}@example.com" for i in range(25_000)]
    ledger.hold(*SCOPE, 1, fence, held(keys))
    found = ledger.records(*SCOPE, [*keys, "none"])
    assert sorted(found["key"]) == sorted(keys)
    assert ledger.records(*SCOPE).height == 25_000
    assert ledger.counts(*SCOPE) == {"waiting": 25_000, "open": 0}


def test_holding_changes_nothing_but_what_holds(ledger: Ledger, fence: Fence) -> None:
    create(ledger, fence, ["a"])
    ledger.hold(*SCOPE, 2, fence, held(["a", "new"]))
    found = {row["key"]: row for row in ledger.records(*SCOPE).rows(named=True)}
    holds = {"held_state": "waiting", "held_queue": "owner", "held_reason": "no user", "held_hash": "h2", "held_pass": 2}
    nothing = {"destination_id": None, "applied_hash": None, "outcome": None, "outcome_pass": None}
    assert found["a"] == {"key": "a", "destination_id": "id of a", "applied_hash": "h", "outcome": "created", "outcome_pass": 1, **holds}
    assert found["new"] == {"key": "new", **nothing, **holds}


def test_the_last_hold_counts_and_release_clears_it(ledger: Ledger, fence: Fence) -> None:
    ledger.hold(*SCOPE, 1, fence, held(["a", "b"]))
    ledger.hold(*SCOPE, 1, fence, held(["a"], "refused", None))
    assert ledger.counts(*SCOPE) == {"waiting": 1, "refused": 1, "open": 0}
    ledger.release(*SCOPE, fence, ["a", "unknown key"])
    assert ledger.counts(*SCOPE) == {"waiting": 1, "open": 0}
    create(ledger, fence, ["b"])
    assert ledger.counts(*SCOPE) == {"created": 1, "open": 0}


def test_the_first_before_image_stays(ledger: Ledger, fence: Fence) -> None:
    create(ledger, fence, ["a"])
    ledger.remember_before(*SCOPE, fence, {"a": b"as it was", "b": b"not ours yet"})
    ledger.remember_before(*SCOPE, fence, {"a": b"later"})
    assert dict(ledger.before_images(*SCOPE, ["a", "b"]).rows()) == {"a": b"as it was", "b": b"not ours yet"}
    assert ledger.ids(*SCOPE) == {"a": "id of a"}


@pytest.mark.parametrize("keys", [[], ["a"]])
def test_an_empty_hold_is_no_error(ledger: Ledger, fence: Fence, keys: list[str]) -> None:
    ledger.hold(*SCOPE, 1, fence, held(keys))
    ledger.release(*SCOPE, fence, keys)
    assert "waiting" not in ledger.counts(*SCOPE)


def test_ids_of_other_engagements_on_the_account_are_told_apart(ledger: Ledger, fence: Fence) -> None:
    create(ledger, fence, ["ours"])
    create(ledger, fence, ["theirs"], (ACCOUNT, "rehearsal", PHASE))
    create(ledger, fence, ["elsewhere"], (ACCOUNT, "rehearsal", "deals"))
    assert ledger.foreign_ids(*SCOPE) == {"id of theirs"}
    assert ledger.foreign_ids(ACCOUNT, "rehearsal", "deals") == set()

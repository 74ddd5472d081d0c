"""What a change asks for fits what was confirmed before."""

from __future__ import annotations

from crm_pipelines.phases.confirm import how_to_confirm


def test_a_change_after_a_full_seal_needs_a_reason_and_after_a_sample_another_sample() -> None:
    assert how_to_confirm("acme", "sample") == "crm confirm acme --by NAME --sample 50"
    told = how_to_confirm("acme", "full")
    assert told.startswith("crm confirm acme --by NAME --without-sample REASON")
    assert "--sample 50" in told

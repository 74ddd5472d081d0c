"""The same promise under every answer: each decision of the client, and each question that the vendor's documents leave open.

The comparison is with the generator's truth for these decisions, read from the sandbox's side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from crm_pipelines.sandbox.pipedrive import Switches
from crm_pipelines_tests.lib.rig import Rig

DECISIONS: tuple[Mapping[str, str], ...] = (
    {"rebills": "deal_each"},
    {"failed": "lost_deal", "refunded": "won_minus_refund"},
    {"subscription_value": "first", "deal_labels": "contact_tags"},
    {"subscription_value": "latest", "deal_labels": "none", "cancelled_bookings": "exclude"},
    {"lists": "custom_field", "companyless": "none", "consent_proof": "never"},
    {"affiliates": "partner_organizations", "extra_fields": "core"},
    {"owners": "default_user", "default_owner": "ana@agency.example.com"},
)
SWITCHES: tuple[Mapping[str, Any], ...] = (
    {"won_time_on_create": False},
    {"pipeline_default_stages": True, "label_field_code": "label"},
    {"daily_token_headers": False, "burst_retry_after": False},
    {"deal_add_time": True, "not_found_code": "ERR_NOT_FOUND", "failed_calls_cost": False, "deleted_reads": "not_found"},
)


def named(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def assert_is_the_truth(rig: Rig) -> None:
    found = rig.compare()
    assert found.differences == []
    assert found.records_compared == sum(len(records) for records in rig.truth["records"].values())


@pytest.mark.parametrize("decisions", DECISIONS, ids=named)
def test_every_decision_ends_with_its_own_truth(
    decisions: Mapping[str, str], rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(contacts=90, sample={"chunks": 2}, decisions=decisions)
    assert one.walk_here(monkeypatch) == 0
    assert_is_the_truth(one)


@pytest.mark.parametrize("switches", SWITCHES, ids=named)
def test_open_questions_about_the_vendor_do_not_matter(
    switches: Mapping[str, Any], rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = rig(contacts=60, sandbox={"switches": Switches().changed(dict(switches))})
    assert one.walk_here(monkeypatch) == 0
    assert_is_the_truth(one)

"""What `crm decide` says it changed, and leaves in the audit trail."""

from __future__ import annotations

from crm_pipelines.defs.discovering import changes
from crm_pipelines.spec.client import Client
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.parse import Document


def test_what_was_decided_is_told_by_name_and_team_members_by_their_number() -> None:
    answers, owners = {"lists": "labels"}, {"old@example.com": "ana@example.com"}
    before = Client(answers, answers, ClientMap.model_validate({"owners": owners}), (), Document(None, "", {}))
    client_map = {
        "owners": {"old@example.com": "bob@example.com", "zoe@example.com": "ana@example.com"},
        "columns": {"contacts": {"Hobby": {"ignore": "Nobody needs it."}}},
    }
    told = changes(before, {"lists": "custom_field"}, client_map)
    assert told == ["question lists", "columns contacts", "who takes over from 2 team members"]
    assert changes(before, {"lists": "labels"}, {"owners": owners}) == []

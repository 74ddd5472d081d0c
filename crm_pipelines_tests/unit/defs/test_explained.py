"""What stands beside the counts: money counted apart agrees with what was read, decisions say who answered, opt-outs are counted."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crm_pipelines.defs.explained import explained, with_values
from crm_pipelines.ledger import Ledger
from crm_pipelines.phases.columns import column_account
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib.opened import ROUTES, sampled, written


@pytest.fixture(scope="module", params=ROUTES)
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sampled(tmp_path_factory.mktemp(request.param), request.param, contacts=120, unknown_columns=True)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}") as opened:
        yield opened


@pytest.fixture
def told(project: Project, ledger: Ledger) -> dict[str, Any]:
    phases = [{"phase": phase, "gate": "passed", "money": []} for phase in project.phases]
    return explained(project, ledger, {"phases": phases, "confirmed": "full"})


def read_by_the_reader(project: Project, kind: str) -> tuple[int, Decimal]:
    """Return rows and sum of the transactions of one kind, each key once, as the product's reader has them."""
    frames = [pl.read_parquet(project.staged_path("transactions", key)) for key in project.object_chunks("transactions")]
    rows = pl.concat([frame.select("id", "transaction_type", "amount") for frame in frames]).unique("id", keep="last")
    own = rows.filter(pl.col("transaction_type") == kind)
    return own.height, Decimal(own["amount"].abs().sum() or 0)  # what was paid back is written with a minus or without one


@pytest.mark.parametrize(("kind", "word", "sign"), [("sale", "Sale", 1), ("rebill", "Rebill", 1), ("refund", "Refund", -1)])
def test_money_counted_apart_agrees_with_what_was_read(project: Project, told: dict[str, Any], kind: str, word: str, sign: int) -> None:
    bridge = next(one for one in told["money_bridge"] if one["object"] == "transactions")
    raw = next(one for one in bridge["raw"] if one["kind"] == kind)
    rows, total = read_by_the_reader(project, word)
    unread = sum(one["rows"] for one in bridge["aside"] if one["bucket"] == "quarantined")
    assert rows <= raw["rows"] <= rows + unread, "rows that could not be read are counted here, too"
    known = Decimal(sum(Decimal(one["sum"]) for one in bridge["aside"] if one["bucket"] == "quarantined"))
    assert Decimal(0) <= abs(Decimal(raw["sum"])) - total <= max(known, Decimal(0))
    assert Decimal(raw["sum"]) * sign > 0


def test_nothing_is_in_the_destination_before_it_was_sent(told: dict[str, Any]) -> None:
    assert {(Decimal(one["expected"]), one["found"]["records"], Decimal(one["difference"])) for one in told["money_bridge"]} == {(0, 0, 0)}
    assert "pending" in {each["bucket"] for one in told["money_bridge"] for each in one["aside"]}


def test_answers_and_defaults_are_told_apart_and_organizations_of_private_persons_name_their_decision(
    project: Project, told: dict[str, Any]
) -> None:
    by_name = {one["name"]: one["is_default"] for one in told["decisions"]}
    assert by_name["owners"] is False
    assert {is_default for name, is_default in by_name.items() if name != "owners"} == {True}
    private = [(one["phase"], one["decision"]) for one in told["made"] if one["kind"] == "private"]
    assert private == ([("organizations", "companyless")] if "companyless" in by_name else [])


def test_an_answer_names_who_gave_it_in_the_workbook(project: Project, ledger: Ledger) -> None:
    ledger.add_audit("acme", "Ada", "decided by workbook", {"changed": ["question owners"]})
    ledger.add_audit("acme", "Ben", "decided by workbook", {"changed": ["columns contacts"]})
    told = explained(project, ledger, {"phases": [], "confirmed": "sample"})
    assert [one["by"] for one in told["decisions"] if one["name"] == "owners"] == ["Ada"]
    assert {one["by"] for one in told["decisions"] if one["name"] != "owners"} == {None}
    assert told["money_bridge"] == [], "a sample is no whole to be bridged"


def test_whoever_opted_out_is_counted_with_the_words_that_count(told: dict[str, Any]) -> None:
    (found,) = told["opt_outs"]
    assert found["not_sent"] > found["waiting"], "nothing was sent yet"
    assert "Spam complaint" in found["counts"]["status"]
    assert found["counts"]["gdpr_status"] == ["Not accepted"]


def test_words_for_nothing_are_no_values(project: Project) -> None:
    columns = {(one["object"], one["heading"]): one for one in with_values(project, column_account(project))}
    assert all(one["values"] <= one["filled"] for one in columns.values())
    assert columns["transactions", "jv_username"]["values"] == 0 < columns["transactions", "jv_username"]["filled"]
    assert columns["contacts", "id"]["values"] == columns["contacts", "id"]["filled"]


def test_a_word_for_nothing_is_none_in_columns_that_nobody_knows_either(tmp_path: Path) -> None:
    project = written(tmp_path, [("contacts.csv", "id,email,badge\n1,a@example.com,N/A\n2,b@example.com,red\n3,c@example.com,\n")])
    (badge,) = [one for one in with_values(project, column_account(project)) if one["heading"] == "badge"]
    assert (badge["filled"], badge["values"]) == (2, 1)

"""decisions.yaml rewritten: it says exactly what was decided, and an engineer finds every comment again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crm_pipelines.errors import SettingsError, SpecError
from crm_pipelines.phases.client import read_client, write_client
from crm_pipelines.settings import AccountNode, Engagement, EngagementNode
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines_tests.lib.spec_text import ROUTE

TEXT = """\
# Talked about on Monday.
owners: queue_rows   # Ana calls them
# Labels, because of the automations.
lists: labels

map:
  # asked Bea
  columns:
    contacts:
      Shoe size: {phase: people, custom_field: Shoe size}   # 12 customers
      Old: {ignore: Nobody uses it any more.}
  same: {contacts: [[0012, 7]]}
"""


@pytest.fixture
def engagement(tmp_path: Path) -> Engagement:
    return _engagement(tmp_path)


def _engagement(folder: Path) -> Engagement:
    node = EngagementNode(route="kartra_to_pipedrive", account=AccountNode(name="acme", token_env="T"))
    shutil.copy(ROUTE, folder / ROUTE.name)
    return Engagement(name="acme", folder=folder, node=node, decisions_text="", spec_path=folder / ROUTE.name)


def test_rows_left_behind_and_sides_taken_are_written_as_they_were_decided(engagement: Engagement) -> None:
    engagement.decisions_path.write_text(TEXT, encoding="utf-8")
    side = {"take": "theirs", "export": "0123456789ab"}
    more = {"conflicts": {"people": {"0012": {"custom.Level": side}}}, "left_behind": {"contacts": {"no": "a test: 'account'"}}}
    more |= {"left_lines": {"contacts": {"001-0001-leads-ab": {"3": "a broken line"}}}}
    changed = ClientMap.model_validate({**read_client(engagement).map.model_dump(exclude_defaults=True), **more})
    write_client(engagement, None, changed, "Ana")
    assert read_client(engagement).map == changed
    assert 'custom.Level: {take: theirs, export: "0123456789ab"}' in engagement.decisions_path.read_text("utf-8")


def test_comments_order_and_untouched_lines_stay_as_they_are(engagement: Engagement) -> None:
    engagement.decisions_path.write_text(TEXT, encoding="utf-8")
    before = read_client(engagement)
    column = {**before.map.columns["contacts"], "Hat": {"phase": "people", "custom_field": "Hat size", "type": "number"}}
    changed = ClientMap.model_validate({**before.map.model_dump(exclude_defaults=True), "columns": {"contacts": column}})
    write_client(engagement, {"owners": "block_phase", "lists": "labels", "rebills": "deal_each"}, changed, "Ana")
    expected = TEXT.replace("queue_rows ", "block_phase ").replace(
        "any more.}\n", "any more.}\n      Hat: {phase: people, custom_field: Hat size, type: number}\n"
    )
    signature, rest = engagement.decisions_path.read_text("utf-8").split("\n", 1)
    assert signature.startswith("# Last written by Ana, ")
    assert rest.split() == f"{expected}rebills: deal_each\n".split()
    assert (engagement.decisions_path.stat().st_mode & 0o777) == 0o600


def test_an_answer_taken_back_leaves_its_question_open_and_the_comments_there(engagement: Engagement) -> None:
    engagement.decisions_path.write_text(TEXT, encoding="utf-8")
    write_client(engagement, {"lists": "labels"}, None, "Ana")
    after = read_client(engagement)
    assert (after.unanswered, after.map.same) == (("owners",), {"contacts": (("0012", "7"),)})
    assert "# Ana calls them" in engagement.decisions_path.read_text("utf-8")
    assert "# Labels, because of the automations." in engagement.decisions_path.read_text("utf-8")


def test_what_changes_nothing_writes_nothing(engagement: Engagement) -> None:
    engagement.decisions_path.write_text(TEXT, encoding="utf-8")
    before = read_client(engagement)
    write_client(engagement, before.answers, before.map, "Ana")
    assert engagement.decisions_path.read_text("utf-8") == TEXT


def test_only_the_last_writer_signs(engagement: Engagement) -> None:
    for who, option in (("Ana\n# evil", "labels"), ("Bea", "custom_field")):
        write_client(engagement, {"lists": option}, None, who)
    assert engagement.decisions_path.read_text("utf-8").count("# Last written by") == 1
    assert read_client(engagement).answers == {"lists": "custom_field"}


@pytest.mark.parametrize(
    ("content", "error"), [(b"owners: [", SpecError), (b"owner: queue_rows\n", SpecError), (b"\xff\xfe", SettingsError)]
)
def test_a_file_that_cannot_be_read_is_left_as_it_is(engagement: Engagement, content: bytes, error: type[Exception]) -> None:
    engagement.decisions_path.write_bytes(content)
    with pytest.raises(error):
        write_client(engagement, {}, None, "Ana")
    assert engagement.decisions_path.read_bytes() == content


words = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "null",
        "~",
        "",
        "0012",
        "1e3",
        "yes",
        "- a",
        "a: b",
        "# no",
        "'",
        '"',
        "*x",
        "&x",
        "!t",
        "|",
        "\u2028",
        "a\nb",
        " a ",
        "2020-01-01",
        "<<",
        "\x85",
    ]
)
tables = st.dictionaries(words, words, max_size=3)
columns = st.fixed_dictionaries({"phase": words, "custom_field": words}, optional={"type": st.just("number")}) | st.fixed_dictionaries(
    {"ignore": words.map("a reason: ".__add__)}
)
groups = st.lists(st.lists(words, max_size=3), max_size=2)
maps = st.fixed_dictionaries(
    {},
    optional={
        "columns": st.dictionaries(words, st.dictionaries(words, columns, max_size=2), max_size=2),
        "values": st.dictionaries(words, tables, max_size=2),
        "owners": tables,
        "tags": st.dictionaries(words, st.dictionaries(words, st.none() | words, max_size=3), max_size=2),
        "same": st.dictionaries(words, groups, max_size=2),
        "different": st.dictionaries(words, groups, max_size=2),
        "leave_out": st.dictionaries(words, st.lists(st.sampled_from(["stale", "bounced"]), max_size=2), max_size=1),
    },
)
answers = st.fixed_dictionaries({}, optional={"owners": st.sampled_from(["queue_rows", "block_phase"]), "lists": st.just("labels")})


@given(st.lists(st.tuples(answers, maps), min_size=1, max_size=3))
@example([({}, {"values": {"\ufeff": {"\x7f": "\ufffe"}}})])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, decided: list[tuple[dict[str, str], dict[str, Any]]]
) -> None:
    one = _engagement(tmp_path_factory.mktemp("client"))
    for given_answers, given_map in decided:
        client_map = ClientMap.model_validate(given_map)
        write_client(one, given_answers, client_map, "Ana")
        after = read_client(one)
        assert (after.answers, after.map) == (given_answers, client_map)

"""A client decides about a column that the route does not know: it arrives, to the letter, and nothing moves while a question is open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crm_pipelines.errors import NotConfirmedError
from crm_pipelines_tests.lib import walk
from crm_pipelines_tests.lib.rig import Rig

BIRTHDAY = """\
map:
  columns:
    contacts:
      Birth date: {phase: people, custom_field: Birthday, type: date}
      badge_colour: {ignore: The badges were thrown away years ago.}
"""


def test_an_unknown_column_arrives_as_the_field_that_the_client_chose(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    one = rig(contacts=60, sample={"unknown_columns": True, "chunks": 2})
    with (one.folder / "decisions.yaml").open("a", encoding="utf-8") as file:
        file.write(BIRTHDAY)
    assert one.walk_here(monkeypatch) == 0
    assert one.compare().differences == []
    assert any("Birthday" in person["custom"] for person in one.truth["records"]["people"].values())
    fields = [field for field in one.sandbox.truth.fields()["persons"] if field["field_name"] == "Birthday"]
    assert [field["field_type"] for field in fields] == ["date"]
    decisions = one.folder / "decisions.yaml"
    decisions.write_text(decisions.read_text("utf-8").replace("badge_colour: {ignore: The", "badge_colour: {ignore: All"), encoding="utf-8")
    with pytest.raises(NotConfirmedError, match=r"column `badge_colour` of contacts"):
        walk.go_on(one.name)


def test_while_a_question_is_open_there_is_a_plan_and_nothing_is_sent(rig: Callable[..., Rig]) -> None:
    one = rig(contacts=30)
    (one.folder / "decisions.yaml").write_text("", encoding="utf-8")
    sent = len(one.sandbox.truth.requests())
    refused = one.walk()
    assert refused.returncode == 2
    assert "owners: needs an answer: What happens to records of a Kartra team member" in refused.stdout + refused.stderr
    assert (one.folder / "work" / "mapped" / "current").is_file()
    assert [each for each in one.sandbox.truth.requests()[sent:] if each["method"] != "GET"] == []

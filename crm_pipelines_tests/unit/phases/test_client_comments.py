"""Comments of decisions.yaml: whatever a client decides, none of the engineer's disappears, and they stay where they belong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_pipelines.phases.client import read_client, write_client
from crm_pipelines.settings import AccountNode, Engagement, EngagementNode
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines_tests.lib.spec_text import ROUTE

TEXT = """\
# header
owners: queue_rows   # agreed by phone
map:
  same:
    contacts:
      # Ann and Anne, confirmed on 12 May
      - ["1", "2"]
      # the Smith brothers
      - ["5", "6"]
  owners:
    a@example.com: b@example.com   # first
    # Jane asked for this one by phone
    c@example.com: d@example.com
  # leave-out reasons below
  leave_out:
    contacts: [stale]   # until June
# the end
"""


def _engagement(folder: Path) -> Engagement:
    node = EngagementNode(route="kartra_to_pipedrive", account=AccountNode(name="acme", token_env="T"))
    shutil.copy(ROUTE, folder / ROUTE.name)
    return Engagement(name="acme", folder=folder, node=node, decisions_text="", spec_path=folder / ROUTE.name)


def _written(one: Engagement, **parts: object) -> list[str]:
    known = read_client(one).map.model_dump(exclude_defaults=True)
    write_client(one, None, ClientMap.model_validate({**known, **parts}), "Ana")
    return [line.strip() for line in one.decisions_path.read_text("utf-8").splitlines()]


def test_a_group_that_is_added_and_an_owner_who_is_taken_out_leave_every_comment_above_its_line(tmp_path: Path) -> None:
    one = _engagement(tmp_path)
    one.decisions_path.write_text(TEXT, encoding="utf-8")
    groups = {"contacts": [["1", "2"], ["5", "6"], ["8", "9"]]}
    lines = _written(one, same=groups, owners={"c@example.com": "d@example.com"})
    for comment, below in (
        ("# Ann and Anne, confirmed on 12 May", '- ["1", "2"]'),
        ("# the Smith brothers", '- ["5", "6"]'),
        ("# Jane asked for this one by phone", "c@example.com: d@example.com"),
        ("# leave-out reasons below", "leave_out:"),
    ):
        assert lines[lines.index(comment) + 1] == below
    assert "# first" in lines
    assert lines[-1] == "# the end"


kept_comments = st.lists(st.booleans(), min_size=30, max_size=30)
addresses = st.sampled_from(["a@example.com", "b@example.com", "c # d@example.com", "d@example.com"])
decided = st.fixed_dictionaries(
    {},
    optional={
        "owners": st.dictionaries(addresses, addresses, max_size=4),
        "same": st.dictionaries(st.just("contacts"), st.lists(st.lists(st.sampled_from("12345"), max_size=3), max_size=4)),
        "values": st.dictionaries(st.just("contacts.status"), st.dictionaries(addresses, st.just("x\ny # z"), max_size=2)),
        "leave_out": st.dictionaries(st.just("contacts"), st.lists(st.sampled_from(["stale", "bounced"]), max_size=2)),
        "columns": st.dictionaries(
            st.just("contacts"), st.dictionaries(addresses, st.just({"phase": "people", "custom_field": "A long name " * 14}), max_size=2)
        ),
    },
)


@given(decided, decided, kept_comments)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_comment_disappears(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, object], then: dict[str, object], commented: list[bool]
) -> None:
    one = _engagement(tmp_path_factory.mktemp("client"))
    write_client(one, {"owners": "queue_rows"}, ClientMap.model_validate(first), "Ana")
    lines = one.decisions_path.read_text("utf-8").splitlines()[1:]
    said = [f"# said {number}." for number in range(len(lines))]
    noted = [
        f"{' ' * (len(line) - len(line.lstrip()))}{note}\n{line}" if is_there and not line.startswith(("  - ", '"', "'")) else line
        for line, note, is_there in zip(lines, said, commented * 4, strict=False)
    ]
    one.decisions_path.write_text("\n".join(noted) + "\n# said at the end.\n", encoding="utf-8")
    before = [note for note in said if note in "\n".join(noted)]
    if read_client(one).map != ClientMap.model_validate(first):
        return  # the note fell into a text of several lines
    write_client(one, {}, ClientMap.model_validate(then), "Bea")
    after = one.decisions_path.read_text("utf-8")
    assert read_client(one).map == ClientMap.model_validate(then)
    assert [note for note in [*before, "# said at the end."] if note not in after] == []

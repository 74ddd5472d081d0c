"""What nobody decided about is counted and named, so that nothing stays behind unsaid."""

from __future__ import annotations

from pathlib import Path

from crm_pipelines.discovery.undecided import undecided
from crm_pipelines_tests.lib.opened import opened, written

CONTACTS = "id,email,status,Aktiv,Hobby,Nothing\n1,a@example.com,Weird,t,chess,\n2,b@example.com,Subscribed,f,go,\n"
ANSWERS = """\
owners: queue_rows
map:
  columns:
    contacts:
      Aktiv: {ignore: Nobody needs it any more.}
      Hobby: {phase: people, custom_field: Hobby}
  values:
    contacts.status: {Weird: Subscribed}
"""


def test_filled_columns_and_unknown_words_are_told_until_somebody_decides(tmp_path: Path) -> None:
    found = undecided(written(tmp_path, [("contacts_1.csv", CONTACTS)]))
    assert found.columns == ("contacts: Aktiv", "contacts: Hobby")
    assert found.words == {"contacts.status": 1}
    assert found.told == (
        "2 columns with content stay behind, because nobody said where to (contacts: Aktiv, contacts: Hobby); "
        "nobody said what 1 word of contacts.status means."
    )
    again = undecided(opened(tmp_path, decisions=ANSWERS))
    assert (again.columns, dict(again.words), again.told) == ((), {}, "")

"""The comparison sees every way in which an account can be unlike the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_pipelines.sandbox.compare import Comparison, ComparisonError, compare
from crm_pipelines.sandbox.compare.__main__ import main
from crm_pipelines.sandbox.pipedrive import RunningSandbox, SandboxConfig, SandboxUser, start
from crm_pipelines.sandbox.sample import SampleReport
from crm_pipelines_tests.unit.sandbox_sample.by_hand import ByHand, part_of, token_of
from crm_pipelines_tests.unit.sandbox_sample.reading import truth_of

Found = tuple[str, str, str]


@pytest.fixture(scope="module")
def truth(five: SampleReport) -> dict[str, Any]:
    """A few people who between them have deals of both stages, a booking, notes, labels and an address."""
    records = truth_of(five.truth)["records"]
    wanted = [
        next(iter(records["activities"].values()))["participants"][0],
        next(one["person_id"] for one in records["deals"].values() if one["status"] == "lost" and one["stage_id"] == "Purchases"),
        next(one["person_id"] for one in records["deals"].values() if "Cancellation requested on" in one["custom"]),
        next(key for key, one in records["people"].items() if "Merged Kartra IDs" in one["custom"]),
        next(
            key
            for key, one in records["people"].items()
            if "owner_id" not in one and len(one.get("label_ids", ())) > 2 and key in records["notes"]
        ),
        next(key for key, one in records["people"].items() if "owner_id" in one and one.get("phones") and key in records["notes"]),
    ]
    return part_of(truth_of(five.truth), wanted)


@pytest.fixture(scope="module")
def sandbox(truth: dict[str, Any]) -> Iterator[RunningSandbox]:
    users = [
        SandboxUser("admin@example.com", "Ada Admin", is_admin=True),
        *(SandboxUser(email, "User") for email in truth["records"]["users"]),
    ]
    with start(SandboxConfig(token="t", users=tuple(users), campaigns=True)) as running:
        yield running


@pytest.fixture
def loaded(sandbox: RunningSandbox, truth: dict[str, Any]) -> Iterator[ByHand]:
    sandbox.truth.reset()
    by_hand = ByHand(sandbox.base_url, "t")
    by_hand.load(truth)
    yield by_hand
    by_hand.client.close()


def judged(sandbox: RunningSandbox, truth: dict[str, Any]) -> Comparison:
    return compare(truth, sandbox.base_url, "sandbox")


def found_in(comparison: Comparison) -> set[Found]:
    return {(one.phase, one.field, one.kind) for one in comparison.differences}


def test_a_perfect_load_has_no_difference_and_everything_is_counted(loaded: ByHand, sandbox: RunningSandbox, truth: dict[str, Any]) -> None:
    comparison = judged(sandbox, truth)
    assert comparison.differences == []
    assert comparison.records_compared == sum(len(records) for records in truth["records"].values())
    told = sum(len(one) - ("custom" in one) + len(one.get("custom", ())) for rows in truth["records"].values() for one in rows.values())
    assert comparison.fields_compared >= told - len(truth["records"]["users"]), "every field of the truth, and the empty ones"


def test_records_that_were_there_before_are_nobodys_business(loaded: ByHand, sandbox: RunningSandbox, truth: dict[str, Any]) -> None:
    loaded.ask("POST", "/api/v2/persons", {"name": "Was here"})
    loaded.ask("POST", "/api/v2/deals", {"title": "Was here"})
    loaded.ask("POST", "/api/v2/activities", {"subject": "Was here", "note": "by hand"})
    loaded.ask("POST", "/api/v1/notes", {"content": "by hand", "person_id": 1})
    assert judged(sandbox, truth).is_equal


def first(truth: dict[str, Any], phase: str, has: str = "") -> str:
    return next(key for key, one in truth["records"][phase].items() if not has or has in one or has in one.get("custom", ()))


def delete_person(by: ByHand, truth: dict[str, Any]) -> None:
    by.ask("DELETE", f"/api/v2/persons/{by.ids['people'][first(truth, 'people')]}")


def double_deal(by: ByHand, truth: dict[str, Any]) -> None:
    key = first(truth, "deals")
    one = truth["records"]["deals"][key]
    by._create("deals", key, by._deal(one), one)


def unexpected_organization(by: ByHand, truth: dict[str, Any]) -> None:
    by._create("organizations", "company:nobody", {"name": "Nobody"}, {"custom": {"Kartra ID": "company:nobody"}})


def patch(phase: str, has: str, **body: Any) -> Callable[[ByHand, dict[str, Any]], None]:
    def change(by: ByHand, truth: dict[str, Any]) -> None:
        number = by.ids[phase][first(truth, phase, has)]
        by.ask("PATCH", f"/api/v2/{'persons' if phase == 'people' else phase}/{number}", body)

    return change


def custom(phase: str, name: str, value: Any) -> Callable[[ByHand, dict[str, Any]], None]:
    def change(by: ByHand, truth: dict[str, Any]) -> None:
        number = by.ids[phase][first(truth, phase, name)]
        body = {"custom_fields": {by.codes[phase, name]: value}}
        by.ask("PATCH", f"/api/v2/{'persons' if phase == 'people' else phase}/{number}", body)

    return change


def lose_label(by: ByHand, truth: dict[str, Any]) -> None:
    key = next(key for key, one in truth["records"]["people"].items() if len(one.get("label_ids", ())) > 2)
    labels = [by.options["people", "label_ids", label] for label in truth["records"]["people"][key]["label_ids"]]
    by.ask("PATCH", f"/api/v2/persons/{by.ids['people'][key]}", {"label_ids": labels[1:]})


def wrong_parent(by: ByHand, truth: dict[str, Any]) -> None:
    key = first(truth, "deals")
    other = next(one for one in by.ids["people"] if one != truth["records"]["deals"][key]["person_id"])
    by.ask("PATCH", f"/api/v2/deals/{by.ids['deals'][key]}", {"person_id": by.ids["people"][other]})


def wrong_organization(by: ByHand, truth: dict[str, Any]) -> None:
    key = first(truth, "people")
    other = next(one for one in by.ids["organizations"] if one != truth["records"]["people"][key]["org_id"])
    by.ask("PATCH", f"/api/v2/persons/{by.ids['people'][key]}", {"org_id": by.ids["organizations"][other]})


def owner_for_the_ownerless(by: ByHand, truth: dict[str, Any]) -> None:
    key = next(key for key, one in truth["records"]["people"].items() if "owner_id" not in one)
    by.ask("PATCH", f"/api/v2/persons/{by.ids['people'][key]}", {"owner_id": by.users["ana@agency.example.com"]})


def doubled_note(by: ByHand, truth: dict[str, Any]) -> None:
    key = first(truth, "notes")
    content = f"{truth['records']['notes'][key]['content']}<br><br>[{token_of(key)}]"
    by.ask("POST", "/api/v1/notes", {"content": content, "person_id": by.ids["people"][key]})


def note_of_somebody_else(by: ByHand, truth: dict[str, Any]) -> None:
    key, other = list(truth["records"]["notes"])[:2]
    by.ask("PUT", f"/api/v1/notes/{by.ids['notes'][key]}", {"person_id": by.ids["people"][other]})


def changed_note(by: ByHand, truth: dict[str, Any]) -> None:
    key = first(truth, "notes")
    by.ask("PUT", f"/api/v1/notes/{by.ids['notes'][key]}", {"content": f"something else<br><br>[{token_of(key)}]"})


def unmatched_user_was_made(by: ByHand, truth: dict[str, Any]) -> None:
    by.ask("POST", "/api/v1/users", {"email": truth["owners_without_user"][0], "access": [{"app": "sales"}]})


def label_twice(by: ByHand, truth: dict[str, Any]) -> None:
    label = next(label for one in truth["records"]["people"].values() for label in one.get("label_ids", ()))
    by.ask("POST", "/api/v2/personFields/label_ids/options", [{"label": label.upper()}])


TROUBLES: dict[str, tuple[Callable[[ByHand, dict[str, Any]], None], Found]] = {
    "missing": (delete_person, ("people", "", "missing")),
    "duplicate": (double_deal, ("deals", "", "duplicate")),
    "unexpected": (unexpected_organization, ("organizations", "", "unexpected")),
    "wrong name": (patch("people", "", name="Somebody Else"), ("people", "name", "wrong")),
    "lost phone": (patch("people", "phones", phones=[]), ("people", "phones", "lost")),
    "second e-mail": (
        patch("people", "emails", emails=[{"value": "x@example.com", "primary": True, "label": "work"}]),
        ("people", "emails", "wrong"),
    ),
    "lost label": (lose_label, ("people", "label_ids", "wrong")),
    "wrong person": (wrong_parent, ("deals", "person_id", "wrong")),
    "wrong organization": (wrong_organization, ("people", "org_id", "wrong")),
    "wrong owner": (owner_for_the_ownerless, ("people", "owner_id", "wrong")),
    "value off by a cent": (patch("deals", "value", value=0.01), ("deals", "value", "wrong")),
    "wrong currency": (patch("deals", "value", currency="EUR"), ("deals", "currency", "wrong")),
    "date off by a day": (patch("deals", "", expected_close_date="2020-01-01"), ("deals", "expected_close_date", "wrong")),
    "reopened": (patch("deals", "lost_reason", status="open"), ("deals", "status", "wrong")),
    "custom date": (custom("people", "Kartra created date", "2001-01-01"), ("people", "custom.Kartra created date", "wrong")),
    "dropped column": (custom("people", "Kartra mailing status", None), ("people", "custom.Kartra mailing status", "lost")),
    "address part": (custom("people", "Kartra address", {"value": "x"}), ("people", "custom.Kartra address", "wrong")),
    "refund ignored": (custom("deals", "Refunded amount", None), ("deals", "custom.Refunded amount", "lost")),
    "cancelled time": (patch("activities", "", due_time="03:33:00"), ("activities", "due_time", "wrong")),
    "not done": (patch("activities", "", subject="Other"), ("activities", "subject", "wrong")),
    "doubled note": (doubled_note, ("notes", "", "duplicate")),
    "note of another": (note_of_somebody_else, ("notes", "", "missing")),
    "changed note": (changed_note, ("notes", "content", "wrong")),
    "user made": (unmatched_user_was_made, ("users", "email", "unexpected")),
    "label in two cases": (label_twice, ("people", "Labels", "duplicate")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_found(trouble: str, loaded: ByHand, sandbox: RunningSandbox, truth: dict[str, Any]) -> None:
    make, expected = TROUBLES[trouble]
    make(loaded, truth)
    comparison = judged(sandbox, truth)
    assert expected in found_in(comparison)
    assert not comparison.is_equal


def test_a_lost_column_shows_on_every_record(loaded: ByHand, sandbox: RunningSandbox, truth: dict[str, Any]) -> None:
    loaded.ask("DELETE", f"/api/v2/personFields/{loaded.codes['people', 'Kartra created date']}")
    lost = [one for one in judged(sandbox, truth).differences if one.field == "custom.Kartra created date"]
    assert len(lost) == sum("Kartra created date" in one["custom"] for one in truth["records"]["people"].values())


def test_the_command_line_shows_digests_and_exits_11(
    loaded: ByHand, sandbox: RunningSandbox, truth: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, report = tmp_path / "truth.json", tmp_path / "comparison.json"
    path.write_bytes(orjson.dumps(truth))
    asked = ["--truth", str(path), "--base-url", sandbox.base_url, "--sandbox-token", "sandbox", "--json", str(report)]
    assert main(asked) == 0
    assert "0 differences" in capsys.readouterr().out
    loaded.ask("PATCH", f"/api/v2/persons/{loaded.ids['people'][first(truth, 'people')]}", {"name": "Very Private"})
    assert main(asked) == 11
    assert "people" in (out := capsys.readouterr().out)
    assert "Private" not in out
    assert b"Private" not in report.read_bytes()
    assert orjson.loads(report.read_bytes())["differences"] == 1
    assert main([*asked, "--show-values"]) == 11
    assert "Very Private" in capsys.readouterr().out


def test_what_cannot_be_compared_says_why(
    sandbox: RunningSandbox, truth: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ComparisonError, match="token"):
        compare(truth, sandbox.base_url, "wrong")
    with pytest.raises(ComparisonError, match="is it running"):
        compare(truth, "http://127.0.0.1:9", "sandbox")
    (tmp_path / "no.json").write_text("{}", "utf-8")
    assert main(["--truth", str(tmp_path / "no.json"), "--base-url", sandbox.base_url, "--sandbox-token", "sandbox"]) == 2
    assert "no readable truth file" in capsys.readouterr().err
    (tmp_path / "yes.json").write_bytes(orjson.dumps(truth))
    assert main(["--truth", str(tmp_path / "yes.json"), "--base-url", "http://127.0.0.1:9", "--sandbox-token", "sandbox"]) == 3

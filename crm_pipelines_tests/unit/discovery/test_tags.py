"""Tags: what each stands for, who carries it, and which history nothing but tags recorded."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from crm_pipelines.discovery import frames, tag_rules
from crm_pipelines.discovery.tag_rules import classify, load_tag_rules
from crm_pipelines.discovery.tags import LOST, history_gaps, history_labels, tag_findings
from crm_pipelines.discovery.values import HistoryGap, TagFinding
from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.project import Project
from crm_pipelines_tests.lib import exports
from crm_pipelines_tests.lib.opened import opened, written

HEADING = "priority,event,pattern\n"


def told(project: Project) -> tuple[tuple[TagFinding, ...], tuple[HistoryGap, ...]]:
    staged = {name: frames.staged_object(project, name) for name in project.objects}
    people = frames.people(project, staged)
    tags = tag_findings(project, people)
    return tags, history_gaps(project, people, tags)


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", load_tag_rules(), ids=lambda rule: f"{rule.event}-{rule.kind}")
def test_every_shipped_rule_recognises_its_own_examples_before_any_other_does(rule) -> None:  # type: ignore[no-untyped-def]
    assert rule.examples
    for example in rule.examples:
        meaning = classify(example, load_tag_rules())
        assert (meaning.event, meaning.kind) == (rule.event, rule.kind)


@pytest.mark.parametrize(
    ("tag", "kind", "event", "subject"),
    [
        ("Webinar: Q1 - Registered", "event", "webinar_registered", "Q1"),
        ("webinar_q1_no_show", "event", "webinar_missed", "q1"),
        ("Has Attended a Webinar", "event", "webinar_attended", ""),
        ("Membership cancelled", "membership", "membership_revoked", ""),
        ("member_gold", "membership", "membership", "gold"),
        ("Membership2024 - GBP 30 Trial", "membership", "purchased", "GBP 30"),
        ("Acne Decoded · Grad", "course", "course_completed", "Acne Decoded"),
        ("RAG Pathway Opted In", "event", "form_completed", "RAG Pathway"),
        ("Has Opened Email", "event", "email_engaged", "Email"),
        ("00 - ADMIN", "admin", "admin", ""),
        ("5K_Prelaunch_Start", "plain", "plain", "5K Prelaunch Start"),
        ("VIP", "plain", "plain", "VIP"),
        ("Remember me", "plain", "plain", "Remember me"),
    ],
)
def test_a_tag_stands_for(tag: str, kind: str, event: str, subject: str) -> None:
    meaning = classify(tag, load_tag_rules())
    assert (meaning.kind, meaning.event, meaning.subject) == (kind, event, subject)
    assert bool(meaning.matched) == (kind != "plain")


def test_every_history_of_the_rules_has_a_name_or_is_in_an_export() -> None:
    in_exports = {"", "purchases", "appointments"}
    assert {rule.history for rule in load_tag_rules()} - in_exports <= set(history_labels())


def test_an_engagement_may_bring_its_own_rules_in_any_order(tmp_path: Path) -> None:
    own = HEADING + "2,purchased,prelaunch\n1,membership,\\bvip\\b\n"
    (tmp_path / "tag_rules.csv").write_text("\ufeff" + own, encoding="utf-8")
    rules = load_tag_rules(tmp_path)
    assert [rule.event for rule in rules] == ["membership", "purchased"]
    assert classify("VIP prelaunch", rules).kind == "membership"  # the kind of the shipped rule for that event
    assert classify("5K_Prelaunch_Start", rules).event == "purchased"
    assert classify("Webinar attended", rules).kind == "plain"


def test_a_copy_of_the_shipped_rules_changes_nothing(tmp_path: Path) -> None:
    shutil.copy(Path(tag_rules.__file__).parent / tag_rules.OWN_FILE, tmp_path)
    assert load_tag_rules(tmp_path) == load_tag_rules()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("priority,event\n1,x\n", 1, "lacks pattern"),
        ("priority,event,pattern,colour\n1,x,y,z\n", 1, "unknown heading 'colour'"),
        (HEADING + "1,vip,vip\nfirst,vip,vip\n", 3, "priority must be a number"),
        (HEADING + "1,vip,(vip\n", 2, "no regular expression"),
        (HEADING + "1,vip,x*\n", 2, "matches every tag"),
        (HEADING + "1,vip,\n", 2, "matches every tag"),
        (HEADING + "1,Very VIP,vip\n", 2, "small letters"),
        (HEADING + "1,vip\n", 2, "more or fewer cells"),
        (HEADING + "1,vip,a{1,2}\n", 2, "more or fewer cells"),
        ("priority,event,pattern,kind\n1,vip,vip,person\n", 2, "kind must be one of event, membership"),
        ("priority,event,pattern,confidence\n1,vip,vip,95\n", 2, "between 0 and 1"),
        (HEADING, 0, "holds no rule"),
    ],
)
def test_a_bad_rule_is_named_by_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "tag_rules.csv").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_tag_rules(tmp_path)
    assert f"{tmp_path / 'tag_rules.csv'}:{line or ''}" in str(caught.value)
    assert says in str(caught.value)


def test_rules_in_another_encoding_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tag_rules.csv").write_bytes((HEADING + "1,vip,été\n").encode("cp1252"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_tag_rules(tmp_path)


# -- the tags of an engagement -----------------------------------------------------------------------------------------


def test_every_tag_is_told_with_the_people_who_carry_it(project: Project) -> None:
    raw = exports.read(project.export_path(project.chunk(project.object_chunks("contacts")[0])))
    cells = [cell.casefold() for cell in raw.cells("tags")]
    tags, _ = told(project)
    assert {one.column for one in tags} == {"contacts.tags"}
    for tag in ("VIP", "Referral", "Beta group", "Paid, in full"):
        found = next(each for each in tags if each.tag == tag)
        carried = sum(tag.casefold() in " ".join(cell.split()) for cell in cells)
        assert carried - 7 <= found.records <= carried  # seven e-mail twins become one person each
    listed = {row["tag_name"] for row in csv.DictReader(_inventory(project), delimiter=";")}
    assert listed <= {each.tag for each in tags}
    assert len({each.tag.casefold() for each in tags}) == len(tags)


def _inventory(project: Project) -> list[str]:
    return project.export_path(project.chunk(project.object_chunks("tags")[0])).read_text("utf-8").splitlines()


def test_history_without_a_tag_is_lost_and_with_tags_is_counted_by_people(tmp_path: Path) -> None:
    rows = '1,a@example.com,"Webinar A attended,Webinar B registered"\n2,b@example.com,webinar a attended\n3,c@example.com,VIP\n'
    tags, gaps = told(written(tmp_path, [("contacts_1.csv", "id,email,tags\n" + rows)]))
    by_kind = {gap.kind: gap for gap in gaps}
    assert [(each.tag, each.records) for each in tags] == [("Webinar A attended", 2), ("VIP", 1), ("Webinar B registered", 1)]
    webinars = by_kind[history_labels()["webinars"]]
    assert (webinars.tags, webinars.records) == (2, 2)
    assert "2 tags on 2 contacts" in webinars.told
    assert by_kind[history_labels()["surveys"]] == HistoryGap(history_labels()["surveys"], LOST, 0, 0)


def test_the_engagements_own_rules_are_used(tmp_path: Path) -> None:
    project = opened(tmp_path)
    (project.engagement.folder / "tag_rules.csv").write_text(HEADING + "1,membership,vip\n", encoding="utf-8")
    tags, _ = told(written(tmp_path, [("contacts_1.csv", "id,email,tags\n1,a@example.com,VIP\n")]))
    assert [each.kind for each in tags] == ["membership"]

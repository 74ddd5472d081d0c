"""The scope document: whole, private, harmless whatever the exports call their columns, and the same facts in both forms."""

from __future__ import annotations

import itertools
import re
import stat
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from crm_pipelines.discovery.values import CleanCount, Discovery, FileProfile
from crm_pipelines.reports import charts
from crm_pipelines.reports.scope import as_html, as_markdown, by_object, percent, size, write_scope
from crm_pipelines.reports.scope_facts import first_page
from crm_pipelines.reports.scope_words import span
from crm_pipelines_tests.lib import found_by_hand as by_hand

FULL, EMPTY = by_hand.discovery(), by_hand.empty()
SECTIONS = (
    "exports",
    "columns",
    "clean",
    "tags",
    "words",
    "fields",
    "team",
    "destination",
    "records",
    "loading",
    "decisions",
    "lost",
    "grades",
)
FIRST_PAGE = (
    "What you have",
    "What will move",
    "What you must decide",
    "What will be lost",
    "What to clean up",
    "When it is done",
    "Who must do what",
)
VOID = {"meta", "br", "rect"}
CELL = re.compile(r"(?<!\\)\|")


class Page(HTMLParser):
    """What a browser would see: elements closed in order, ids, texts, what is fetched or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.unnamed: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(given)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if "href" in given:
            self.links.append(str(given["href"]))
        if tag == "svg" and not given.get("aria-label"):
            self.unnamed.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module", params=[FULL, EMPTY], ids=["full", "empty"])
def found(request: pytest.FixtureRequest) -> Discovery:
    value: Discovery = request.param
    return value


def tables(text: str) -> list[list[str]]:
    """Return the tables of a Markdown text, as lists of lines."""
    return [block.splitlines() for block in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)]


# -- form --------------------------------------------------------------------------------------------------------------


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    paths = write_scope(FULL, tmp_path / "handoff")
    assert sorted(path.name for path in (tmp_path / "handoff").iterdir()) == ["scope.html", "scope.md"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths.values()} == {0o600}
    assert paths["html"].read_text("utf-8") == as_html(FULL)
    assert paths["md"].read_text("utf-8") == as_markdown(FULL)


def test_the_page_is_well_formed_and_fetches_and_runs_nothing(found: Discovery) -> None:
    page = Page(as_html(found))
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not {name for name in page.attributes if name.startswith("on")} | (page.attributes & {"src", "srcset", "action"})
    assert all(link.startswith("#") for link in page.links)
    assert "url(" not in as_html(found)
    assert "@import" not in as_html(found)


def test_every_section_is_there_and_every_link_leads_somewhere(found: Discovery) -> None:
    page = Page(as_html(found))
    assert set(SECTIONS) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    headings = re.findall(r"^#+ (.*)$", as_markdown(found), re.MULTILINE)
    for title in FIRST_PAGE:
        assert f"<h2>{title}</h2>" in as_html(found)
        assert title in headings


def test_every_drawing_has_a_name_for_those_who_do_not_see_it() -> None:
    page = Page(as_html(FULL))
    assert "svg" in page.tags
    assert page.unnamed == []


def test_markdown_tables_are_well_formed(found: Discovery) -> None:
    for table in tables(as_markdown(found)):
        assert re.fullmatch(r"\|(?:[-:]+\|)+", table[1]), table[0]
        assert {len(CELL.findall(row)) for row in table} == {len(CELL.findall(table[1]))}, table[0]
        assert len(table) > 2, f"no rows below {table[0]}"


def test_a_table_stands_apart_from_the_text_before_it(found: Discovery) -> None:
    lines = as_markdown(found).splitlines()
    for above, below in itertools.pairwise(lines):
        if below.startswith("|") and not above.startswith("|"):
            assert above == "", below


# -- harmless ----------------------------------------------------------------------------------------------------------


def test_hostile_names_stay_text() -> None:
    page, markdown = Page(as_html(FULL)), as_markdown(FULL)
    assert "<script>alert(1)</script>" in page.text, "it is shown as it stands in the export"
    assert "script" not in page.tags
    assert not re.search(r"(?<!\\)[<>]", markdown)
    assert r"\<script\>" in markdown
    assert not re.search(r"(?<!\\)\]\(", markdown)
    assert r"\| pipe new \*line\*" in markdown


@pytest.mark.parametrize("heading", ["a|b", "a\nb", "a\r\n# b", "<b>", "`x`", "![x](y)", "a\\|b", "**b**", "&lt;", "a\u2028b"])
def test_no_heading_breaks_a_table(heading: str) -> None:
    found = by_hand.discovery(columns=(by_hand.column(heading, "waiting"),))
    row = [line for line in as_markdown(found).splitlines() if "no place yet" in line]
    assert len(row) == 1
    assert len(CELL.findall(row[0].replace("\\\\", ""))) == 8
    assert "b>" not in re.sub(r"\\[<>]", "", row[0])
    assert Page(as_html(found)).open == []


# -- facts -------------------------------------------------------------------------------------------------------------


def test_both_forms_say_the_same() -> None:
    page, facts = Page(as_html(FULL)), first_page(FULL)
    markdown = as_markdown(FULL).replace("\\", "")
    lines = [line for part in (facts.decide, facts.lost, facts.clean, facts.waits) for line in part]
    lines += [line for _, todo in facts.todo for line in todo]
    for line in lines:
        for text in (line.what, line.more):
            assert text in page.text
            assert " ".join(text.split()) in markdown
    for figure, told in facts.tiles:
        assert figure in page.text
        assert f"**{figure}** {told}" in markdown


def test_what_only_the_client_can_answer_comes_first_and_is_marked() -> None:
    decide = first_page(FULL).decide
    assert (decide[0].what, decide[0].is_must) == ("What about owners?", True)
    assert [line.what for line in decide[1:]] == [
        "Where 1 column should go",
        "What 1 word should become",
        "Who takes over from 1 team member without a user",
        "Whether you agree with our answer to 1 question",
    ]


def test_what_is_lost_names_exports_history_gaps_columns_and_rows() -> None:
    assert [line.what for line in first_page(FULL).lost] == [
        "Calendars (not exported)",
        "History that nothing recorded",
        "Memberships",
        "1 column of the exports",
        "120 rows of transactions",
    ]


def test_work_of_ours_is_not_given_to_the_client() -> None:
    ours = by_hand.finding("plan", "warning", "Which plan?", "Put it into engagement.yaml as account.plan.")
    hidden = by_hand.finding("automations", "warning", "Not shown.", "Switch them off and sign.")
    page = first_page(by_hand.discovery(inspection={**FULL.inspection, "findings": (ours, hidden)}))
    yours, engineers = ([line.what for line in todo] for _, todo in page.todo)
    assert not [what for what in yours if "engagement.yaml" in what or "--" in what]
    assert "Put it into engagement.yaml as account.plan." in engineers
    assert "Pause the automations in Other, and sign for it" in yours
    assert "Switch them off and sign." not in [*yours, *engineers], "said already"


def test_once_signed_nobody_is_asked_to_pause() -> None:
    page = first_page(by_hand.discovery(automations_signed={"by": "Ana", "at": "2026-11-20T10:00+00:00"}))
    assert not [line for line in page.todo[0][1] if "Pause" in line.what]


def test_when_it_is_done_is_a_day_or_says_what_is_missing() -> None:
    assert re.search(r"on \d+ Dec 2026, if", first_page(FULL).done)
    assert first_page(EMPTY).done.startswith("Cannot be told yet")


def test_without_a_destination_the_page_says_so() -> None:
    found = by_hand.discovery(inspection={}, forecast={})
    for text in (as_html(found), as_markdown(found)):
        assert "was not asked yet" in text
        assert "takes over from gone@" not in text, "nobody knows who has a user"


def test_a_destination_without_a_quota_has_requests_and_hours_and_no_tokens() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("prepare_tokens", "verify_tokens", "total_tokens", "cheapest_tokens", "tokens_per_day"))
    plan = {**FULL.forecast, **nothing, "calendar": [], "duration_s": 9000.0, "unit": "requests"}
    found = by_hand.discovery(forecast=plan, inspection={**FULL.inspection, "tokens": 0})
    assert "994 requests, about 2.5 hours. Other sells no quota." in Page(as_html(found)).text
    assert "<th>tokens</th>" not in as_html(found)


def test_long_lists_are_cut_and_say_so() -> None:
    columns = tuple(by_hand.column(f"Column {number}", "waiting") for number in range(30))
    tags = tuple(replace(FULL.tags[1], tag=f"tag {number}") for number in range(130))
    text = as_markdown(by_hand.discovery(columns=columns, tags=tags))
    assert "Column 0, Column 1, Column 2, Column 3 and 26 more" in text
    assert "and 30 more; the workbook lists all" in text
    assert "| tag 99 |" in text
    assert "| tag 100 |" not in text


THERE = tuple(replace(item, is_there=True) for item in FULL.checklist)


def test_waiting_columns_come_first() -> None:
    assert [column.state for column in by_object(FULL.columns)["contacts"]] == ["waiting", "mapped", "ignored", "ignored"]


def test_the_clean_up_is_about_the_object_that_is_judged_by_more_than_its_keys() -> None:
    counts = (CleanCount("sales", 10, 9, {"repeated": 1}, 9, {"repeated": "Again."}), *FULL.clean)
    found = by_hand.discovery(clean=counts)
    assert first_page(found).contacts == FULL.clean[0]


def test_an_export_without_a_record_is_to_be_made_again_and_nobody_cleans_it_up() -> None:
    rules = FULL.clean[0].rules
    page = first_page(by_hand.discovery(clean=(CleanCount("contacts", 0, 0, {}, 0, rules),), checklist=THERE))
    assert (page.contacts, page.clean_rule, page.clean) == (None, "", ())
    assert "export contacts from One again: the file holds no record that can be read." in page.start
    assert "Export contacts again" in [line.what for line in dict(page.todo)["You"]]


@pytest.mark.parametrize(("part", "whole", "told"), [(1, 1000, "1 %"), (999, 1000, "99 %"), (0, 9, "0 %"), (9, 9, "100 %"), (0, 0, "–")])
def test_shares_never_round_to_nothing_or_all(part: int, whole: int, told: str) -> None:
    assert percent(part, whole).replace("\N{NO-BREAK SPACE}", " ") == told


def test_sizes_and_spans() -> None:
    assert (size(999), size(1_500_000)) == ("1 KB", "1.5 MB")
    assert span("2026-11-23", "2026-11-25") == "23 – 25 Nov 2026"
    assert span("2026-11-30", "2026-12-02") == "30 Nov – 2 Dec 2026"
    assert span("2025-11-30", "2026-12-02") == "30 Nov 2025 – 2 Dec 2026"
    assert span("2026-12-02", "2026-12-02") == "2 Dec 2026"


def test_a_file_that_tells_no_dates_has_none() -> None:
    file: FileProfile = by_hand.file("tags.csv", "contacts", 9, first_date=None, last_date=None, exported_at=None)
    assert "None" not in as_markdown(by_hand.discovery(files=(file,)))
    assert "None" not in Page(as_html(by_hand.discovery(files=(file,)))).text


# -- charts ------------------------------------------------------------------------------------------------------------


def test_months_without_records_are_shown_too() -> None:
    assert charts.over_time({"2025-11": 3, "2026-02": 1}) == {"Nov 2025": 3, "Dec 2025": 0, "Jan 2026": 0, "Feb 2026": 1}
    assert charts.over_time({}) == {}


def test_many_months_become_years() -> None:
    assert charts.over_time({"2015-01": 3, "2015-12": 1, "2026-02": 1})["2015"] == 4


def test_a_stacked_bar_is_as_wide_as_its_parts() -> None:
    drawn = str(charts.stacked([("arrive", 3, "good"), ("wait", 1, "wait"), ("refused", 0, "bad")], "people: 3 arrive"))
    assert re.findall(r'class="(\w+)" x="([\d.]+)" y="0.0" width="([\d.]+)"', drawn) == [
        ("good", "0.0", "750.0"),
        ("wait", "750.0", "250.0"),
    ]
    assert 'aria-label="people: 3 arrive"' in drawn


def test_a_chart_of_nothing_is_empty_and_names_are_escaped() -> None:
    assert "<rect" not in str(charts.stacked([("a", 0, "good")], "nothing"))
    assert "<rect" not in str(charts.columns({"a": 0}, "nothing"))
    assert "<b>" not in str(charts.columns({"<b>": 1}, "<b>"))
    assert charts.axis(["a"]) == ["a"]
    assert charts.axis(["a", "b", "c", "d"]) == ["a", "c", "d"]

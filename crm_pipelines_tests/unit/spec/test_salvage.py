"""One look tells all mistakes, those of shape and those of meaning, each once."""

from __future__ import annotations

from pathlib import Path

from crm_pipelines.spec.check import check_files
from crm_pipelines_tests.lib.contracts import route_contracts
from crm_pipelines_tests.lib.spec_text import line_of, route_text

EIGHT = (
    ("home_of: contacts", "home_off: contacts"),
    ("existing: fill_empty     #", "existing: fill_emty     #"),
    ("phone, phone_country_code, country], rule: phone}", "phone, phone_country_code, country], rule: phnoe}"),
    ("add_time: {from: date_joined, rule: utc}", "add_time: {from: date_joind, rule: utc}"),
    ("with: {prefix: list_}, only_if: {lists: labels}", "with: {prefix: list_}, only_if: {list: labels}"),
    ("waiting_max: {limit: 10 %", "waiting_max: {limit: 10 percent"),
    ('template: "Kartra booking {key}"', 'template: "Kartra booking {kee}"'),
    ("participants: {link: people", "participants: {link: peopel"),
)


def test_eight_different_mistakes_are_eight_lines_with_path_and_line(tmp_path: Path) -> None:
    text = route_text(*EIGHT)
    spec = tmp_path / "route.yaml"
    spec.write_text(text, encoding="utf-8")
    found = check_files(spec, route_contracts())
    expected = {line_of(text, wrong.partition("#")[0].strip()) for _, wrong in EIGHT}
    assert {problem.line for problem in found} == expected, [str(problem) for problem in found]
    assert all(problem.path and problem.message for problem in found)


def test_a_text_that_is_no_spec_is_told_without_a_crash(tmp_path: Path) -> None:
    spec = tmp_path / "route.yaml"
    for text in ("", "just words", "- a\n- list", "route: 7", "phases: {people: 3}"):
        spec.write_text(text, encoding="utf-8")
        assert check_files(spec, route_contracts())

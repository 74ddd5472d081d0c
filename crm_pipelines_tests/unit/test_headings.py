"""The labelled headings of the mapping benchmark: that the four sets have the shape their README promises.

Belongs here: counts, languages, labels that exist, one target per file, nothing that could be a real person's. Not here: how well the
map proposer does on them.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADINGS = ROOT / "benchmarks" / "headings"
COLUMNS = ["heading", "sample_values", "target", "source_file", "lang"]
LANGUAGES = ("en", "de", "es", "fr")
AT_LEAST = {"tuning": (150, 0), "judging": (330, 110), "judging_fresh": (320, 115), "judging_final": (330, 120)}
HOSTS = re.compile(r"(?:https?://|www\.|@)([\w.-]+\.\w+)|\b((?:[\w-]+\.)+(?:com|org|net|de|es|fr|io|uk|eu|info))\b")
# Numbers set aside for fiction: NANP 555-01xx, Ofcom, Bundesnetzagentur, ARCEP; in Spain 99 and 790, which nobody has been given.
FICTIONAL = re.compile(
    r"1?41555501\d\d|(44|0)(2079460\d{3}|1632960\d{3}|1614960\d{3}|7700900\d{3})"
    r"|(49|0)(3023125|4066969|6990009|8999998|2214710)\d{3}|(49|0)(17139200\d\d|15228817386|17604069\d{3})"
    r"|(34)?(990|790)000\d{3}|(33|0)(19900|26191|35301|46571|53649|63998)\d{4}"
)


def rows_of(name: str) -> list[dict[str, str]]:
    with (HEADINGS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == COLUMNS
    return rows


def targets() -> set[str]:
    with (ROOT / "crm_pipelines" / "discovery" / "targets.csv").open(encoding="utf-8", newline="") as file:
        return {row["target"] for row in csv.DictReader(file)}


@pytest.fixture(params=sorted(AT_LEAST))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_label_is_a_target_or_none(name: str) -> None:
    assert {row["target"] for row in rows_of(name)} <= targets() | {"none"}


def test_every_target_is_asked_for(name: str) -> None:
    assert targets() <= {row["target"] for row in rows_of(name)}


def test_there_are_enough_headings_and_enough_that_map_to_nothing(name: str) -> None:
    rows, (most, nothing) = rows_of(name), AT_LEAST[name]
    assert len(rows) >= most
    assert sum(row["target"] == "none" for row in rows) >= nothing


def test_four_languages_have_their_share(name: str) -> None:
    rows = rows_of(name)
    share = {lang: count / len(rows) for lang, count in Counter(row["lang"] for row in rows).items()}
    assert set(share) == set(LANGUAGES)
    assert min(share.values()) >= 0.15
    assert share["en"] <= 0.5


def test_a_file_is_of_one_language_and_of_a_size_that_files_have(name: str) -> None:
    rows = rows_of(name)
    assert all(row["source_file"].endswith(f"_{row['lang']}") for row in rows)
    assert {8 <= count <= 25 for count in Counter(row["source_file"] for row in rows).values()} == {True}


def test_within_a_file_a_target_and_a_heading_appear_once(name: str) -> None:
    rows = rows_of(name)
    mapped = Counter((row["source_file"], row["target"]) for row in rows if row["target"] != "none")
    headed = Counter((row["source_file"], row["heading"].casefold()) for row in rows)
    assert [pair for pair, count in (mapped + headed).items() if count > 1] == []


def test_every_heading_has_three_to_five_sample_values_and_no_stray_blanks(name: str) -> None:
    for row in rows_of(name):
        values = row["sample_values"].split("|")
        assert 3 <= len(values) <= 5, row["heading"]
        assert any(values), row["heading"]
        assert row["heading"] == row["heading"].strip() != "", row["heading"]


def test_the_sets_are_apart() -> None:
    tuning, judging = rows_of("tuning"), rows_of("judging")
    assert {row["source_file"] for row in tuning}.isdisjoint(row["source_file"] for row in judging)
    shared = {row["heading"].casefold() for row in tuning} & {row["heading"].casefold() for row in judging}
    assert len(shared) <= 0.01 * len(judging)


def test_no_address_belongs_to_anybody(name: str) -> None:
    for row in rows_of(name):
        for value in row["sample_values"].split("|"):
            hosts = [(first or second).lower() for first, second in HOSTS.findall(value)]
            if row["target"] == "person.linkedin":
                assert re.search(r"linkedin\.com/in/example-[a-z-]+$", value), row["heading"]
                continue
            assert all(re.search(r"(^|\.)example\.(com|org)$", host) for host in hosts), row["heading"]


def test_no_telephone_number_belongs_to_anybody(name: str) -> None:
    for row in rows_of(name):
        if row["target"] in {"person.phone", "person.mobile", "org.phone"}:
            numbers = [re.sub(r"\D", "", value) for value in row["sample_values"].split("|") if value]
            assert all(FICTIONAL.fullmatch(number) for number in numbers), (row["source_file"], row["heading"])


def test_the_readme_s_counts_are_those_of_the_files(name: str) -> None:
    rows, readme = rows_of(name), (HEADINGS / "README.md").read_text(encoding="utf-8")
    for lang in (*LANGUAGES, "all"):
        of_lang = [row for row in rows if lang in {row["lang"], "all"}]
        files, nothing = len({row["source_file"] for row in of_lang}), sum(row["target"] == "none" for row in of_lang)
        assert f"| {name} | {lang} | {files} | {len(of_lang)} | {nothing} |" in readme

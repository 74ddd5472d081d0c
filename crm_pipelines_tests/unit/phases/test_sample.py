"""Which records make a sample: as much as can be seen in few, the same every time, none that waits, with all it hangs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from crm_pipelines.errors import SettingsError
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.sample import choose_sample
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.lib.opened import written
from crm_pipelines_tests.lib.rig import Rig, build
from crm_pipelines_tests.lib.walk import desire


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    patch = pytest.MonkeyPatch()
    one: Rig = build(Path(tmp_path_factory.mktemp("sample")), contacts=120)
    one.sandbox.stop()
    for name, value in one.env.items():
        patch.setenv(name, value)
    found = Project.open(load_engagement(one.name))
    desire(found)
    yield found
    patch.undo()


def filled(project: Project, keys: list[str]) -> int:
    """Count the fields that these people fill, by the text of their payloads."""
    texts = project.mapped("people", "key", "payload").filter(pl.col("key").is_in(keys)).get_column("payload").to_list()
    return sum(any(f'"{name}":' in text for text in texts) for name in project.columns("people"))


def test_a_sample_shows_more_than_as_many_records_by_chance_and_says_how_much(project: Project) -> None:
    first = project.mapped("people", "key", "queue").filter(pl.col("queue").is_null()).get_column("key").head(4).to_list()
    assert filled(project, choose_sample(project, 4).keys["people"]) > filled(project, first)
    chosen = choose_sample(project, 20)
    assert len(chosen.keys["people"]) == 20
    cover = chosen.coverage
    assert cover.fields_shown >= 0.95 * cover.fields
    assert cover.oddities_shown + cover.fields_shown + len(cover.missing) == cover.oddities + cover.fields
    assert cover.told().startswith(
        f"20 people, {cover.fields_shown} of {cover.fields} fields, {cover.oddities_shown} of {cover.oddities} odd"
    )
    for name in ("people: an emoji", "people: letters outside Latin", "people: merged twins", "people.label_ids: several values"):
        assert name not in choose_sample(project, 50).coverage.missing, name


def test_enough_records_show_everything(project: Project) -> None:
    cover = choose_sample(project, 110).coverage
    assert (cover.missing, cover.fields_shown, cover.oddities_shown) == ((), cover.fields, cover.oddities)
    assert "not shown" not in cover.told()


def test_the_same_records_give_the_same_sample_with_every_parent_and_dependant(project: Project) -> None:
    chosen = choose_sample(project, 15)
    assert chosen == choose_sample(project, 15)
    people = set(chosen.keys["people"])
    deals = project.mapped("deals", "key", "queue", "link_person_id")
    hanging = deals.filter(pl.col("link_person_id").is_in(list(people)) & pl.col("queue").is_null())
    assert set(hanging.get_column("key")) == set(chosen.keys["deals"])
    organizations = project.mapped("people", "key", "link_org_id").filter(pl.col("key").is_in(list(people)))
    assert set(organizations.get_column("link_org_id").drop_nulls()) <= set(chosen.keys["organizations"])
    waiting = project.mapped("people", "key", "queue").filter(pl.col("queue").is_not_null())
    assert not people & set(waiting.get_column("key"))


def test_records_of_an_owner_without_a_user_are_left_for_later(project: Project) -> None:
    owned = project.mapped("people", "key", "link_owner_id").drop_nulls()
    owner = owned.get_column("link_owner_id").mode().sort().item(0)
    chosen = choose_sample(project, 60, {"users": [owner]})
    assert not set(chosen.keys["people"]) & set(owned.filter(pl.col("link_owner_id") == owner).get_column("key"))


def test_a_sample_of_nothing_is_refused(tmp_path: Path) -> None:
    """Nobody can look at it, so nobody's word may stand on it."""
    project = written(tmp_path, [("contacts_1.csv", "id,email,first_name\n")])
    desire(project)
    with pytest.raises(SettingsError, match=r"a sample of nothing shows nothing: the exports make no record"):
        choose_sample(project, 5)

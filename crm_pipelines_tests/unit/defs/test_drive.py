"""The walker, as far as it needs no destination: ranges, what is skipped, what a failing file leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import dagster as dg
import pytest

from crm_pipelines.defs import fresh
from crm_pipelines.defs.drive import Progress, Walk, _contiguous, _sliced
from crm_pipelines.defs.home import open_instance
from crm_pipelines.defs.intake import register
from crm_pipelines.errors import SettingsError, SourceError
from crm_pipelines.phases.project import Project
from crm_pipelines.settings import load_engagement
from crm_pipelines_tests.unit.defs.conftest import install, write_engagement

Engage = Callable[..., Path]


@dataclass
class Walked:
    """An engagement that was walked to its map once, for the tests that only look."""

    folder: Path
    instance: dg.DagsterInstance
    events: list[Progress]

    def again(self) -> list[Progress]:
        return list(walk(self.instance).run(until="map"))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    where = tmp_path_factory.mktemp("walked")
    with pytest.MonkeyPatch.context() as patch:
        install(where, patch)
        patch.setattr(fresh, "_newest_code", lambda: 0)  # a file saved while the tests run is no new release
        folder = write_engagement(where, "acme")
        with open_instance() as instance:
            yield Walked(folder, instance, list(walk(instance).run(until="map")))


@pytest.fixture
def instance(where: Path) -> Iterator[dg.DagsterInstance]:
    with open_instance() as opened:
        yield opened


def walk(instance: dg.DagsterInstance, name: str = "acme") -> Walk:
    return Walk(Project.open(load_engagement(name)), instance)


@pytest.mark.parametrize(
    ("known", "wanted", "stretches"),
    [
        ("abc", "abc", ["abc"]),
        ("abcde", "abde", ["ab", "de"]),
        ("abc", "", []),
        ("abc", "c", ["c"]),
        ("cab", "ab", ["ab"]),
        ("acb", "ab", ["a", "b"]),
    ],
)
def test_a_range_never_runs_over_a_chunk_that_is_not_wanted(known: str, wanted: str, stretches: list[str]) -> None:
    assert ["".join(one) for one in _contiguous(list(known), set(wanted))] == stretches


def test_ranges_are_cut_where_a_run_shall_end() -> None:
    assert list(_sliced(["a", "b", "c"], 2)) == [("a", "b"), ("c",)]


def test_files_are_staged_then_folded_then_mapped(walked: Walked) -> None:
    done = [(one.step.kind, one.step.name) for one in walked.events if one.state == "finished"]
    assert [kind for kind, _ in done][-2:] == ["resolve", "map"]
    assert {name for kind, name in done if kind == "stage"} >= {"contacts", "transactions", "custom_fields"}


def test_nothing_runs_again_while_nothing_changed(walked: Walked) -> None:
    assert walked.again() == []


def test_each_chunk_is_a_partition_with_its_own_figures_and_check(walked: Walked) -> None:
    instance, key = walked.instance, dg.AssetKey(["acme", "staged_contacts"])
    partitions = instance.get_dynamic_partitions("acme__staged_contacts")
    assert partitions == sorted(partitions)
    assert len(partitions) == 2
    assert instance.get_materialized_partitions(key) == set(partitions)
    figures = {}
    for partition in partitions:
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
        figures[partition] = (
            instance.fetch_materializations(wanted, limit=1).records[0].asset_materialization.metadata["physical rows"].value
        )
    assert len(set(figures.values())) == 2, "one range run, two chunks, two figures"
    checks = [event for event in _check_events(instance) if event.asset_key == key and event.partition]
    assert {event.partition for event in checks} == set(partitions)


def test_exports_are_observed_with_file_digest_and_rows(walked: Walked) -> None:
    records = walked.instance.fetch_materializations(dg.AssetKey(["acme", "exports"]), limit=20).records
    files = {record.asset_materialization.metadata["file"].value: record.asset_materialization.metadata for record in records}
    contacts = files["contacts_kartra_09-06-2026_6a2803f884d5c.csv"]
    assert len(contacts["sha256"].value) == 64
    assert contacts["physical rows"].value > 0


def test_mapped_records_tell_which_columns_they_come_from(walked: Walked) -> None:
    record = walked.instance.fetch_materializations(dg.AssetKey(["acme", "mapped_people"]), limit=1).records[0]
    lineage = record.asset_materialization.metadata["dagster/column_lineage"].value.deps_by_column
    assert dg.TableColumnDep(asset_key=dg.AssetKey(["acme", "staged_contacts"]), column_name="email") in lineage["emails"]


def test_a_file_that_cannot_be_read_is_never_registered(engage: Engage, instance: dg.DagsterInstance) -> None:
    folder = engage()
    (folder / "exports" / "contacts_kartra_10-06-2026_6a29555584d5c.csv").write_text("not,a,kartra\nexport,at,all\n", encoding="utf-8")
    with pytest.raises(SourceError, match="contacts_kartra_10-06-2026"):
        list(walk(instance).run(until="map"))
    assert instance.get_dynamic_partitions("acme__staged_contacts") == []
    assert Project.open(load_engagement("acme")).chunks() == []


def test_a_range_that_fails_keeps_the_chunks_before_it(engage: Engage, instance: dg.DagsterInstance) -> None:
    engage()
    project = Project.open(load_engagement("acme"))
    register(project, instance)
    last = project.chunk(project.object_chunks("contacts")[-1])
    project.export_path(last).write_text("not,a,kartra\nexport,at,all\n", encoding="utf-8")
    with pytest.raises(SourceError, match=last.file_name):
        list(walk(instance).run(until="map"))
    done = instance.get_materialized_partitions(dg.AssetKey(["acme", "staged_contacts"]))
    assert [key.split("-")[2].split("_")[0] for key in sorted(done)] == ["leads"]
    failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    assert len(failed) == 1


def test_a_missing_object_stops_before_anything_is_registered(engage: Engage, instance: dg.DagsterInstance) -> None:
    engage(exports=False)
    with pytest.raises(SourceError, match="holds no file of contacts"):
        list(walk(instance).run(until="map"))
    assert instance.get_runs() == []


def test_chunks_go_in_runs_of_the_size_the_engagement_says(engage: Engage, instance: dg.DagsterInstance) -> None:
    engage(chunks_per_run=1)
    events = walk(instance).run(until="map")
    batches = list(islice((one.chunks for one in events if one.step.name == "contacts" and one.state == "started"), 2))
    assert [len(chunks) for chunks in batches] == [1, 1]


def test_a_launcher_elsewhere_needs_a_ledger_that_can_be_shared(engage: Engage) -> None:
    engage()
    elsewhere = {"run_launcher": {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}}
    with dg.instance_for_test(overrides=elsewhere) as remote, pytest.raises(SettingsError, match=r"MockedRunLauncher.*CRM_LEDGER_URL"):
        walk(remote)


def _check_events(instance: dg.DagsterInstance) -> list[dg.AssetCheckEvaluation]:
    found = []
    for run in instance.get_runs():
        records = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
        found += [record.event_log_entry.dagster_event.event_specific_data for record in records]
    return found

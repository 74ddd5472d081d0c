"""Engagements as Dagster definitions: the graph, its barriers, and one broken engagement among sound ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from crm_pipelines.definitions import defs as code_location
from crm_pipelines.defs.component import CrmMigration
from crm_pipelines.settings import load_engagement

Engage = Callable[..., Path]
PHASES = ["users", "organizations", "people", "deals", "activities", "notes", "tags"]


def levels(definitions: dg.Definitions) -> list[list[str]]:
    graph = definitions.resolve_asset_graph()
    return [sorted(key.to_user_string() for key in level) for level in graph.toposorted_asset_keys_by_level]


def test_the_graph_goes_from_exports_through_gates_to_the_report(engage: Engage) -> None:
    engage()
    definitions = code_location()
    dg.Definitions.validate_loadable(definitions)
    found = levels(definitions)
    assert found[0] == ["acme/exports"]
    assert all(name.startswith("acme/staged_") for name in found[1])
    assert all(name.startswith("acme/resolved_") for name in found[2])
    assert found[3] == sorted(f"acme/mapped_{phase}" for phase in PHASES)
    assert found[4:6] == [["acme/discovery", "acme/map_confirmed"], ["acme/destination_schema"]], "discovery stands beside the load"
    assert found[6:-1] == [[f"acme/{name}"] for phase in PHASES for name in (phase, f"{phase}_gate")]
    assert found[-1] == ["acme/reconciliation"]


def test_every_dependency_on_chunks_is_on_all_of_them(engage: Engage) -> None:
    """Without a stated mapping two dynamic partition sets do not depend on each other at all."""
    engage()
    graph = code_location().resolve_asset_graph()
    crossing = [
        (node.key, parent)
        for node in graph.asset_nodes
        for parent in node.parent_keys
        if graph.get(parent).partitions_def not in (None, node.partitions_def)
    ]
    assert crossing, "the graph has barriers"
    for child, parent in crossing:
        assert isinstance(graph.get(child).partition_mappings[parent], dg.AllPartitionMapping), (child, parent)


def test_gates_block_and_writers_are_never_retried_by_dagster(engage: Engage) -> None:
    engage()
    definitions = code_location()
    graph = definitions.resolve_asset_graph()
    for phase in PHASES:
        check = graph.get(dg.AssetCheckKey(dg.AssetKey(["acme", f"{phase}_gate"]), "every_row_accounted"))
        assert check.blocking
        assert graph.get(dg.AssetKey(["acme", phase])).assets_def.op.retry_policy is None


def test_a_phase_shows_its_fields_its_spec_and_where_columns_come_from(engage: Engage) -> None:
    engage()
    node = code_location().resolve_asset_graph().get(dg.AssetKey(["acme", "people"]))
    assert "emails" in {column.name for column in node.metadata["dagster/column_schema"].columns}
    assert "kartra_to_pipedrive.yaml" in str(node.metadata["dagster/code_references"])
    assert node.partitions_def == dg.DynamicPartitionsDefinition(name="acme__people")


def test_objects_and_phases_of_one_name_keep_their_own_partitions(engage: Engage) -> None:
    engage()
    graph = code_location().resolve_asset_graph()
    staged = graph.get(dg.AssetKey(["acme", "staged_tags"])).partitions_def
    assert staged != graph.get(dg.AssetKey(["acme", "tags"])).partitions_def


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("engagement.yaml", "type: crm_pipelines.defs.component.CrmMigration\nattributes:\n  rout: x\n", "attributes.rout"),
        ("engagement.yaml", "route: [", "(text): is not readable YAML"),
        ("decisions.yaml", "owners: somebody\n", "decisions.yaml:1"),
        ("decisions.yaml", "map: {columns: {contact: {}}}\n", "did you mean 'contacts'?"),
    ],
)
def test_a_broken_engagement_is_one_asset_with_its_message_and_others_load(engage: Engage, file: str, text: str, told: str) -> None:
    engage("sound")
    (engage("broken") / file).write_text(text, encoding="utf-8")
    definitions = code_location()
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert {key for key in keys if key.startswith("broken/")} == {"broken/engagement_invalid"}
    assert "sound/people" in keys
    assert told in str(graph.get(dg.AssetKey(["broken", "engagement_invalid"])).description)


def test_an_engagement_whose_questions_are_open_loads_like_any_other(engage: Engage) -> None:
    (engage("asked") / "decisions.yaml").write_text("", encoding="utf-8")
    keys = {key.to_user_string() for key in code_location().resolve_asset_graph().get_all_asset_keys()}
    assert "asked/people" in keys


def test_the_component_takes_what_engagement_yaml_says(engage: Engage) -> None:
    engage(chunks_per_run=7)
    component = CrmMigration.of(load_engagement("acme"))
    assert (component.chunks_per_run, component.account.name, component.source.timezone) == (7, "acme", "America/New_York")

"""Make a sample: plant the world, write its files, write the truth beside them.

Belongs here: the order of planting and the report. Not here: any one part of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm_pipelines.sandbox.sample import words
from crm_pipelines.sandbox.sample.bookings import plant_affiliates, plant_bookings
from crm_pipelines.sandbox.sample.columns import REFUNDS
from crm_pipelines.sandbox.sample.config import SampleConfig
from crm_pipelines.sandbox.sample.csvfile import ExportFile, write
from crm_pipelines.sandbox.sample.deals import plant_deals
from crm_pipelines.sandbox.sample.delta import plant_delta
from crm_pipelines.sandbox.sample.details import CUSTOM_FIELDS
from crm_pipelines.sandbox.sample.exports import base_files
from crm_pipelines.sandbox.sample.people import plant_people
from crm_pipelines.sandbox.sample.purchases import plant_purchases
from crm_pipelines.sandbox.sample.truth import Truth, truth_of, write_truth
from crm_pipelines.sandbox.sample.twins import plant_overlap, plant_twins
from crm_pipelines.sandbox.sample.unknown import plant_unknown
from crm_pipelines.sandbox.sample.world import World

FOLDER_MODE = 0o700


@dataclass(frozen=True)
class SampleFile:
    """One written file and what is in it."""

    name: str
    object: str
    physical_rows: int
    encoding: str
    delimiter: str


@dataclass(frozen=True)
class SampleReport:
    """What was made and where: files, truth, how often each quirk was planted, records a migration must end with."""

    exports: Path
    truth: Path
    files: tuple[SampleFile, ...]
    quirks: dict[str, int]
    records: dict[str, int]
    queues: int
    seconds: float
    delta: Path | None = None
    delta_truth: Path | None = None
    delta_files: tuple[SampleFile, ...] = field(default_factory=tuple)


def plant(config: SampleConfig) -> World:
    """Plant everything that the first export holds."""
    world = World(config, custom_fields=CUSTOM_FIELDS[: config.custom_fields])
    world.tags = {name.casefold(): name for name in words.TAGS}
    plant_people(world)
    plant_twins(world)
    plant_overlap(world)
    plant_unknown(world)
    plant_affiliates(world)
    plant_purchases(world)
    plant_bookings(world)
    if config.has_deals:
        plant_deals(world)
    return world


def generate(config: SampleConfig) -> SampleReport:
    """Write `exports/*.csv` and `truth.json` under `config.out` (and `delta/` with `truth_after_delta.json` when wanted).

    Raises: ValueError when the exports folder already holds CSV files; a mixture of two samples has no truth.
    """
    started = time.perf_counter()
    world = plant(config)
    files = base_files(world)
    _count_purchases(world)
    truth = truth_of(world, files)
    written = _write(world, files, config.exports)
    write_truth(truth, config.out / "truth.json")
    delta, delta_truth, delta_files = _delta(world, truth) if config.delta else (None, None, ())
    return SampleReport(
        config.exports, config.out / "truth.json", written, dict(sorted((+world.quirks).items())),
        {phase: len(records) for phase, records in truth["records"].items()}, len(truth["queues"]),
        time.perf_counter() - started, delta, delta_truth, delta_files,
    )  # fmt: skip


def _delta(world: World, truth: Truth) -> tuple[Path, Path, tuple[SampleFile, ...]]:
    folder, path = world.config.out / "delta", world.config.out / "truth_after_delta.json"
    files = plant_delta(world)
    write_truth(truth_of(world, files, earlier=truth), path)
    return folder, path, _write(world, files, folder)


def _write(world: World, files: Sequence[ExportFile], folder: Path) -> tuple[SampleFile, ...]:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if any(folder.glob("*.csv")):
        raise ValueError(f"{folder} already holds CSV files; choose an empty folder")
    for age, file in enumerate(files):
        write(file, folder, world.config.timezone, age * 3600)
    return tuple(SampleFile(f.name(world.config.timezone), f.object, len(f.lines), f.style.encoding, f.style.delimiter) for f in files)


def _count_purchases(world: World) -> None:
    """Count transactions by kind and the troubles of purchases, bookings and affiliates."""
    counts = world.quirks
    for one in world.transactions:
        counts[f"kind_{one.kind.lower().rstrip('.').replace(' ', '_')}"] += 1
        counts["transaction_orphan"] += one.link == "orphan"
        counts["transaction_linked_by_email"] += one.link in {"email", "email_unknown_id"}
        counts["rebill_without_subscription_id"] += one.kind == "Rebill" and not one.says_subscription
        counts["refund_without_processor_id"] += one.kind in REFUNDS and not one.processor_id
        counts["cancellation_after_subscriptions_file"] += one.is_late
    counts["subscription_only_in_transactions"] += sum(not one.is_in_file for one in world.subscriptions)
    counts["booking_of_stranger"] += sum(one.contact is None for one in world.bookings)
    counts["booking_cancelled"] += sum(one.status == "cancelled" for one in world.bookings)
    for deal in world.deals:
        counts[f"deal_by_{deal.link}"] += 1
    counts["affiliate_without_lead_id"] += sum(one.link != "lead_id" for one in world.affiliates)

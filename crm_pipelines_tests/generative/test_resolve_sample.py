"""A messy sample, read and folded, against the truth that was written from what was planted.

Belongs here: what the fold alone decides - who is one person, which purchases there are, what waits, where rows went.
Not here: values that the mapping makes (acceptance).
"""

from __future__ import annotations

import functools
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_pipelines.phases.extract import partition_key, register_exports
from crm_pipelines.phases.resolve import ChunkFrame, Resolved, StagedObject
from crm_pipelines.phases.stage import inventories, stage_file
from crm_pipelines.sandbox.sample import main as make_sample
from crm_pipelines.sources import load_source
from crm_pipelines.sources.base import ReadSettings
from crm_pipelines_tests.lib.staged_objects import DEFAULTS, resolved

CASES: list[dict[str, str]] = [
    {},
    {"rebills": "deal_each", "failed": "lost_deal", "refunded": "won_minus_refund", "affiliates": "partner_organizations"},
    {"subscription_value": "latest", "companyless": "none", "cancelled_bookings": "exclude"},
]


@functools.cache
def sample(case: int, folder: Path) -> tuple[dict[str, Any], Resolved]:
    """Make, read and fold one sample; return its truth and the result."""
    chosen = [f"--decision={name}={value}" for name, value in CASES[case].items()]
    make_sample(["kartra", "--contacts", "400", "--seed", str(11 + case), "--out", str(folder), *chosen])
    truth = orjson.loads((folder / "truth.json").read_bytes())
    answers = {name: value for name, value in truth["decisions"].items() if name in DEFAULTS}
    return truth, resolved(*_staged(folder / "exports"), **answers)


def _staged(exports: Path) -> list[StagedObject]:
    source, found = load_source("kartra"), register_exports(load_source("kartra"), exports)
    paths: dict[str, list[Path]] = {}
    for file in found.files:
        paths.setdefault(file.object, []).append(file.path)
    frames: dict[str, list[ChunkFrame]] = {name: [] for name in paths}
    for place, file in enumerate(found.files):
        settings = ReadSettings(inventories=inventories(source, file.object, paths))
        frame = stage_file(source, file.object, file.path, settings).frame
        key = partition_key(1, place, file.path.name, file.sha256)
        frames[file.object].append(ChunkFrame(key, file.exported_at, frozenset(frame.columns), frame))
    return [StagedObject(name, parts) for name, parts in frames.items()]


@pytest.fixture(params=range(len(CASES)), ids=["defaults", "apart", "other"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Resolved]:
    return sample(request.param, tmp_path_factory.getbasetemp() / f"sample{request.param}")


def records(result: Resolved, name: str) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in result.frames[name].to_dicts()}


def moment(value: datetime | None) -> str | None:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def test_people_are_who_was_planted(both: tuple[dict[str, Any], Resolved]) -> None:
    truth, result = both
    found = records(result, "contacts")
    for key, wanted in truth["records"]["people"].items():
        person, told = found[key], wanted["custom"]
        address = wanted["emails"][0]["value"] if "emails" in wanted else None
        assert (person["full_name"], person["email_normal"], person["company_key"]) == (wanted["name"], address, wanted.get("org_id"))
        assert person["owner_key"] == wanted.get("owner_id")
        assert (", ".join(person["aliases"]) or None) == told.get("Merged Kartra IDs")
        assert (person["status"], person["gdpr_status_ip"]) == (told.get("Kartra mailing status"), told.get("GDPR consent IP"))
        labels = {*(person["tags"] or []), *(f"list_{name}" for name in person["lists"] or [])}
        assert sorted(labels) == wanted.get("label_ids", [])
        assert person.get("affiliate_username") == told.get("Affiliate username")


def test_organizations_are_what_people_say(both: tuple[dict[str, Any], Resolved]) -> None:
    truth, result = both
    found = {key: (row["name"], moment(row["joined_at"])) for key, row in records(result, "companies").items()}
    assert found == {key: (row["name"], row.get("add_time")) for key, row in truth["records"]["organizations"].items()}
    owners = set(result.frames["owners"]["key"]) - set(truth["owners_without_user"])
    assert owners == set(truth["records"]["users"])


def test_purchases_are_what_was_planted(both: tuple[dict[str, Any], Resolved]) -> None:
    truth, result = both
    found = {key: row for key, row in records(result, "purchases").items() if row["queue"] is None}
    assert set(found) == set(truth["records"]["deals"])
    for key, wanted in truth["records"]["deals"].items():
        deal, told = found[key], wanted["custom"]
        assert f"{deal['product']} ({deal['title_id']})" == wanted["title"]
        assert (deal["contact_key"], deal["company_key"], deal["owner_key"]) == tuple(map(wanted.get, ("person_id", "org_id", "owner_id")))
        value = None if deal["value"] is None else float(deal["value"])
        assert (deal["status"], value, deal["lost_reason"]) == (wanted["status"], wanted.get("value"), wanted.get("lost_reason"))
        assert (moment(deal["won_at"]), moment(deal["lost_at"])) == (wanted.get("won_time"), wanted.get("lost_time"))
        assert (day(deal["closed_on"]), day(deal["created_on"])) == (wanted["expected_close_date"], told["Kartra created date"])
        assert (float(deal["refunded"]) if deal["refunded"] else None) == told.get("Refunded amount")
        assert (deal["processor"], deal["coupon"], deal["affiliate"]) == tuple(
            map(told.get, ("Payment method", "Coupon", "Affiliate on sale"))
        )
        if deal["kind"] == "subscription":
            assert (deal["subscription_status"], float(deal["payments_received"])) == (
                told["Subscription status"],
                told["Payments received"],
            )
            ends = (day(deal["ended_on"]), day(deal["cancellation_requested_on"]))
            assert ends == (told.get("Subscription end date"), told.get("Cancellation requested on"))


def test_bookings_are_their_attendees(both: tuple[dict[str, Any], Resolved]) -> None:
    truth, result = both
    found = {key: row for key, row in records(result, "bookings").items() if row["queue"] is None}
    wanted = truth["records"]["activities"]
    told = {key: ([row["contact_key"]], row["company_key"], row["owner_key"], row["is_done"]) for key, row in found.items()}
    assert told == {key: (row["participants"], row.get("org_id"), row.get("owner_id"), row["done"]) for key, row in wanted.items()}


def test_the_same_rows_wait_for_the_same_reasons(both: tuple[dict[str, Any], Resolved]) -> None:
    """Owners without a user and options nobody knows are found later, by the mapping."""
    truth, result = both
    waiting = Counter(
        (name, line["key"], line["queue"], line["reason"])
        for name, lines in result.fates.items()
        for line in lines.to_dicts()
        if line["fate"] == "waiting"
    )
    planted = Counter((row["object"], row["key"], row["queue"], row["reason"]) for row in truth["queues"])
    assert waiting == Counter({row: count for row, count in planted.items() if row[2] not in ("owner", "decision")})


def test_rows_end_in_the_same_buckets(both: tuple[dict[str, Any], Resolved]) -> None:
    truth, result = both
    ours = Counter(line["fate"] for lines in result.fates.values() for line in lines.to_dicts())
    theirs: Counter[str] = Counter()
    for file in truth["rows"].values():
        theirs.update(file["buckets"])
    assert (ours["merged"], ours["folded"]) == (theirs["merged"], theirs["folded"])
    assert ours["record"] + ours["waiting"] == theirs["created"] + theirs["waiting"]

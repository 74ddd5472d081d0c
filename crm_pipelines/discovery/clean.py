"""Raw rows against what would be worth moving, so that a client can leave contacts out before paying for them.

Belongs here: counting, and each rule in the client's words. Not here: the rules (phases.resolve.suppress), leaving rows out
(the client's map decides, the fold does it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import polars as pl

from crm_pipelines.discovery import frames
from crm_pipelines.discovery.duplicates import likely_duplicates
from crm_pipelines.discovery.shapes import RUINED
from crm_pipelines.discovery.tags import tag_columns
from crm_pipelines.discovery.values import CleanCount
from crm_pipelines.phases.project import Project
from crm_pipelines.phases.resolve import StagedObject
from crm_pipelines.phases.resolve.columns import comparable, text
from crm_pipelines.phases.resolve.suppress import KINDS, engaged, suppression
from crm_pipelines.phases.stale import stale_before
from crm_pipelines.spec.client_map import LeaveOut
from crm_pipelines.spec.derive import DeriveSpec

MAY_STAY: tuple[LeaveOut, ...] = get_args(LeaveOut)
REPEATED = "Rows whose key stands in another row as well; the newest row is used, older ones fill its gaps."


def clean_counts(project: Project, staged: Mapping[str, StagedObject], people: pl.DataFrame) -> tuple[CleanCount, ...]:
    """Count every object of the route that was read, contacts by all rules, others by their keys."""
    contacts = project.spec.derive.contacts.from_
    counts = []
    for name in project.objects:
        if frames.staged_chunks(project, name):
            counts.append(_contacts(project, staged, people) if name == contacts else _others(project, name))
    return tuple(counts)


def _contacts(project: Project, staged: Mapping[str, StagedObject], people: pl.DataFrame) -> CleanCount:
    derive = project.spec.derive
    told = suppression(derive, people, engaged(derive, staged), stale_before(project), key="_key", aliases="_aliases")
    flags = people.with_columns(**told)
    twins = int(people["_aliases"].list.len().sum())
    name = derive.contacts.from_
    more = {"duplicate_email": twins, **_likely(project), **_ruined(project, name)}
    kinds = {**{kind: int(flags[kind].sum()) for kind in KINDS}, **more}
    may_stay = flags.select(pl.any_horizontal(MAY_STAY)).to_series()
    return CleanCount(
        object=name,
        raw_rows=_raw_rows(project, name),
        distinct_keys=people.height + twins,
        kinds=kinds,
        clean=people.height - int(may_stay.sum()),
        rules={kind: rule for kind, rule in _rules(project).items() if kind in kinds},
        merged=twins,
        stale_with=_stale_with(derive, flags.filter("stale")),
    )


def _stale_with(derive: DeriveSpec, stale: pl.DataFrame) -> dict[str, int]:
    """Count the stale ones that a mailing list or a tag speaks for; what no export tells is not there."""
    rules, found = derive.contacts.suppress, {}
    strictest = derive.contacts.twins.strictest.get(rules.status) if rules else None
    if rules and strictest:
        mildest = strictest.order[-1]
        words = [mildest] if isinstance(mildest, str) else list(mildest)
        status = comparable(text(stale, rules.status))
        found["subscribed"] = int(stale.select(status.is_in([word.casefold() for word in words]).sum()).item())
    tags = [name for name in tag_columns(derive.contacts) if name in stale.columns]
    if tags:
        found["tagged"] = int(stale.select(pl.any_horizontal(pl.col(name).list.len() > 0 for name in tags).sum()).item())
    return found


def _ruined(project: Project, name: str) -> dict[str, int]:
    """Count contacts whose phone number a spreadsheet rounded: nothing can bring it back; not told where there are none."""
    columns = [column.name for column in project.source.objects[name].columns if column.type == "phone"]
    rows = frames.newest_rows(project, name, columns)
    held = [pl.col(column).cast(pl.String).str.strip_chars().str.contains(RUINED) for column in columns if column in rows.columns]
    ruined = int(rows.select(pl.any_horizontal(held).sum()).item() or 0) if held else 0
    return {"ruined_phone": ruined} if ruined else {}


def _likely(project: Project) -> dict[str, int]:
    """Count contacts that are probably somebody who is there already; nothing is told before the contacts are resolved."""
    if frames.resolved(project, "contacts") is None:
        return {}
    return {"likely_duplicate": len({pair.keys[1] for pair in likely_duplicates(project)})}


def _others(project: Project, name: str) -> CleanCount:
    keys = frames.column_values(project, name, project.source.objects[name].key).drop_nulls()
    distinct = keys.n_unique()
    return CleanCount(name, _raw_rows(project, name), distinct, {"repeated": keys.len() - distinct}, distinct, {"repeated": REPEATED})


def _raw_rows(project: Project, name: str) -> int:
    """Return the rows of all files, blank ones left out, unreadable ones not."""
    told = [frames.sidecar(project, name, key) for key in frames.export_chunks(project, name)]
    return sum(one["physical_rows"] - one["blank_rows"] for one in told)


def _rules(project: Project) -> dict[str, str]:
    rules, newest = project.spec.derive.contacts.suppress, frames.newest_export(project)
    said = {
        "no_email": "The e-mail address is empty.",
        "unusable_email": "The text in the e-mail column is no address that mail could be sent to.",
        "role_account": "The address belongs to a role, not to a person: info@, sales@, office@ and the like.",
        "duplicate_email": "Another contact has the same address (or you said that both are one); they become one person.",
        "likely_duplicate": "Another contact has nearly the same name and the same company, postal code or phone; none is merged unasked.",
        "ruined_phone": "A spreadsheet has rounded the phone number (it reads like 4.47701E+11); its last digits are gone from the export.",
    }
    if rules is None:
        return said
    for kind in ("bounced", "unsubscribed", "complained"):
        words = [f"“{word}”" for word in getattr(rules, kind)]
        said[kind] = f"The {rules.status} is {' or '.join(words)}." if words else "No status tells."
    since = f" ({newest.day} {newest:%B %Y})" if newest else ""
    said["stale"] = (
        f"Joined more than {rules.stale_months} months before the newest export{since}, "
        "and no export shows a purchase, a deal or an appointment of theirs."
    )
    return said

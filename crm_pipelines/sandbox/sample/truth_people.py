"""What contacts must become: people, organizations and notes.

Belongs here: the fold of planted meanings into one person each, and the records that follow from it. Not here: deals
and activities (truth_deals), counts of rows (truth). Everything is computed from meanings; no cell text is parsed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_pipelines.sandbox.sample.times import day_text, utc_text
from crm_pipelines.sandbox.sample.unknown import BIRTH_DATE, BIRTHDAY
from crm_pipelines.sandbox.sample.world import Contact, World

Record = dict[str, Any]
NAME_COLUMNS = ("first_name", "middle_name", "last_name", "last_name2")
CONSENT = ("gdpr_status", "gdpr_status_date", "gdpr_status_ip", "gdpr_communications")
STRICT_STATUS = (
    ("Spam complaint",), ("Blocklisted", "Blacklisted"), ("Do not contact",), ("Declined commercial messages (GDPR)",),
    ("Unsubscribed",), ("Multiple soft bounces",), ("Inactive",), ("Subscribed", "Active"),
)  # fmt: skip
STRICT_GDPR = (("Not accepted",), ("Pending",), ("Unknown",), ("Off",), ("Not subject",), ("Accepted",))
REFUSING = {"Unsubscribed", "Declined commercial messages (GDPR)", "Do not contact", "Blocklisted", "Blacklisted", "Spam complaint"}
EXTRAS = {
    "Lead score": "score", "Lead source": "source", "GDPR communications (raw)": "gdpr_communications",
    "GDPR consent IP": "gdpr_status_ip", "Website": "website", "Facebook": "facebook", "Twitter": "twitter",
    "LinkedIn": "linkedin", "Instagram": "instagram", "Sales tax ID": "sales_tax_id",
    "Time zone": "lead_preferred_time_zone", "Kartra referrer ID": "referring_id",
}  # fmt: skip
ADDRESS_PARTS = {"locality": "city", "admin_area_level_1": "state", "postal_code": "zip", "country": "country"}
ORG_KEY_LENGTH = 255  # a varchar custom field (Pipedrive: varchar holds up to 255 characters)
HTML_TAG = re.compile(r"<[a-zA-Z/][^>]*>")


@dataclass
class Person:
    """One person: the surviving contact with what its rows and twins say together."""

    key: str
    facts: dict[str, Any]
    aliases: list[str] = field(default_factory=list)
    queue: tuple[str, str] | None = None
    organization: str | None = None
    owner: str | None = None
    phones: list[str] = field(default_factory=list)
    """Every different number that can be read, of all contacts who are this person, in their order."""
    odd_phones: list[str] = field(default_factory=list)
    """What stands where a number should, and is none."""

    @property
    def name(self) -> str:
        """The person's name, or the address when there is none."""
        parts = [" ".join(self.facts[column].split()) for column in NAME_COLUMNS if self.facts.get(column)]
        return " ".join(parts) or str(self.facts["email"].address)


@dataclass
class People:
    """All persons by key, and whose person each contact is."""

    by_key: dict[str, Person]
    of_contact: dict[int, Person]

    def wanted(self) -> list[Person]:
        """Return the persons that arrive."""
        return [person for person in self.by_key.values() if person.queue is None]


def fold(world: World) -> People:
    """Make one person of each group of e-mail twins; the lowest id survives."""
    groups: dict[object, list[Contact]] = {}
    for contact in sorted(world.contacts, key=lambda one: one.id):
        email = contact.newest("email")
        key = email.match_key if email else None
        groups.setdefault(key or contact.id, []).append(contact)
    people = People({}, {})
    for group in groups.values():
        person = _person(world, group)
        people.by_key[person.key] = person
        people.of_contact |= dict.fromkeys((contact.id for contact in group), person)
    return people


def _person(world: World, group: list[Contact]) -> Person:
    rows = [_folded(contact) for contact in group]
    facts = dict(rows[0])
    for row in rows[1:]:
        facts |= {column: value for column, value in row.items() if facts.get(column) is None}
    for column in ("tags", "lists"):
        facts[column] = list(dict.fromkeys(name for row in rows for name in row.get(column) or ()))
    facts["blacklisted"] = max(row.get("blacklisted") or 0 for row in rows)
    facts["status"] = _strictest(rows, "status", STRICT_STATUS).get("status")
    facts |= {column: _strictest(rows, "gdpr_status", STRICT_GDPR).get(column) for column in CONSENT}
    person = Person(group[0].key, facts, [contact.key for contact in group[1:]], group[0].queue)
    numbers = [row["phone"] for row in rows if row.get("phone")]
    person.phones = list(dict.fromkeys(one.e164 for one in numbers if one.e164))
    person.odd_phones = list(dict.fromkeys(one.text for one in numbers if not one.e164))
    return _with_owner(world, person)


def _folded(contact: Contact) -> dict[str, Any]:
    """Take, column by column, the newest value that is not empty."""
    found: dict[str, Any] = {}
    for _, row in sorted(contact.rows.items()):
        found |= {column: cell.means for column, cell in row.items() if cell.means is not None and cell.means != []}
    return found


def _strictest(rows: list[dict[str, Any]], column: str, order: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    ranks = {word: rank for rank, words in enumerate(order) for word in words}
    return min(rows, key=lambda row: ranks.get(row.get(column) or "", len(order)))


def _with_owner(world: World, person: Person) -> Person:
    person.owner = person.facts.get("owner")
    if person.queue == ("owner", "no_user") and world.config.decided["owners"] == "default_user":
        person.queue, person.owner = None, world.config.decided["default_owner"]
    return person


def organization_records(world: World, people: People) -> dict[str, Record]:
    """Return the organizations that contacts (and affiliates, when they are partners) lead to."""
    made: dict[str, Record] = {}
    for person in sorted(people.by_key.values(), key=lambda one: int(one.key)):
        if person.queue is None or person.queue[0] != "remediation":
            _join_organization(world, person, made)
    if world.config.decided["affiliates"] == "partner_organizations":
        made |= {f"partner:{one.username}": _partner(one) for one in world.affiliates}
    return made


def _join_organization(world: World, person: Person, made: dict[str, Record]) -> None:
    company = " ".join((person.facts.get("company") or "").split())
    if not company and world.config.decided["companyless"] == "none":
        return
    key = f"company:{company.casefold()}" if company else f"person:{person.key}"
    person.organization = key
    record = made.setdefault(key, {"name": company or person.name, "custom": {"Kartra ID": key[:ORG_KEY_LENGTH]}})
    joined = person.facts.get("date_joined")
    if joined is not None:
        moment = utc_text(joined, world.config.timezone)
        record["add_time"] = min(record.get("add_time", moment), moment)


def _partner(one: Any) -> Record:
    custom = {"Kartra ID": f"partner:{one.username}", "Affiliate username": one.username, "Affiliate status": one.status}
    return {"name": one.name, "label_ids": ["Partner"], "custom": custom}


def person_records(world: World, people: People) -> dict[str, Record]:
    """Return the people that arrive, with every field."""
    affiliates = {people.of_contact[one.contact.id].key: one for one in world.affiliates if one.contact and not one.queue}
    if world.config.decided["affiliates"] != "person_fields":
        affiliates = {}
    return {person.key: _person_record(world, person, affiliates.get(person.key)) for person in people.wanted()}


def _person_record(world: World, person: Person, affiliate: Any) -> Record:
    facts, joined = person.facts, person.facts.get("date_joined")
    email = facts["email"]
    record: Record = {
        "name": person.name,
        "emails": [_single(email.address)] if email.address else [],
        "phones": [_single(number) | {"primary": place == 0} for place, number in enumerate(person.phones)],
        "org_id": person.organization,
        "owner_id": person.owner,
        "add_time": utc_text(joined, world.config.timezone) if joined else None,
        "label_ids": labels_of(world, person),
        "marketing_status": _marketing(world, facts) if email.address else None,
        "custom": set_only(_custom(world, person, joined) | _affiliate_fields(world, affiliate)),
    }
    return set_only(record)


def _single(value: str) -> Record:
    return {"value": value, "primary": True, "label": "work"}


def labels_of(world: World, person: Person) -> list[str]:
    """Return the labels of a person: tags, and lists when they arrive as labels."""
    lists = person.facts["lists"] if world.config.decided["lists"] == "labels" else []
    return sorted({*person.facts["tags"], *(f"list_{name}" for name in lists)})


def is_opted_out(facts: Mapping[str, Any]) -> bool:
    """Return whether a person refused mailings, by any of the ways in which Kartra says so."""
    return bool(facts["blacklisted"] or facts["status"] in REFUSING or facts["gdpr_status"] == "Not accepted")


def _marketing(world: World, facts: Mapping[str, Any]) -> str:
    if is_opted_out(facts):
        return "unsubscribed"
    is_proven = facts["gdpr_status"] == "Accepted" and facts["gdpr_status_date"] and facts["status"] in {"Subscribed", "Active"}
    return "subscribed" if is_proven and world.config.decided["consent_proof"] == "gdpr_accepted" else "no_consent"


def _custom(world: World, person: Person, joined: datetime | None) -> Record:
    facts = person.facts
    consent = facts.get("gdpr_status_date")
    found: Record = {
        "Kartra ID": person.key,
        "Kartra created date": day_text(joined) if joined else None,
        "GDPR status": facts.get("gdpr_status"),
        "GDPR consent date": day_text(consent) if consent else None,
        "Kartra mailing status": facts.get("status"),
        "Kartra address": _address(facts),
        "Kartra e-mail as exported": None if facts["email"].address else facts["email"].text,
        "Kartra phone as exported": "; ".join(person.odd_phones) or None,
        "Merged Kartra IDs": ", ".join(person.aliases) or None,
    }
    if world.config.decided["lists"] == "custom_field":
        found["Kartra lists"] = sorted(facts["lists"])
    if world.config.decided["extra_fields"] == "all":
        found |= {name: facts.get(column) for name, column in EXTRAS.items()}
    unknown = {BIRTHDAY: facts.get(BIRTH_DATE)} if world.config.unknown_columns else {}
    return found | unknown | {one.identifier: facts.get(one.identifier) for one in world.custom_fields}


def _address(facts: Mapping[str, Any]) -> Record | None:
    parts = {name: facts[column] for name, column in ADDRESS_PARTS.items() if facts.get(column)}
    value = ", ".join(
        " ".join(facts[column].splitlines()) for column in ("address", "city", "state", "zip", "country") if facts.get(column)
    )
    return {"value": value, **parts} if value else None


def _affiliate_fields(world: World, affiliate: Any) -> Record:
    if affiliate is None:
        return {}
    found = {"Affiliate ID": None if affiliate.id is None else str(affiliate.id), "Affiliate username": affiliate.username}
    earned = {"Affiliate earned": float(affiliate.earned)} if world.config.decided["extra_fields"] == "all" else {}
    return {**found, "Affiliate status": affiliate.status, **earned}


def note_records(people: People) -> dict[str, Record]:
    """Return one note for each person whose contact has text."""
    return {
        person.key: {"person_id": person.key, "content": as_html(person.facts["notes"])}
        for person in people.wanted()
        if person.facts.get("notes")
    }


def as_html(text: str) -> str:
    """Return plain text as HTML; text that holds tags goes as it is."""
    if HTML_TAG.search(text):
        return text
    return html.escape(text).replace("\r\n", "<br>").replace("\n", "<br>")


def label_pairs(records: Iterable[Record]) -> int:
    """Count (record, label) pairs."""
    return sum(len(record.get("label_ids", ())) for record in records)


def set_only(record: Record) -> Record:
    """Return a record without what is empty."""
    return {name: value for name, value in record.items() if value is not None and value != []}

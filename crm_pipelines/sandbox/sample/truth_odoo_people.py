"""What contacts must become in Odoo: companies, people, and the addresses that nobody may mail to.

Belongs here: partners with every field, opt-outs, which places Odoo knows. Not here: the fold of rows into persons
(truth_people), what they bought (truth_odoo_sales).
"""

from __future__ import annotations

from typing import Any

from crm_pipelines.sandbox.sample.times import day_text, utc_text
from crm_pipelines.sandbox.sample.truth_people import EXTRAS, HTML_TAG, People, Person, Record, as_html, is_opted_out, set_only
from crm_pipelines.sandbox.sample.unknown import BIRTH_DATE, BIRTHDAY
from crm_pipelines.sandbox.sample.world import CustomField, World

COUNTRIES = {"united states": "US", "united kingdom": "GB", "france": "FR", "australia": "AU"}
# The codes of words.PLACES in Odoo 19 (res_country_state, read from a new database): it knows counties of the United
# Kingdom by codes of its own and no departments of France, so Rhône stays text.
STATES = {("US", "tx"): "TX", ("US", "ma"): "MA", ("US", "oregon"): "OR", ("GB", "essex"): "G9", ("AU", "nsw"): "NSW", ("AU", "wa"): "WA"}
PLACE_COLUMNS = ("address", "city", "state", "zip", "country")
AFFILIATE = "Affiliate"
KINDS = {"input_field": "char", "text_area": "text", "drop_down": "selection", "radio_button": "selection"}
TYPES = {
    "Kartra created date": "datetime", "GDPR status": "selection", "GDPR consent date": "date", "Kartra mailing status": "char",
    "Kartra state": "char", "Kartra country as exported": "char", "Kartra e-mail as exported": "char",
    "Kartra phone as exported": "char", "Other phone numbers": "text",
    "Merged Kartra IDs": "char", "Affiliate ID": "char", "Affiliate username": "char",
    "Affiliate status": "selection", "Affiliate earned": "float", "Lead score": "float", "Lead source": "char",
    "GDPR communications (raw)": "char", "GDPR consent IP": "char", "Facebook": "char", "Twitter": "char", "LinkedIn": "char",
    "Instagram": "char", "Sales tax ID": "char", "Time zone": "char", "Kartra referrer ID": "char",
}  # fmt: skip


def field_types(world: World) -> dict[str, str]:
    """Return the custom fields of partners by display name with Odoo's type."""
    found = TYPES | ({BIRTHDAY: "date"} if world.config.unknown_columns else {})
    for one in world.custom_fields:
        found |= dict.fromkeys(_box_names(one).values(), "boolean") if one.kind == "checkbox" else {one.identifier: KINDS[one.kind]}
    return found


def _box_names(field: CustomField) -> dict[str, str]:
    """Return the name of the field that each option of a checkbox becomes."""
    names = {option: f"{field.identifier}: {option}" for option in field.options}
    return names if len(names) > 1 else dict.fromkeys(names, field.identifier)


def organization_records(world: World, people: People) -> dict[str, Record]:
    """Return the companies that contacts name; without address and owner, which are their people's."""
    made: dict[str, Record] = {}
    for person in sorted(people.by_key.values(), key=lambda one: int(one.key)):
        company = " ".join((person.facts.get("company") or "").split())
        if company and (person.queue is None or person.queue[0] != "remediation"):
            person.organization = f"company:{company.casefold()}"
            record = made.setdefault(person.organization, {"name": company, "is_company": True, "custom": {}})
            _keep_earliest(record["custom"], person, world.config.timezone)
    return made


def _keep_earliest(custom: Record, person: Person, timezone: str) -> None:
    joined = person.facts.get("date_joined")
    if joined is not None:
        moment = utc_text(joined, timezone)
        custom["Kartra created date"] = min(custom.get("Kartra created date", moment), moment)


def person_records(world: World, people: People) -> dict[str, Record]:
    """Return the people that arrive, with every field."""
    affiliates = {people.of_contact[one.contact.id].key: one for one in world.affiliates if one.contact and not one.queue}
    return {person.key: _person(world, person, affiliates.get(person.key)) for person in people.wanted()}


def _person(world: World, person: Person, affiliate: Any) -> Record:
    facts = person.facts
    record: Record = {
        "name": person.name,
        "is_company": False,
        "email": facts["email"].address,
        "phone": next(iter(person.phones), None),
        "parent_id": person.organization,
        "type": "other" if person.organization and any(facts.get(column) for column in PLACE_COLUMNS) else "contact",
        **_place(facts),
        "website": _website(facts.get("website")),
        "ref": person.key,
        "comment": paragraph(facts["notes"]) if facts.get("notes") else None,
        "user_id": person.owner,
        "category_id": _categories(world, person, affiliate),
        "custom": set_only(_custom(world, person, affiliate)),
    }
    return set_only(record)


def _place(facts: dict[str, Any]) -> Record:
    country = _country(facts)
    return {
        "street": ", ".join(facts["address"].splitlines()) if facts.get("address") else None,
        "city": facts.get("city"),
        "zip": facts.get("zip"),
        "country": country,
        "state": STATES.get((country or "", (facts.get("state") or "").casefold())),
    }


def _country(facts: dict[str, Any]) -> str | None:
    told = facts.get("country") or ""
    return COUNTRIES.get(told.casefold(), told.upper() if told.upper() in COUNTRIES.values() else None)


def _website(told: str | None) -> str | None:
    return told if told is None or "://" in told else f"http://{told}"


def paragraph(text: str) -> str:
    """Return a note as HTML: plain text in one paragraph, text with tags as it is."""
    return as_html(text) if HTML_TAG.search(text) else f"<p>{as_html(text)}</p>"


def _categories(world: World, person: Person, affiliate: Any) -> list[str]:
    prefix = "list_" if world.config.decided["lists"] == "prefixed" else ""
    names = {*person.facts["tags"], *(f"{prefix}{name}" for name in person.facts["lists"])}
    return sorted(names | ({AFFILIATE} if affiliate and world.config.decided["affiliates"] == "category" else set()))


def _custom(world: World, person: Person, affiliate: Any) -> Record:
    facts, numbers, odd = person.facts, person.phones, person.odd_phones
    joined, consent = facts.get("date_joined"), facts.get("gdpr_status_date")
    found: Record = {
        "Kartra created date": utc_text(joined, world.config.timezone) if joined else None,
        "GDPR status": facts.get("gdpr_status"),
        "GDPR consent date": day_text(consent) if consent else None,
        "Kartra mailing status": facts.get("status"),
        "Kartra state": facts.get("state"),
        "Kartra country as exported": facts.get("country") if _country(facts) is None else None,
        "Kartra e-mail as exported": None if facts["email"].address else facts["email"].text,
        "Kartra phone as exported": odd[0] if odd and not numbers else None,
        "Other phone numbers": "; ".join([*numbers[1:], *(odd if numbers else odd[1:])]) or None,
        "Merged Kartra IDs": ", ".join(person.aliases) or None,
        **{name: facts.get(column) for name, column in EXTRAS.items() if column != "website"},
    }
    if world.config.unknown_columns:
        found[BIRTHDAY] = facts.get(BIRTH_DATE)
    for one in world.custom_fields:
        found |= _kartra_field(one, facts.get(one.identifier))
    return found | _affiliate_fields(world, affiliate)


def _kartra_field(field: CustomField, value: Any) -> Record:
    """Return one field's value; a checkbox gives a ticked box for each chosen option."""
    if field.kind != "checkbox":
        return {field.identifier: value}
    return {name: True for option, name in _box_names(field).items() if option in (value or ())}


def _affiliate_fields(world: World, affiliate: Any) -> Record:
    if affiliate is None or world.config.decided["affiliates"] != "fields":
        return {}
    number = None if affiliate.id is None else str(affiliate.id)
    found = {"Affiliate ID": number, "Affiliate username": affiliate.username, "Affiliate status": affiliate.status}
    return {**found, "Affiliate earned": float(affiliate.earned)}


def opt_out_records(people: People) -> dict[str, Record]:
    """Return the address of everybody who refused, also of those who wait for something else."""
    told = [one.facts["email"].address for one in people.by_key.values() if one.facts.get("email") and is_opted_out(one.facts)]
    return {listed: {"email": listed} for listed in map(_listed, filter(None, told))}


def _listed(address: str) -> str:
    """Return an address as Odoo's blacklist writes it (tools/mail.py, `_normalize_email`)."""
    local, _, domain = address.rpartition("@")
    return f"{local.lower() if local.isascii() else local}@{domain.lower()}"

"""The partners of the Odoo benchmark: the same values for every tool, as CSV, as rows of `load()` and as logical payloads.

Belongs here: the data. Not here: who loads it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MODULE = "crm_bench"
GIVEN = "crm_bench_given"  # what is there before; a module of its own, since our prefix must be new to the database
TAGS = tuple(f"Segment {number:02}" for number in range(20))
FIELDS = ("name", "email", "phone", "street", "city", "zip", "ref", "website")
CITIES = (("Springfield", "62701"), ("Riverside", "92501"), ("Franklin", "37064"), ("Clinton", "39056"), ("Georgetown", "78626"))


DIGEST = """
select count(*), md5(string_agg(concat_ws('|', p.name, p.email, p.phone, p.street, p.city, p.zip, p.ref, p.website, t.names), ';'
                                order by p.ref))
from res_partner p
left join lateral (
  select string_agg(c.name ->> 'en_US', ',' order by c.name ->> 'en_US') as names
  from res_partner_res_partner_category_rel r join res_partner_category c on c.id = r.category_id where r.partner_id = p.id
) t on true where p.ref is not null"""
"""How many partners a database holds and the MD5 of their values; `digest` says what it should be."""


@dataclass(frozen=True)
class Partner:
    """One person of the benchmark."""

    key: str
    values: Mapping[str, str]
    tags: tuple[str, str]


def partners(count: int) -> Iterator[Partner]:
    """Yield the first partners; the n-th is always the same."""
    for number in range(count):
        key = f"{number:07}"
        city, code = CITIES[number % len(CITIES)]
        yield Partner(
            key,
            {
                "name": f"Person {number} Example",
                "email": f"person.{number}@example.com",
                "phone": f"+1 415-555-{100 + number % 100:04}",  # fictional numbers of the North American plan
                "street": f"{1 + number % 999} Main Street",
                "city": city,
                "zip": code,
                "ref": key,
                "website": f"https://person-{number}.example.com",
            },
            _two_tags(number),
        )


def _two_tags(number: int) -> tuple[str, str]:
    """Return two different tags; over 380 partners each ordered pair comes once."""
    first, apart = number % 20, number // 20 % 19 + 1
    return TAGS[first], TAGS[(first + apart) % 20]


def external_id(key: str) -> str:
    """Return a partner's external id, as `load()` and every tool take it."""
    return f"{MODULE}.people.{key}"


def tag_id(tag: str) -> str:
    """Return the external id of a category."""
    return f"{GIVEN}.{tag.replace(' ', '_')}"


def header() -> list[str]:
    return ["id", *FIELDS, "category_id/id"]


def row(partner: Partner) -> list[str]:
    """Return a partner as `load()` takes it."""
    tags = ",".join(tag_id(tag) for tag in partner.tags)
    return [external_id(partner.key), *partner.values.values(), tags]


def write_csv(path: Path, count: int) -> Path:
    """Write the partners as the import tool reads them: semicolons, external ids."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(header())
        writer.writerows(row(partner) for partner in partners(count))
    return path


def digest(count: int) -> str:
    """Return the MD5 of all values and tags, as DIGEST reads them from PostgreSQL."""
    lines = ("|".join([*one.values.values(), ",".join(sorted(one.tags))]) for one in partners(count))
    return hashlib.md5(";".join(lines).encode(), usedforsecurity=False).hexdigest()

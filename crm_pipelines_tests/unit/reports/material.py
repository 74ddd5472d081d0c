"""A realistic map to be decided, made by hand: what the tests of the workbook show and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crm_pipelines.discovery.proposal import Candidate, EmptyField, Proposal, ProposedMap, Target, WordProposal
from crm_pipelines.discovery.values import CleanCount, ColumnProfile, HistoryGap, OwnerFinding, TagFinding, VocabularyFinding
from crm_pipelines.phases.contracts import destination_contract, load_source, source_contract
from crm_pipelines.reports.workbook import Material
from crm_pipelines.spec.client_map import ClientMap
from crm_pipelines.spec.contract import DestinationContract
from crm_pipelines.spec.model import MappingSpec
from crm_pipelines.spec.parse import load_spec

SPECS = Path(__file__).parents[3] / "mapping_specs"
ROUTES = ("kartra_to_pipedrive", "kartra_to_odoo")
USERS = ("anna@example.com", "ben@example.com", "chloe@example.com")


def route(name: str = ROUTES[0]) -> tuple[MappingSpec, DestinationContract]:
    """Return a route's spec and what its destination accepts."""
    spec = load_spec(SPECS / f"{name}.yaml")
    return spec, destination_contract(spec.route.destination)


def person_phase(spec: MappingSpec) -> str:
    """Return the phase that receives the contacts."""
    return next(name for name, phase in spec.phases.items() if "contacts" in phase.home_of)


def a_field(contract: DestinationContract, phase: str, takes: str = "text") -> str:
    """Return a standard field that takes such values."""
    return next(name for name, each in contract.phases[phase].fields.items() if each.takes == takes and not each.link)


def material(name: str = ROUTES[0], **given: Any) -> Material:
    """Return everything that a workbook shows; `given` replaces parts."""
    spec, contract = route(name)
    phase = person_phase(spec)
    parts: dict[str, Any] = {
        "proposed": proposed(name, phase, a_field(contract, phase)),
        "spec": spec,
        "source": source_contract(load_source(spec.route.source)),
        "destination": contract,
        "users": USERS,
        "columns": COLUMNS,
        "owners": OWNERS,
        "tags": TAGS,
        "tag_column": "contacts.tags",
        "vocabularies": (
            VocabularyFinding("contacts", "status", "status", {"Subscribed": 2100, "Unsubscribed": 312, "Abonniert": 41}, ("Abonniert",)),
        ),
        "clean": (CleanCount("contacts", 2600, 2588, {"no_email": 14, "bounced": 61, "role_account": 33}, 2405, CLEAN_RULES),),
        "gaps": tuple({"what": what.replace("_", " "), "why": gap.why, "instead": gap.instead} for what, gap in spec.not_migrated.items()),
        "history": (HistoryGap("page_visits", "No export holds page visits.", 3, 180),),
    }
    return Material(**{**parts, **given})


def proposed(name: str, phase: str, standard: str) -> ProposedMap:
    """Return proposals of every kind: ticked, to be chosen, without a place; words, tags, likely twins."""
    new, none = Target("", "new custom field", "new", ""), Target("", "no target", "none", "")
    mobile = Target(phase, standard, "field", "text", "person.mobile", "Mobile")
    badge = Target(phase, "Badge number", "custom_field", "text", "", "Badge number")
    likeness = (
        "the heading is like the alias 'handy' (German)",
        "98 % of the values read as telephone numbers",
        "nothing else fills this field",
    )
    columns = (
        Proposal(
            "contacts",
            "Handy",
            "handy",
            1904,
            "phone",
            (Candidate(mobile, 0.97, likeness), Candidate(new, 0.02, ()), Candidate(none, 0.01, ())),
            "pre-ticked",
        ),
        Proposal(
            "contacts",
            "Geburtsdatum",
            "geburtsdatum",
            811,
            "date",
            (Candidate(new, 0.71, ("all values read as dates",)), Candidate(badge, 0.12, ("both are short",)), Candidate(none, 0.1, ())),
            "choose",
        ),
        Proposal(
            "contacts",
            "Mitgliedsnummer (alt)",
            "mitgliedsnummer_alt",
            2002,
            "id",
            (Candidate(badge, 0.55, ("numbers of the same length",)), Candidate(new, 0.3, ()), Candidate(none, 0.15, ())),
            "choose",
        ),
        Proposal(
            "transactions",
            "internal flag, do not use",
            "internal_flag",
            7,
            "text",
            (Candidate(none, 0.8, ("seven rows are filled",)), Candidate(new, 0.2, ())),
            "unmapped",
        ),
        Proposal(
            "contacts",
            '=HYPERLINK("https://example.com")',
            "hyperlink",
            1,
            "url",
            (Candidate(none, 0.6, ()), Candidate(new, 0.4, ())),
            "unmapped",
        ),
    )
    words = (
        WordProposal("contacts", "status", "status", "Abonniert", 41, (("Subscribed", 0.93), ("Active", 0.4))),
        WordProposal("contacts", "status", "status", "Abgemeldet?", 3, (("Unsubscribed", 0.99), ("Bounced", 0.2))),
        WordProposal("transactions", "transaction_type", "kind", "=Gutschrift, teilweise", 12, (("refund", 0.62), ("partial refund", 0.3))),
        WordProposal("contacts", "tags", "tag", "vip customer", 57, ()),
    )
    twins = (
        {"object": "contacts", "keys": ["1042", "1377"], "score": 0.96, "why": "the same postcode, names 96 % alike"},
        {"object": "contacts", "keys": ("1377", "2001"), "score": 0.91, "why": ["the same company", "names 93 % alike"]},
        {"object": "contacts", "keys": ("1042", "2001"), "score": 0.88, "why": "the same mobile number"},
    )
    empty = (EmptyField(Target(phase, "Job title", "field", "text", "person.job_title", "Job title"), (("contacts", "Beruf", 0.31),)),)
    return ProposedMap("acme", name, columns, empty, words, 0.95, twins)


COLUMNS = (
    ColumnProfile("contacts", "Handy", "handy", "waiting", "", 2600, 1904, 1890, "phone", 0.98, (), ("+99 999 9999999", "9999 999999")),
    ColumnProfile("contacts", "Geburtsdatum", "geburtsdatum", "waiting", "", 2600, 811, 790, "date", 1.0, (), ("99.99.9999",)),
    ColumnProfile(
        "contacts", "Mitgliedsnummer (alt)", "mitgliedsnummer_alt", "waiting", "", 2600, 2002, 2002, "id", 1.0, (), ("X-99999", "X-99998")
    ),
    ColumnProfile("contacts", "email", "email", "mapped", "people.emails", 2600, 2586, 2540, "email", 0.99, (), ("xxxx@xxxxxxx.xxx",)),
    ColumnProfile(
        "contacts", "score", "score", "custom field", "people.custom_fields.Lead score", 2600, 1200, 80, "number", 1.0, (), ("99",)
    ),
    ColumnProfile(
        "contacts",
        "ip",
        "ip",
        "ignored",
        "A technical trace of the sign-up; nobody sells by it.",
        2600,
        2600,
        2600,
        "text",
        1.0,
        (),
        ("999.9.9.9",),
    ),
)
OWNERS = (
    OwnerFinding(
        "old@agency.example.com",
        None,
        {"contacts": 412, "calendars": 31},
        {"USD": "18450.00", "EUR": "990.50"},
        ("anna@example.com", "ben@example.com"),
    ),
    OwnerFinding("anna@example.com", "anna@example.com", {"contacts": 1200}, {}),
)
TAGS = (
    TagFinding("webinar-2023-attended", 312, "event", "webinar_attended", "2023", "webinar, attended", 0.9),
    TagFinding("vip customer", 57, "plain", "plain", "vip customer", "", 0.5),
    TagFinding("-- ADMIN import 7", 2600, "admin", "admin", "import 7", "admin", 0.8),
)
CLEAN_RULES = {"bounced": "The export says that e-mails to this address came back.", "role_account": "Addresses such as info@ or office@."}


def decided(phase: str, standard: str) -> ClientMap:
    """Return a client map with something of every kind in it, some of it not to be found in the material."""
    return ClientMap.model_validate(
        {
            "columns": {
                "contacts": {
                    "Geburtsdatum": {"phase": phase, "custom_field": "Birthday", "type": "date"},
                    "Handy": {"phase": phase, "field": standard},
                    "gone from the exports": {"ignore": "Nobody has used it since 2019."},
                },
                "transactions": {"internal flag, do not use": {"phase": phase, "custom_field": "=flag"}},
            },
            "values": {"contacts.status": {"Abonniert": "Subscribed"}, "bookings.state": {"+1": "=cmd"}},
            "owners": {"old@agency.example.com": "ben@example.com", "gone@agency.example.com": "left@example.com"},
            "tags": {"contacts.tags": {"vip customer": "VIP", "-- ADMIN import 7": None, "webinar-2023-attended": "webinar-2023-attended"}},
            "same": {"contacts": [["1377", "1042"], ["7", "8", "9"]]},
            "different": {"contacts": [["1042", "2001"]], "affiliates": [["a", "b", "c"]]},
            "leave_out": {"contacts": ["role_account", "bounced"]},
        }
    )

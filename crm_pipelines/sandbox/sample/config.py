"""What a sample is asked for: size, seed, rates of trouble, the client's decisions.

Belongs here: values that the caller chooses and their defaults. Not here: what is made of them (people, purchases,
bookings, files) or what a migration must end with (truth).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

OWNERS = ("ana@agency.example.com", "ben@agency.example.com", "chloe@agency.example.com", "dmitri@agency.example.com")
UNKNOWN_OWNER = "zoe.departed@agency.example.com"
PIPEDRIVE, ODOO = "kartra_to_pipedrive", "kartra_to_odoo"
CHUNK = 2500  # contacts in one export file (reference/seeds: Kartra exports chunks of 2,500)
ZERO_DECIMALS = frozenset({"JPY", "KRW", "CLP", "VND"})  # ISO 4217

DECISIONS: Mapping[str, str] = {
    "affiliates": "person_fields",
    "cancelled_bookings": "keep",
    "companyless": "single_person",
    "consent_proof": "gdpr_accepted",
    "deal_labels": "kind",
    "extra_fields": "all",
    "failed": "exclude",
    "lists": "labels",
    "owners": "queue_rows",
    "rebills": "fold",
    "refunded": "lost",
    "subscription_value": "sum_paid",
    "unusable_email": "keep_as_text",
}
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "affiliates": ("person_fields", "partner_organizations"),
    "cancelled_bookings": ("keep", "exclude"),
    "companyless": ("single_person", "none"),
    "consent_proof": ("gdpr_accepted", "never"),
    "deal_labels": ("kind", "contact_tags", "none"),
    "extra_fields": ("all", "core"),
    "failed": ("exclude", "lost_deal"),
    "lists": ("labels", "custom_field"),
    "owners": ("queue_rows", "default_user"),
    "rebills": ("fold", "deal_each"),
    "refunded": ("lost", "won_minus_refund"),
    "subscription_value": ("sum_paid", "first", "latest"),
    "unusable_email": ("keep_as_text",),
}
ODOO_DECISIONS: Mapping[str, str] = {
    "affiliates": "fields",
    "cancelled_bookings": "keep",
    "failed": "exclude",
    "lists": "prefixed",
    "owners": "queue_rows",
    "rebills": "fold",
    "refunded": "cancelled",
    "subscription_value": "sum_paid",
    "transactions": "orders",
    "unusable_email": "keep_as_text",
}
ODOO_OPTIONS: Mapping[str, tuple[str, ...]] = {
    **{name: OPTIONS[name] for name in ("cancelled_bookings", "owners", "rebills", "subscription_value", "unusable_email")},
    "affiliates": ("fields", "category"),
    "failed": ("exclude", "cancelled_order"),
    "lists": ("prefixed", "same"),
    "refunded": ("cancelled", "net"),
    "transactions": ("orders", "invoices"),
}
DEFAULTS_OF = {PIPEDRIVE: DECISIONS, ODOO: ODOO_DECISIONS}
OPTIONS_OF = {PIPEDRIVE: OPTIONS, ODOO: ODOO_OPTIONS}


@dataclass(frozen=True)
class Rates:
    """Shares of contacts (or of what the name says) that carry a trouble; each trouble is planted at least once.

    Source: suggested default rates of the project's reference on source exports; assumed unless graded there.
    """

    email_twins: float = 0.02
    plus_addresses: float = 0.01
    role_accounts: float = 0.01
    bad_emails: float = 0.005
    dressed_emails: float = 0.02
    mojibake: float = 0.01
    entities: float = 0.01
    emoji: float = 0.01
    rtl_or_cjk: float = 0.01
    no_last_name: float = 0.03
    bad_phones: float = 0.04
    national_phones: float = 0.08
    sci_phones: float = 0.005
    notes: float = 0.154
    companies: float = 0.62
    owned: float = 0.6
    file_overlap: float = 0.05
    without_email: float = 0.004
    unknown_owners: float = 0.003
    orphan_sales: float = 0.01
    deals: float = 0.12
    orphan_deals: float = 0.02


@dataclass(frozen=True)
class SampleConfig:
    """One sample: everything in it follows from these values.

    Units: `contacts` counts distinct Kartra contacts that can be read, e-mail twins included.
    `planted_queue="five"` plants exactly the five waiting rows of the demo; None plants waiting rows at the rates.
    """

    contacts: int
    seed: int
    out: Path
    chunks: int | None = None
    currency: str = "USD"
    custom_fields: int = 5
    rates: Rates = field(default_factory=Rates)
    planted_queue: str | None = None
    timezone: str = "America/New_York"
    owners: int = 4
    encodings: str = "mixed"
    file_quirks: bool = True
    delta: bool = False
    decisions: Mapping[str, str] = field(default_factory=dict)
    route: str = PIPEDRIVE
    unknown_columns: bool = False
    """Columns that the map does not know; the truth holds what the demo's client answers about them."""

    def __post_init__(self) -> None:
        """Refuse values that no sample can be made of."""
        checks = {
            "contacts must be 30 or more": self.contacts >= 30,
            "custom_fields must be 0 to 5": 0 <= self.custom_fields <= 5,
            f"owners must be 1 to {len(OWNERS)}": 1 <= self.owners <= len(OWNERS),
            "planted_queue must be None or 'five'": self.planted_queue in (None, "five"),
            "encodings must be 'mixed' or 'plain'": self.encodings in ("mixed", "plain"),
            "chunks must be 1 or more": self.chunks is None or self.chunks >= 1,
            f"route must be one of {', '.join(DEFAULTS_OF)}": self.route in DEFAULTS_OF,
        }
        wrong = [text for text, is_right in checks.items() if not is_right]
        wrong += _wrong_decisions(self.decisions, OPTIONS_OF.get(self.route, {}))
        if wrong:
            raise ValueError("; ".join(wrong))

    @property
    def decided(self) -> dict[str, str]:
        """The decisions with defaults filled in."""
        return {**DEFAULTS_OF[self.route], **self.decisions}

    @property
    def has_deals(self) -> bool:
        """Whether the account uses Kartra's deals: the other route was contracted without them."""
        return self.route == ODOO

    @property
    def exports(self) -> Path:
        """The folder of the export files."""
        return self.out / "exports"


def _wrong_decisions(decisions: Mapping[str, str], options: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [
        f"decision {name} must be one of {', '.join(options.get(name, ('(unknown decision)',)))}"
        for name, value in decisions.items()
        if name != "default_owner" and value not in options.get(name, ())
    ]

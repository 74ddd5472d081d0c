"""The tables of the ledger as SQLAlchemy Core sees them, one sentence for every table and every state.

Belongs here: columns and what they mean. Not here: how a database gets them (migrations), who writes them (journal,
records, spend, marks).

    account      one tenant at a vendor; owns the fence, the attempt numbers and the spend
    scope        (account, engagement, phase); records and attempts carry its number instead of three texts

    records.outcome
        created   we made the record
        updated   we changed a record that was ours already
        adopted   the record was there and became ours, by matching or after an unknown attempt
        deleted   a rollback took the record back; it has no destination id any more
        (null)    nothing of it is at the destination
    records.held_state, beside the outcome
        waiting   a person, or another record, has to decide first: see held_queue
        refused   the destination said no to held_hash; sent again only when the payload changes
        (null)    nothing holds it
    attempts        a row is an attempt without a recorded outcome: in flight while its writer lives, `unknown` after it died;
                    its row goes when the outcome is written to the record, calls keep the count
    passes          open until closed_utc is set; one open pass per (account, engagement)
    gates           green when passed, or when accepted_by a person for exactly this detail
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
_ID = BigInteger().with_variant(Integer(), "sqlite")
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
"""schema_version and digest_secret."""

accounts = Table(
    "accounts",
    metadata,
    Column("account_no", _ID, primary_key=True),
    Column("account", Text, nullable=False, unique=True),
    Column("fence", _NUMBER, nullable=False),
    Column("holder", Text),
    Column("host", Text),
    Column("pid", _NUMBER),
    Column("acquired_utc", Text),
    Column("released_utc", Text),
    Column("next_attempt", _NUMBER, nullable=False),
    Column("clock_offset_s", Float, nullable=False),
)
"""The last writer of an account; every intent checks and moves this row, so that a writer of yesterday cannot send."""

scopes = Table(
    "scopes",
    metadata,
    Column("scope", _ID, primary_key=True),
    Column("account", Text, nullable=False),
    Column("engagement", Text, nullable=False),
    Column("phase", Text, nullable=False),
    UniqueConstraint("account", "engagement", "phase"),
)

engagements = Table(
    "engagements",
    metadata,
    Column("engagement", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("created_utc", Text, nullable=False),
)

passes = Table(
    "passes",
    metadata,
    Column("engagement", Text, primary_key=True),
    Column("pass_no", _NUMBER, primary_key=True),
    Column("account", Text, nullable=False),
    Column("intake", Text, nullable=False),
    Column("opened_utc", Text, nullable=False),
    Column("closed_utc", Text),
)

records = Table(
    "records",
    metadata,
    Column("scope", _NUMBER, primary_key=True, autoincrement=False),
    Column("source_key", Text, primary_key=True),
    Column("destination_id", Text),
    Column("applied_hash", Text),
    Column("outcome", Text),
    Column("outcome_pass", _NUMBER),
    Column("held_state", Text),
    Column("held_queue", Text),
    Column("held_reason", Text),
    Column("held_hash", Text),
    Column("held_pass", _NUMBER),
    Column("applied_payload", LargeBinary),
    Column("before_image", LargeBinary),
)
"""One row per wanted record; the big columns come last, so that a scan for the small ones never reads overflow pages."""

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", _ID, primary_key=True, autoincrement=False),
    Column("scope", _NUMBER, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("destination_id", Text),
    Column("cost", _NUMBER, nullable=False),
    Column("fence", _NUMBER, nullable=False),
    Column("pass_no", _NUMBER, nullable=False),
    Column("sent_utc", Text, nullable=False),
    Column("vendor_utc", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("scope", "source_key"),
)
"""The unique key is promise 3: no second request for a record while the fate of the first is unknown."""

gates = Table(
    "gates",
    metadata,
    Column("engagement", Text, primary_key=True),
    Column("pass_no", _NUMBER, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("passed", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("accepted_by", Text),
    Column("accepted_reason", Text),
    Column("accepted_utc", Text),
    Column("recorded_utc", Text, nullable=False),
)

seals = Table(
    "seals",
    metadata,
    Column("engagement", Text, primary_key=True),
    Column("seal_no", _NUMBER, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("sealed_by", Text, nullable=False),
    Column("cites", _NUMBER),
    Column("without_sample_reason", Text),
    Column("sealed_utc", Text, nullable=False),
)

spend = Table(
    "spend",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("allowed", _NUMBER),
    Column("reserve", _NUMBER, nullable=False),
    Column("spent_ours", _NUMBER, nullable=False),
    Column("others", _NUMBER, nullable=False),
    Column("exhausted_utc", Text),
    Column("resumes_at", Text),
)
"""One row per vendor day: what we reserved, and what the vendor's headers say others used beside us."""

calls = Table(
    "calls",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("engagement", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("calls", _NUMBER, nullable=False),
    Column("tokens", _NUMBER, nullable=False),
    Index("calls_engagement", "engagement"),
)
"""How often each operation (`people.create`, `list.people`) was called, and its tokens."""

made = Table(
    "made",
    metadata,
    Column("account", Text, primary_key=True),
    Column("engagement", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("destination_id", Text, nullable=False),
    Column("made_utc", Text, nullable=False),
)
"""Fields, options, labels, pipelines and types that prepare made, so that a rollback knows what was not there before."""

audit = Table(
    "audit",
    metadata,
    Column("engagement", Text, primary_key=True),
    Column("audit_no", _NUMBER, primary_key=True),
    Column("done_utc", Text, nullable=False),
    Column("done_by", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
"""What people confirmed, accepted, decided and resolved; rows are only added, and only a purge takes them away."""

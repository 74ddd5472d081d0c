"""Which contacts may not be worth moving: no address, a role's address, bounced, stale.

Belongs here: the rules, as expressions over folded contacts; the words and months they go by are data of the spec
(`derive.contacts.suppress`). Not here: what the client decides about them (spec.client_map), counting them (discovery.clean).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import polars as pl

from crm_pipelines.phases.resolve.behind import reason_of
from crm_pipelines.phases.resolve.columns import column, comparable, text
from crm_pipelines.phases.resolve.emails import with_emails
from crm_pipelines.phases.resolve.events import FAILED
from crm_pipelines.phases.resolve.values import ResolveSettings, StagedObject
from crm_pipelines.spec.derive import DeriveSpec

# RFC 2142 (mailboxes for roles and functions), and what such mailboxes are called in German, Spanish and French offices.
ROLE_LOCALS = (
    "abuse", "accounting", "accounts", "admin", "administracion", "administrator", "anfrage", "billing", "booking", "bookings",
    "buchhaltung", "buero", "careers", "comercial", "commercial", "compras", "compta", "comptabilite", "contabilidad", "contact",
    "contacto", "customerservice", "direction", "do-not-reply", "donotreply", "einkauf", "empfang", "enquiries", "facturacion",
    "feedback", "finance", "hello", "help", "helpdesk", "hola", "hostmaster", "hr", "info", "inquiries", "invoices", "it", "jobs",
    "kontakt", "kundenservice", "legal", "mail", "mailer-daemon", "marketing", "media", "news", "newsletter", "no-reply", "noc",
    "noreply", "office", "oficina", "orders", "post", "postmaster", "presse", "press", "privacy", "rechnung", "recepcion",
    "reception", "recrutement", "sales", "secretariat", "security", "service", "spam", "soporte", "support", "team", "tech", "ventas",
    "verkauf", "vertrieb", "webmaster", "welcome", "zentrale",
)  # fmt: skip

KINDS = ("no_email", "unusable_email", "role_account", "bounced", "unsubscribed", "complained", "stale")


@dataclass(frozen=True)
class Engaged:
    """Contacts that bought, booked or have a deal: their keys and addresses."""

    keys: pl.Series
    emails: pl.Series


@dataclass(frozen=True)
class LeftOut:
    """Kinds of contacts of whom the client says that they do not move, to be asked of folded contacts."""

    derive: DeriveSpec
    kinds: tuple[str, ...]
    done: Engaged
    newest: datetime | None
    """When the newest file was exported."""
    stale_before: date | None = None
    """The day that was pinned; without one the newest file decides."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Source keys of contacts who stay behind by name, with why."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the rules read beside key and address."""
        rules = self.derive.contacts.suppress
        return (self.derive.contacts.joined, *([rules.status] if rules else []))

    @property
    def limit(self) -> date | None:
        """The day before which one has to have joined to be stale."""
        return self.stale_before or stale_limit(self.derive, self.newest)

    def reason(self, frame: pl.DataFrame) -> pl.Expr:
        """Return why a contact (one row of `frame`, with `_key` and `_aliases`) stays behind; null when it moves."""
        told = suppression(self.derive, frame, self.done, self.limit, key="_key", aliases="_aliases")
        by_name = (
            reason_of(pl.col("_key"), self.named),
            pl.col("_aliases").list.eval(reason_of(pl.element(), self.named)).list.drop_nulls().list.first(),
        )
        return pl.coalesce(*(by_name if self.named else ()), *(pl.when(told[kind]).then(pl.lit(f"left_out_{kind}")) for kind in self.kinds))


def left_out_contacts(derive: DeriveSpec, staged: Mapping[str, StagedObject], settings: ResolveSettings) -> LeftOut | None:
    """Return the kinds and single contacts that stay behind, with what they are judged by; None where all move."""
    kinds, named = settings.leave_out, settings.left_behind.get(derive.contacts.from_, {})
    if not (kinds or named):
        return None
    times = [chunk.exported_at for each in staged.values() for chunk in each.frames]
    done = engaged(derive, staged if "stale" in kinds else {})
    return LeftOut(derive, tuple(dict.fromkeys(kinds)), done, max(times, default=None), settings.stale_before, named)


def is_role_account(match_key: pl.Expr) -> pl.Expr:
    """Tell whether an address (as `email_match_key`) belongs to a role; a suffix after `+` does not count."""
    local = match_key.str.extract(r"^([^@+]*)(?:\+[^@]*)?@", 1)
    return local.is_in(ROLE_LOCALS).fill_null(value=False)


def is_worded(status: pl.Expr, words: Sequence[str]) -> pl.Expr:
    """Tell whether a status is one of these words; case and extra spaces do not matter."""
    return comparable(status).is_in([word.casefold() for word in words]).fill_null(value=False)


def stale_limit(derive: DeriveSpec, newest: datetime | None) -> date | None:
    """Return the day that lies the spec's months before the newest export; None where no file tells its time or the spec has no rule."""
    rules = derive.contacts.suppress
    if newest is None or rules is None:
        return None
    found: date = pl.Series([newest.date()]).dt.offset_by(f"-{rules.stale_months}mo").item()
    return found


def is_stale(joined: pl.Expr, has_done: pl.Expr, before: date | None) -> pl.Expr:
    """Tell who joined before a day and did nothing that an export holds; unknown dates are never stale."""
    if before is None:
        return pl.lit(value=False)
    limit = pl.lit(datetime.combine(before, time(), UTC), dtype=pl.Datetime("us", "UTC"))
    return ((joined < limit) & ~has_done).fill_null(value=False)


def engaged(derive: DeriveSpec, staged: Mapping[str, StagedObject]) -> Engaged:
    """Read who bought, booked or has a deal; failed payments are no purchase."""
    keys, emails = [pl.Series("key", [], pl.String)], [pl.Series("email", [], pl.String)]
    for name, contact, email, kind in _children(derive):
        wanted = [each for each in (contact, email, kind) if each]
        for chunk in staged[name].frames if name in staged else ():
            for rows in chunk.batches(wanted):
                done = with_emails(_done(rows, derive, kind), email)
                keys.append(done.select(text(done, contact).alias("key")).to_series().drop_nulls() if contact else keys[0])
                emails.append(done["email_match_key"].drop_nulls().alias("email"))
    return Engaged(pl.concat(keys).unique(), pl.concat(emails).unique())


def suppression(
    derive: DeriveSpec, frame: pl.DataFrame, done: Engaged, stale_before: date | None, *, key: str, aliases: str
) -> dict[str, pl.Expr]:
    """Return kind -> who it holds for, over folded contacts that have their e-mail columns.

    Shape: every kind of KINDS; one boolean per row (or a literal), never null. `key` and `aliases` are the frame's columns of source keys;
    `_other_keys` holds the match keys of further addresses, as merge_twins leaves them: a booking under any of them counts.
    """
    rules, problem = derive.contacts.suppress, column(frame, "email_problem")
    kinds = {name: (problem == name).fill_null(value=False) for name in ("no_email", "unusable_email")}
    kinds["role_account"] = is_role_account(pl.col("email_match_key"))
    if rules is None:
        return kinds | {name: pl.lit(value=False) for name in KINDS[3:]}
    for name in ("bounced", "unsubscribed", "complained"):
        kinds[name] = is_worded(text(frame, rules.status), getattr(rules, name))
    joined = column(frame, derive.contacts.joined, pl.Datetime("us", "UTC"))
    return kinds | {"stale": is_stale(joined, _has_done(done, key, aliases), stale_before)}


def _has_done(done: Engaged, key: str, aliases: str) -> pl.Expr:
    keys = done.keys.implode()
    merged = pl.col(aliases).list.eval(pl.element().is_in(keys)).list.any().fill_null(value=False)
    emails = done.emails.implode()
    by_email = pl.col("email_match_key").is_in(emails).fill_null(value=False)
    other = pl.col("_other_keys").list.eval(pl.element().is_in(emails)).list.any().fill_null(value=False)
    return pl.col(key).is_in(keys).fill_null(value=False) | merged | by_email | other


def _children(derive: DeriveSpec) -> list[tuple[str, str, str, str]]:
    """Return object, contact column, e-mail column and type column of what hangs on contacts."""
    found = []
    if bought := derive.purchases:
        found.append((bought.payments, bought.columns.contact, bought.columns.email, bought.columns.kind))
        found.append((bought.subscriptions, bought.subscription_columns.contact, bought.subscription_columns.email, ""))
    if derive.deals:
        found.append((derive.deals.from_, derive.deals.contact, derive.deals.email, ""))
    if derive.bookings:
        found.append((derive.bookings.from_, "", derive.bookings.email, ""))
    return found


def _done(rows: pl.DataFrame, derive: DeriveSpec, kind: str) -> pl.DataFrame:
    """Drop payments that failed."""
    if not kind or derive.purchases is None:
        return rows
    failed = [word for word, means in derive.purchases.kinds.items() if means == FAILED]
    return rows.filter(~is_worded(text(rows, kind), failed))

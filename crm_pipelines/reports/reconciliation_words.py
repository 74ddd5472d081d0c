"""Words of the reconciliation that a client reads: what states, buckets, checks and kinds of records are called, and the list of terms.

Belongs here: one word for one thing. Not here: words that the scope document has too (scope_words), why a row waits (reasons), which of
it is said (reconciliation_facts).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from crm_pipelines.reports.scope_words import plain, title

STATES = {
    "created": "new",
    "updated": "changed",
    "unchanged": "there already",
    "merged": "in another row's record",
    "folded": "part of another record",
    "excluded": "left out",
    "quarantined": "unreadable",
    "waiting": "waiting",
    "refused": "refused",
    "pending": "not sent yet",
    "unknown": "sent, answer unknown",
}
"""Bucket or state -> what the client reads after a number."""
ORDER = tuple(STATES)
"""The order of a row's life: done, set aside, open."""
CHECKS = {"passed": "agrees", "accepted": "accepted", "shut": "does not agree", "not run": "not reached"}
"""Verdict of a gate -> what the client reads."""
RECORDS = {
    "tags": "tags on records",
    "opt_outs": "addresses that must not be mailed",
    "users": "users (your team)",
    "destination_schema": "fields and lists",
}
"""Phase -> what its records are called, where its name does not say it."""
NOTES = {
    "tags": "One for each tag on each record: a contact with three tags counts three.",
    "users": "Looked up by e-mail address, never made, because a user takes a paid seat; so there is no list of ours to count there.",
}
"""Phase -> what a reader may wonder about."""
PAYMENTS = {
    "sale": "sales",
    "rebill": "repeated payments",
    "refund": "refunds",
    "partial_refund": "partial refunds",
    "chargeback": "chargebacks",
    "deal": "deals",
}
"""Kind of a row with money -> what its sum is called, in the order of the bridge."""
MADE = {
    "private": "{records} of the {all} {phase} are private persons: contacts who name no company.",
    "rebill": "{records} of the {all} {phase} are repeated payments, each on its own.",
    "failed": "{records} of the {all} {phase} are failed payments.",
}
"""Kind of records that a decision makes -> the sentence."""
TERMS = {
    "record": "one entry of the new system: a person, a deal, an appointment.",
    "row": "one entry of an export. A spreadsheet shows the heading as row 1, so the first entry is row 2; line numbers are those of a "
    "text editor, which differ where a cell holds several lines.",
    "pass": "one run over everything. Later passes send only what is new, changed or set free.",
    "waits": "not sent, because something has to be answered first. Nothing that waits is lost; it moves once the answer is there.",
    "unreadable": "the line is damaged or its cells do not fit the heading. It is kept as it stands and waits for a correction.",
    "left out": "not sent on purpose: blank, or by a decision.",
    "part of another record": "for example the payments of a subscription, which arrive in its record.",
    "in another row's record": "the same entry came in a second file, or two contacts share an e-mail address and are one person.",
    "agrees": "the counts add up to the rows of the files, and the new system's own list holds just these records and sums.",
}
"""Term -> what it means here."""
TOKENS_ARE = "what the new system's daily allowance is counted in; every request costs some."
MERGED_FILE = "merged_contacts.csv"
"""Where stands what merged contacts said otherwise (reports.merged)."""
HASH = re.compile(r"[_-][0-9a-f]{10,}$", re.IGNORECASE)


def state_words(counts: Mapping[str, int]) -> str:
    """Return counts by state or bucket as words: `1,200 new, 4 waiting`."""
    return ", ".join(f"{counts[name]:,} {STATES.get(name, plain(name))}" for name in in_order(counts))


def in_order(counts: Mapping[str, int]) -> list[str]:
    """Return the names that have a count, in the order of a row's life."""
    present = [name for name, count in counts.items() if count]
    return sorted(present, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def records_of(phase: str) -> str:
    """Return what the records of a phase are called."""
    return RECORDS.get(phase, plain(phase))


def systems(account: Mapping[str, object]) -> tuple[str, str]:
    """Return the names of the two systems as a client knows them."""
    first, _, second = str(account["route"]).partition("_to_")
    return title(str(account.get("source") or first)), title(str(account.get("destination") or second))


def short_names(files: Iterable[str]) -> dict[str, str]:
    """Return a short name for every file: without the export's own mark at the end, numbered where two would be the same."""
    names = list(dict.fromkeys(files))
    short = {name: HASH.sub("", name.rpartition(".")[0] or name) for name in names}
    twice = {one for one in short.values() if list(short.values()).count(one) > 1}
    numbers: dict[str, int] = {}
    for name, one in short.items():
        if one in twice:
            numbers[one] = numbers.get(one, 0) + 1
            short[name] = f"{one} ({numbers[one]})"
    return short


def joined(parts: Sequence[str]) -> str:
    """Return `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""

"""Identities and digests: how a record is named in logs, tokens and hashes, and by what two of them are compared.

Belongs here: pure functions over keys and payload bytes. Not here: where keys come from (spec, phases.resolve)
or what is done with them (ledger, destinations).
"""

from __future__ import annotations

import hashlib
import hmac

DIGEST_BYTES = 16


def payload_hash(payload: bytes) -> str:
    """Return the 32 hex digits that name this payload in the ledger, stable across library versions."""
    return hashlib.blake2b(payload, digest_size=DIGEST_BYTES).hexdigest()


def match_value(text: str) -> str:
    """Return what a name or e-mail address is compared by. Case does not count; in addresses ß and ss are not the same mailbox."""
    return text.lower() if "@" in text else text.casefold()


def keyed_digest(secret: bytes, key: str) -> str:
    """Return 12 hex digits that stand for a source key outside ledger, queues and hand-over."""
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:12]


def record_token(engagement: str, phase: str, key: str) -> str:
    """Return the short visible token of a record that cannot carry an external id.

    Shape: `crm-` and 16 characters of base32 without padding, unique per (engagement, phase, key) for practical purposes (80 bits).
    """
    digest = hashlib.blake2b(f"{engagement}\x1f{phase}\x1f{key}".encode(), digest_size=10).digest()
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    number = int.from_bytes(digest, "big")
    return "crm-" + "".join(alphabet[(number >> (5 * i)) & 31] for i in range(16))

"""Seeded Kartra exports as messy as real ones, with the truth of what a perfect migration must end with.

Belongs here: everything that is planted, and what follows from it. Nothing here may import another package of the
product: the truth must not share a mistake with what it judges. Reading a destination back: crm_pipelines.sandbox.compare.
"""

from __future__ import annotations

from crm_pipelines.sandbox.sample.bulk import generate_contacts_only
from crm_pipelines.sandbox.sample.config import DECISIONS, OWNERS, UNKNOWN_OWNER, Rates, SampleConfig
from crm_pipelines.sandbox.sample.generate import SampleFile, SampleReport, generate

__all__ = [
    "DECISIONS",
    "OWNERS",
    "UNKNOWN_OWNER",
    "Rates",
    "SampleConfig",
    "SampleFile",
    "SampleReport",
    "generate",
    "generate_contacts_only",
    "main",
]


def main(argv: list[str] | None = None) -> int:
    """Run the command line of the generator; see `sample.command`."""
    from crm_pipelines.sandbox.sample.command import run

    return run(argv)

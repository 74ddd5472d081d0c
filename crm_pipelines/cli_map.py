"""The commands of the map: what is proposed, confirmed, planned, and what waits for a person.

Belongs here: arguments and what goes to the screen. Not here: any work (defs, discovery, phases), commands that load (cli).
"""

from __future__ import annotations

import click

from crm_pipelines.cli_base import command, crm, opened, out, show_or_dump
from crm_pipelines.errors import EXIT_RECONCILED


@command("plan")
@click.argument("engagement")
@click.option("--offline", is_flag=True, help="Do not read what the destination holds already; what is there counts as created.")
def plan(engagement: str, offline: bool, as_json: bool) -> int:
    """Show what a load would come to and cost, phase by phase, file by file, day by day; sends nothing but reads."""
    from crm_pipelines.defs.planning import make_plan
    from crm_pipelines.reports.planning import show_plan

    told = make_plan(opened(engagement), is_offline=offline)
    show_or_dump(told, as_json, lambda: show_plan(out, told))
    return EXIT_RECONCILED


@command("confirm")
@click.argument("engagement")
@click.option("--by", required=True, help="Who confirms.")
@click.option("--sample", type=click.IntRange(min=1), help="Seal this many records and their parents, for the client to look at.")
@click.option("--without-sample", help="Why a full seal needs no verified sample.")
def confirm(engagement: str, by: str, sample: int | None, without_sample: str | None, as_json: bool) -> int:
    """Seal the map: a sample first, then everything."""
    from crm_pipelines.defs.planning import make_confirmation

    if sample is not None and without_sample is not None:
        raise click.UsageError("--sample and --without-sample exclude each other")
    told = make_confirmation(opened(engagement), by, sample, without_sample)

    def show() -> None:
        for line in told["diff"]:
            out.print(f"  {line}", markup=False, soft_wrap=True)
        scope = ", ".join(f"{count:,} {phase}" for phase, count in told["scope"].items() if count)
        out.print(f"Seal {told['seal_no']} ({told['kind']}) by {by}: {scope}", markup=False, soft_wrap=True)

    show_or_dump(told, as_json, show)
    return EXIT_RECONCILED


@crm.group()
def queue() -> None:
    """Rows that wait for a person."""


@queue.command("list")
@click.argument("engagement")
@click.option("--queue", "name", help="Only this queue.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queue_list(engagement: str, name: str | None, as_json: bool) -> int:
    """List waiting rows by file, row and source key, with the reason."""
    from crm_pipelines.defs.commands import list_queues
    from crm_pipelines.reports.terminal import waiting_table

    told = list_queues(opened(engagement), name)
    show_or_dump(told, as_json, lambda: out.print(waiting_table(told["rows"])))
    return EXIT_RECONCILED

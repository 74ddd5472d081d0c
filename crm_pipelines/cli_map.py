"""The commands of the map: what is proposed, confirmed, planned, and what waits for a person.

Belongs here: arguments and what goes to the screen. Not here: any work (defs, discovery, phases), commands that load (cli).
"""

from __future__ import annotations

from pathlib import Path

import click

from crm_pipelines.cli_base import command, crm, opened, out, require_words, show_or_dump
from crm_pipelines.errors import EXIT_RECONCILED, EXIT_SPEC_OR_SETTINGS

PAUSED_BY = click.option(
    "--automations-paused-by",
    "paused_by",
    metavar="NAME",
    callback=require_words,
    help="Who signs that the destination's automations are paused.",
)


@command("discover")
@click.argument("engagement")
@click.option("--offline", is_flag=True, help="Leave the destination alone: what the exports tell, and the checklist.")
@PAUSED_BY
def discover(engagement: str, offline: bool, paused_by: str | None, as_json: bool) -> int:
    """Profile the exports, inspect the destination, and write the scope document; sends nothing but reads."""
    from crm_pipelines.defs.discovering import discover as find_out
    from crm_pipelines.reports.discovering import show_discovery

    told = find_out(opened(engagement), paused_by=paused_by, is_offline=offline)
    show_or_dump(told, as_json, lambda: show_discovery(out, told))
    return EXIT_RECONCILED


@command("propose")
@click.argument("engagement")
@click.option("--offline", is_flag=True, help="Propose without asking the destination: users, stages and options are not compared.")
@click.option(
    "--out", "out_path", type=click.Path(path_type=Path, dir_okay=False), help="Where the workbook goes; default handoff/map.xlsx."
)
def propose(engagement: str, offline: bool, out_path: Path | None, as_json: bool) -> int:
    """Propose a map for everything the spec leaves open, and write the workbook that the client fills in."""
    from crm_pipelines.defs.discovering import propose as make_proposal
    from crm_pipelines.reports.discovering import show_proposal

    told = make_proposal(opened(engagement), out=out_path, is_offline=offline)
    show_or_dump(told, as_json, lambda: show_proposal(out, told))
    return EXIT_RECONCILED


@command("decide")
@click.argument("engagement")
@click.argument("workbook", type=click.Path(path_type=Path))
@click.option("--by", required=True, callback=require_words, help="Who decided.")
def decide(engagement: str, workbook: Path, by: str, as_json: bool) -> int:
    """Take a filled-in workbook over into decisions.yaml; every wrong cell is named, and then nothing is changed."""
    from crm_pipelines.defs.discovering import decide as take_over
    from crm_pipelines.reports.discovering import show_decided

    told = take_over(opened(engagement), workbook, by)
    show_or_dump(told, as_json, lambda: show_decided(out, told))
    return EXIT_RECONCILED


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
@click.option("--by", required=True, callback=require_words, help="Who confirms.")
@click.option("--sample", type=click.IntRange(min=1), help="Seal this many records and their parents, for the client to look at.")
@click.option("--without-sample", callback=require_words, help="Why a full seal needs no verified sample.")
@PAUSED_BY
def confirm(  # noqa: PLR0917 - what a person may say
    engagement: str, by: str, sample: int | None, without_sample: str | None, paused_by: str | None, as_json: bool
) -> int:
    """Seal the map: a sample first, then everything."""
    from crm_pipelines.defs.planning import make_confirmation

    if sample is not None and without_sample is not None:
        raise click.UsageError("--sample and --without-sample exclude each other")
    told = make_confirmation(opened(engagement), by, sample, without_sample, paused_by)

    def show() -> None:
        for line in told["withdrawn"]:
            out.print(line, style="yellow", markup=False, soft_wrap=True)
        for line in told["diff"]:
            out.print(f"  {line}", markup=False, soft_wrap=True)
        if "coverage" in told:
            out.print(f"The sample shows {told['coverage']['told']}.", markup=False, soft_wrap=True)
        scope = ", ".join(f"{count:,} {phase}" for phase, count in told["scope"].items() if count)
        cites = f", on the word of sample seal {told['cites']}" if told["cites"] else ""
        out.print(f"Seal {told['seal_no']} ({told['kind']}) by {by}{cites}: {scope}", markup=False, soft_wrap=True)
        if left := told["undecided"]["told"]:
            out.print(f"Not decided: {left}", style="yellow", markup=False, soft_wrap=True)
        for note in told["notes"]:
            out.print(f"Note: {note}", markup=False, soft_wrap=True)

    show_or_dump(told, as_json, show)
    return EXIT_RECONCILED


@command("audit")
@click.argument("engagement")
def audit(engagement: str, as_json: bool) -> int:
    """Show who confirmed, accepted, decided and resolved what, and write it into the hand-over folder."""
    from crm_pipelines.defs.planning import read_audit
    from crm_pipelines.reports.audit import audit_table

    told = read_audit(opened(engagement))
    show_or_dump(told, as_json, lambda: out.print(audit_table(told)))
    return EXIT_RECONCILED


@crm.group()
def queue() -> None:
    """Rows that wait for a person."""


@queue.command("list")
@click.argument("engagement")
@click.option("--queue", "name", help="Only this queue, row by row.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queue_list(engagement: str, name: str | None, as_json: bool) -> int:
    """List what waits: why, how many rows and records, how much money, and the file to work in."""
    from crm_pipelines.defs.queues import list_queues
    from crm_pipelines.reports.queues_shown import queue_table, rows_table

    told = list_queues(opened(engagement), name)

    def show() -> None:
        out.print(queue_table(told["queues"]))
        if name is not None:
            out.print(rows_table(told["rows"]))
        for paths in told["files"].values():
            for path in paths:
                out.print(path, markup=False, soft_wrap=True)

    show_or_dump(told, as_json, show)
    return EXIT_RECONCILED


@queue.command("resolve")
@click.argument("engagement")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--by", required=True, callback=require_words, help="Who answers: recorded, and confirms exactly what the answers change.")
@click.option("--owner", "owners", multiple=True, metavar="OLD=NEW", help="Who takes over an owner's records; NEW may be `invited`.")
@click.option("--same", multiple=True, metavar="A,B", help="Two source keys that are one record; the first survives.")
@click.option("--different", multiple=True, metavar="A,B", help="Two source keys that only look alike.")
@click.option("--ours", multiple=True, metavar="PHASE:KEY", help="A record in conflict: what the export says is written.")
@click.option("--theirs", multiple=True, metavar="PHASE:KEY", help="A record in conflict: what the CRM has stays.")
@click.option("--leave-behind", "behind", multiple=True, metavar="KEY=REASON", help="A row that waits and shall not move, and why.")
@click.option("--object", "object_name", help="The export that the keys of --same, --different and --leave-behind are of.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def queue_resolve(  # noqa: PLR0917 - what a person may answer
    engagement: str,
    files: tuple[Path, ...],
    by: str,
    owners: tuple[str, ...],
    same: tuple[str, ...],
    different: tuple[str, ...],
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    behind: tuple[str, ...],
    object_name: str | None,
    as_json: bool,
) -> int:
    """Take queue files that were filled in, all answers or none; the next `crm run` sends what they set free, and nothing else."""
    from crm_pipelines.defs.queues import Given, resolve_queues
    from crm_pipelines.reports.queues_shown import taken_lines

    given = Given(
        files=files,
        owners=dict(_two(text, "=") for text in owners),
        same=[_two(text, ",") for text in same],
        different=[_two(text, ",") for text in different],
        ours=[_two(text, ":") for text in ours],
        theirs=[_two(text, ":") for text in theirs],
        leave_behind=dict(_two(text, "=") for text in behind),
        object=object_name,
    )
    told = resolve_queues(opened(engagement), given, by)

    def show() -> None:
        for line in taken_lines(engagement, told):
            out.print(line, markup=False, soft_wrap=True)

    show_or_dump(told, as_json, show)
    return EXIT_RECONCILED if not told["to_confirm"] else EXIT_SPEC_OR_SETTINGS


def _two(text: str, separator: str) -> tuple[str, str]:
    """Split an answer of two parts."""
    first, found, second = (part.strip() for part in text.partition(separator))
    if not (first and found and second):
        raise click.UsageError(f"expected two parts with '{separator}' between them")
    return first, second

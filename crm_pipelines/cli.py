"""The `crm` command: thin. Each command reads its arguments, calls one thing, prints what it returned.

Belongs here: arguments, exit codes, what goes to the screen. Not here: any work (phases, defs), how tables look
(reports.terminal).

Exit codes: 0 reconciled, nothing waits; 10 reconciled, rows wait or were refused; 11 differences found; 2 spec or settings
are wrong; 3 destination unreachable, locked or out of quota (run again); 4 a broken invariant; 1 a crash.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from crm_pipelines.errors import EXIT_RECONCILED, EXIT_SPEC_OR_SETTINGS, CrmError, QuotaExhausted, SettingsError, SpecError
from crm_pipelines.settings import engagement_names, home, load_engagement

if TYPE_CHECKING:
    from crm_pipelines.phases.project import Project

CRASH = 1
INTERRUPTED = 130
PLAIN_WIDTH = 130
out = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
err = Console(stderr=True, highlight=False)


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a user's mistake is a message and an exit code, never a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = crm.main(args=given, standalone_mode=False)
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except click.ClickException as error:
        error.show()
        code = EXIT_SPEC_OR_SETTINGS
    except (click.Abort, KeyboardInterrupt):
        err.print("interrupted; everything sent is recorded")
        code = INTERRUPTED
    except CrmError as error:
        code = _complain(error, as_json="--json" in given)
    sys.exit(code or 0)


def _complain(error: CrmError, *, as_json: bool) -> int:
    if as_json:
        told: dict[str, Any] = {"error": type(error).__name__, "message": str(error), "exit_code": error.exit_code}
        if isinstance(error, QuotaExhausted):
            told["resumes_at"] = error.resumes_at.isoformat()
        if isinstance(error, SpecError):
            told["problems"] = [vars(problem) for problem in error.problems]
        click.echo(json.dumps(told, indent=2))
    else:
        err.print(str(error), markup=False, soft_wrap=True)
    return error.exit_code


def _command(name: str, *, initialised: bool = True) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a command with --json; those that need DAGSTER_HOME and the ledger find them made."""

    def wrap(function: Callable[..., int | None]) -> click.Command:
        def run(**given: Any) -> int | None:
            if initialised:
                from crm_pipelines.defs.home import initialise

                initialise()
            return function(**given)

        run.__doc__ = function.__doc__
        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(run)
        return crm.command(name)(with_json)

    return wrap


def _open(engagement: str) -> Project:
    from crm_pipelines.phases.project import Project

    return Project.open(load_engagement(engagement))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to stderr, one line of JSON per event.")
@click.version_option(package_name="crm_pipelines")
def crm(verbose: bool) -> None:
    """Declarative CRM migrations: every row accounted for, no record twice."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("crm").setLevel(logging.INFO if verbose else logging.CRITICAL)  # what a user must know is in the message
    logging.getLogger("dagster").setLevel(logging.CRITICAL)


@_command("init")
def init(as_json: bool) -> None:
    """Make DAGSTER_HOME and the ledger; every other command does so first."""
    where = home()
    told = {"dagster_home": str(where.dagster_home), "engagements": str(where.engagements), "specs": str(where.specs)}

    def show() -> None:
        for name, value in told.items():
            out.print(f"{name}: {value}", soft_wrap=True)

    _print(told, as_json, show)


@_command("doctor")
@click.argument("engagement", nargs=-1)
def doctor(engagement: tuple[str, ...], as_json: bool) -> int:
    """Check access, plan, seats, caps, clock and budget of engagements (default: all) before anything else."""
    from crm_pipelines.defs.doctor import examine

    names = engagement or tuple(engagement_names(home()))
    if not names:
        raise SettingsError(f"{home().engagements}: no engagement yet. Create a folder with an engagement.yaml (README, 'A new client').")
    told = {name: [vars(finding) for finding in examine(load_engagement(name))] for name in names}
    marks = {"good": "[green]✓[/]", "note": "[blue]·[/]", "wrong": "[red]✗[/]"}

    def show() -> None:
        for name, findings in told.items():
            out.print(f"[bold]{name}[/]")
            for one in findings:
                out.print(f"  {marks[one['level']]} {one['what']}: ", end="")
                out.print(one["told"], markup=False, soft_wrap=True)

    _print(told, as_json, show)
    wrong = [one["code"] for findings in told.values() for one in findings if one["level"] == "wrong"]
    return max(wrong, default=EXIT_RECONCILED)


@_command("check", initialised=False)
@click.argument("spec", required=False, type=click.Path(path_type=Path))
def check(spec: Path | None, as_json: bool) -> int:
    """Hold mapping specs against the contracts of their systems (default: all specs, and every engagement's decisions)."""
    from crm_pipelines.phases.check import check_engagement, check_spec

    where = home()
    problems = check_spec(spec) if spec else [p for path in sorted(where.specs.glob("*_to_*.yaml")) for p in check_spec(path)]
    if spec is None:
        problems += [problem for name in engagement_names(where) for problem in check_engagement(name)]

    def show() -> None:
        for problem in problems:
            out.print(str(problem), markup=False, soft_wrap=True)
        if not problems:
            out.print("[green]✓[/] no problems")

    _print({"problems": [vars(problem) for problem in problems]}, as_json, show)
    return EXIT_SPEC_OR_SETTINGS if problems else EXIT_RECONCILED


PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@crm.group()
def sample() -> None:
    """Generate realistic, messy exports with a truth file beside them."""


@sample.command("kartra", context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sample_kartra(arguments: tuple[str, ...]) -> int:
    """Write a Kartra export: --contacts 2600 --seed 7 --out DIR."""
    from crm_pipelines.sandbox.sample import main as generate

    return generate(list(arguments))


@crm.group()
def sandbox() -> None:
    """Run a local server that behaves like a vendor's API."""


@sandbox.command("pipedrive", context_settings=PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox_pipedrive(arguments: tuple[str, ...]) -> int:
    """Start a Pipedrive: --port 8801 --token T [--plan growth --seats 3 --seed 1 --state FILE]."""
    from crm_pipelines.sandbox.pipedrive import main as serve

    return serve(list(arguments))


@_command("plan")
@click.argument("engagement")
def plan(engagement: str, as_json: bool) -> int:
    """Show what a load would do and cost, day by day; sends nothing but reads."""
    from crm_pipelines.defs.commands import make_plan
    from crm_pipelines.reports.terminal import cost_table, forecast_table

    told = make_plan(_open(engagement))

    def show() -> None:
        out.print(forecast_table(told["forecast"]))
        out.print(cost_table(told["forecast"]))
        out.print(told["confirmation"], markup=False, soft_wrap=True)

    _print(told, as_json, show)
    return EXIT_RECONCILED


@_command("confirm")
@click.argument("engagement")
@click.option("--by", required=True, help="Who confirms.")
@click.option("--sample", type=click.IntRange(min=1), help="Seal this many records and their parents, for the client to look at.")
@click.option("--without-sample", help="Why a full seal needs no verified sample.")
def confirm(engagement: str, by: str, sample: int | None, without_sample: str | None, as_json: bool) -> int:
    """Seal the map: a sample first, then everything."""
    from crm_pipelines.defs.commands import make_confirmation

    if sample is not None and without_sample is not None:
        raise click.UsageError("--sample and --without-sample exclude each other")
    told = make_confirmation(_open(engagement), by, sample, without_sample)

    def show() -> None:
        for line in told["diff"]:
            out.print(f"  {line}", markup=False, soft_wrap=True)
        scope = ", ".join(f"{count:,} {phase}" for phase, count in told["scope"].items() if count)
        out.print(f"Seal {told['seal_no']} ({told['kind']}) by {by}: {scope}", markup=False, soft_wrap=True)

    _print(told, as_json, show)
    return EXIT_RECONCILED


@_command("run")
@click.argument("engagement")
@click.option("--phase", help="Stop behind the gate of this phase.")
@click.option("--wait", is_flag=True, help="When the vendor's daily quota is spent, wait for the vendor's next day and go on.")
def run(engagement: str, phase: str | None, wait: bool, as_json: bool) -> int:
    """Load what is confirmed, phase by phase, each behind its gate; run again to go on or to take in new files."""
    from crm_pipelines.defs.commands import run_engagement
    from crm_pipelines.reports.terminal import show_account

    told = run_engagement(_open(engagement), phase=phase, wait=wait, console=None if as_json else out)
    _print(told, as_json, lambda: show_account(out, told))
    return int(told["exit_code"])


@_command("status")
@click.argument("engagement")
def status(engagement: str, as_json: bool) -> int:
    """Show rows by bucket, records by state, queues and what was spent, as the ledger has them; asks nothing of the destination."""
    from crm_pipelines.defs.commands import read_status
    from crm_pipelines.reports.terminal import show_account

    told = read_status(_open(engagement))
    _print(told, as_json, lambda: show_account(out, told))
    return int(told["exit_code"])


@_command("pause")
@click.argument("engagement")
def pause(engagement: str, as_json: bool) -> int:
    """Ask a running load to drain: what is in flight is settled and recorded, then it ends."""
    from crm_pipelines.defs.commands import ask_to_stop

    told = ask_to_stop(_open(engagement))
    _print(told, as_json, lambda: out.print(told["message"], soft_wrap=True))
    return EXIT_RECONCILED


@_command("accept")
@click.argument("engagement")
@click.argument("phase")
@click.option("--by", required=True, help="Who accepts.")
@click.option("--reason", required=True, help="Why the limit may be passed.")
def accept(engagement: str, phase: str, by: str, reason: str, as_json: bool) -> int:
    """Open a gate that an expectation keeps shut."""
    from crm_pipelines.defs.commands import accept_gate

    told = accept_gate(_open(engagement), phase, by, reason)
    _print(told, as_json, lambda: out.print(f"The gate of {phase} is accepted; go on with: crm run {engagement}"))
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

    told = list_queues(_open(engagement), name)
    _print(told, as_json, lambda: out.print(waiting_table(told["rows"])))
    return EXIT_RECONCILED


def _print(told: Any, as_json: bool, show: Callable[[], object]) -> None:
    if as_json:
        click.echo(json.dumps(told, indent=2, default=str))
    else:
        show()


if __name__ == "__main__":
    main()

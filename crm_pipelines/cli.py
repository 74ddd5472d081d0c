"""The `crm` command: thin. Each command reads its arguments, calls one thing, prints what it returned.

Belongs here: arguments, exit codes, what goes to the screen. Not here: any work (phases, defs), how tables look
(reports.terminal).

Exit codes: 0 reconciled, nothing waits; 10 reconciled, rows wait or were refused; 11 differences found; 2 spec or settings
are wrong; 3 destination unreachable, locked or out of quota (run again); 4 a broken invariant; 1 a crash.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from crm_pipelines import cli_map  # noqa: F401 - registers its commands
from crm_pipelines.cli_base import command, crm, opened, out, require_words, show_or_dump
from crm_pipelines.errors import EXIT_RECONCILED, EXIT_SPEC_OR_SETTINGS, CrmError, QuotaExhausted, SettingsError, SpecError
from crm_pipelines.settings import engagement_names, home, load_engagement

CRASH = 1
INTERRUPTED = 130
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
        if isinstance(error, SpecError | SettingsError) and error.problems:
            told["problems"] = [vars(problem) for problem in error.problems]
        click.echo(json.dumps(told, indent=2))
    else:
        err.print(str(error), markup=False, soft_wrap=True)
    return error.exit_code


@command("init")
def init(as_json: bool) -> None:
    """Make DAGSTER_HOME and the ledger; every other command does so first."""
    where = home()
    told = {"dagster_home": str(where.dagster_home), "engagements": str(where.engagements), "specs": str(where.specs)}

    def show() -> None:
        for name, value in told.items():
            out.print(f"{name}: {value}", soft_wrap=True)

    show_or_dump(told, as_json, show)


@command("doctor")
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

    show_or_dump(told, as_json, show)
    wrong = [one["code"] for findings in told.values() for one in findings if one["level"] == "wrong"]
    return max(wrong, default=EXIT_RECONCILED)


@command("check", initialised=False)
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

    show_or_dump({"problems": [vars(problem) for problem in problems]}, as_json, show)
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


@command("run")
@click.argument("engagement")
@click.option("--phase", help="Stop behind the gate of this phase.")
@click.option("--wait", is_flag=True, help="When the vendor's daily quota is spent, wait for the vendor's next day and go on.")
def run(engagement: str, phase: str | None, wait: bool, as_json: bool) -> int:
    """Load what is confirmed, phase by phase, each behind its gate; run again to go on or to take in new files."""
    from crm_pipelines.defs.commands import run_engagement
    from crm_pipelines.reports.terminal import show_account

    told = run_engagement(opened(engagement), phase=phase, wait=wait, console=None if as_json else out)
    show_or_dump(told, as_json, lambda: show_account(out, told))
    return int(told["exit_code"])


@command("status")
@click.argument("engagement")
def status(engagement: str, as_json: bool) -> int:
    """Show rows by bucket, records by state, queues and what was spent, as the ledger has them; asks nothing of the destination."""
    from crm_pipelines.defs.commands import read_status
    from crm_pipelines.reports.terminal import show_account

    told = read_status(opened(engagement))
    show_or_dump(told, as_json, lambda: show_account(out, told))
    return int(told["exit_code"])


@command("pause")
@click.argument("engagement")
def pause(engagement: str, as_json: bool) -> int:
    """Ask a running load to drain: what is in flight is settled and recorded, then it ends."""
    from crm_pipelines.defs.commands import ask_to_stop

    told = ask_to_stop(opened(engagement))
    show_or_dump(told, as_json, lambda: out.print(told["message"], soft_wrap=True))
    return EXIT_RECONCILED


@command("accept")
@click.argument("engagement")
@click.argument("phase")
@click.option("--by", required=True, callback=require_words, help="Who accepts.")
@click.option("--reason", required=True, callback=require_words, help="Why the limit may be passed.")
def accept(engagement: str, phase: str, by: str, reason: str, as_json: bool) -> int:
    """Open a gate that an expectation keeps shut."""
    from crm_pipelines.defs.commands import accept_gate

    told = accept_gate(opened(engagement), phase, by, reason)
    show_or_dump(told, as_json, lambda: out.print(f"The gate of {phase} is accepted; go on with: crm run {engagement}"))
    return EXIT_RECONCILED


if __name__ == "__main__":
    main()

"""What every `crm` command stands on: the group, opening an engagement, printing a result as text or JSON.

Belongs here: what several command modules need. Not here: a command (cli, cli_map), exit codes of errors (cli.main).
"""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from crm_pipelines.settings import load_engagement

if TYPE_CHECKING:
    from crm_pipelines.phases.project import Project

PLAIN_WIDTH = 130
out = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to stderr, one line of JSON per event.")
@click.version_option(package_name="crm_pipelines")
def crm(verbose: bool) -> None:
    """Declarative CRM migrations: every row accounted for, no record twice."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("crm").setLevel(logging.INFO if verbose else logging.CRITICAL)  # what a user must know is in the message
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a heading that the terminal has no signs for ends no command


def command(name: str, *, initialised: bool = True) -> Callable[[Callable[..., int | None]], click.Command]:
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


def require_words(_context: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    """Return what was given without spaces around it; a callback of options that name a person or give a reason.

    Raises: click.BadParameter when it is blank: a trail that says nobody did it is none.
    """
    if given is None or (given := given.strip()):
        return given
    raise click.BadParameter("must not be blank", param=parameter)


def opened(engagement: str) -> Project:
    """Open an engagement with its spec and decisions checked."""
    from crm_pipelines.phases.project import Project

    return Project.open(load_engagement(engagement))


def show_or_dump(told: Any, as_json: bool, show: Callable[[], object]) -> None:
    """Print a result: as JSON for machines, else as the command shows it."""
    if as_json:
        click.echo(json.dumps(told, indent=2, default=str))
    else:
        show()

"""`tinykit-ops check`: the production checklist, looked at on a live instance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tinykit_ops.checks import reference
from tinykit_ops.checks.context import Stance
from tinykit_ops.checks.plan import Plan, examine
from tinykit_ops.checks.registry import all_checks, check_named
from tinykit_ops.errors import Exit
from tinykit_ops.report import formats, text


class AddressOrCommand(click.Group):
    """`check list` is a command; `check https://…` and `check --host` mean `check run …`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        names = {*self.commands, *ctx.help_option_names}
        if not args or args[0] not in names:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        run.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=AddressOrCommand, subcommand_metavar="[URL] [OPTIONS] | list | explain ID")
def command() -> None:
    """Look whether an instance is what tinykit's security page says.

    \b
    tinykit-ops check https://apps.example.com
    tinykit-ops check https://apps.example.com --inventory inventories/production.py
    tinykit-ops check --host

    Exit codes: 0 all passed, 1 findings, 2 something could not be looked at, 64 wrong usage,
    69 the instance does not answer or is not tinykit. It only reads.
    """


@command.command(hidden=True)
@click.argument("url", required=False, default="")
@click.option("--host", is_flag=True, help="Look on this machine too (as root).")
@click.option(
    "--inventory",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Look on the hosts of a pyinfra inventory too, by their agents.",
)
@click.option("--limit", multiple=True, metavar="HOST", help="Only these hosts of the inventory.")
@click.option("--only", multiple=True, metavar="WHAT", help="Only an id, area or vantage.")
@click.option("--skip", multiple=True, metavar="WHAT", help="Leave out an id, area or vantage.")
@click.option(
    "--resolve", multiple=True, metavar="HOST:PORT:ADDRESS", help="In the place of DNS, as in curl."
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate authorities (PEM) to trust besides the system's.",
)
@click.option("--from-netns", default="", metavar="NAME", help="Look from a network namespace too.")
@click.option(
    "--vantage",
    "stance",
    type=click.Choice([each.value for each in Stance]),
    default=Stance.AUTO.value,
    help="Say whether this machine is on the instance's allowlist (trusted) or not (stranger).",
)
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, help="Seconds a request.")
@click.option("--http-port", type=click.IntRange(1, 65535), default=80, help="Of plain HTTP.")
@click.option("--format", "form", type=click.Choice(sorted(formats())), default=text.NAME)
@click.option("--force", is_flag=True, help="Also check what does not look like tinykit.")
@click.option("--expect-version", default="", hidden=True)
@click.option("--debug", is_flag=True, help="Show the tracebacks of checks that broke.")
def run(form: str, debug: bool, stance: str, **words: Any) -> int:
    """Check an instance."""
    report = examine(Plan(stance=Stance(stance), **words))
    if form == text.NAME:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else text.PIPE_WIDTH)
        text.show(report, console, debug=debug)
    else:
        click.echo(formats()[form](report), nl=False)
    return report.exit_code


@command.command("list")
def list_checks() -> int:
    """List all checks."""
    for check in all_checks():
        click.echo(
            f"{check.id:36} {check.severity.value:9} {check.looks_from.value:9} {check.title}"
        )
    return Exit.OK


@command.command()
@click.argument("check_id", metavar="ID")
def explain(check_id: str) -> int:
    """Tell what a check looks at, and what to do when it fails."""
    click.echo(reference.explain(check_named(check_id)))
    return Exit.OK

"""`tinykit-ops check`: the production checklist, looked at on a live instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tinykit_ops.checks import reference, waivers
from tinykit_ops.checks.context import Stance
from tinykit_ops.checks.credentials import ACCOUNT, SUPERUSER
from tinykit_ops.checks.judging import read_judging
from tinykit_ops.checks.many import look_at_each
from tinykit_ops.checks.model import Severity
from tinykit_ops.checks.plan import Plan, examine
from tinykit_ops.checks.registry import check_named
from tinykit_ops.cli import _check_history, _check_scheduled
from tinykit_ops.cli._check_output import Output, output_options
from tinykit_ops.errors import Exit
from tinykit_ops.report import json_format

_METAVAR = "[URL]... [OPTIONS] | list | explain ID | history | schema"


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


@click.group(cls=AddressOrCommand, subcommand_metavar=_METAVAR)
def command() -> None:
    """Look whether an instance is what tinykit's security page says.

    \b
    tinykit-ops check https://apps.example.com
    tinykit-ops check https://apps.example.com --inventory inventories/production.py
    tinykit-ops check --host
    tinykit-ops check $(cat addresses.txt) --only outside --only outsider --format jsonl

    Exit codes: 0 all passed, 1 findings, 2 something could not be looked at, 64 wrong usage,
    69 the instance does not answer or is not tinykit, 70 a check broke, 73 a file cannot be
    written. --fail-on, --waivers and --baseline say what counts. It only reads.
    """


@command.command(hidden=True)
@click.argument("urls", metavar="[URL]...", nargs=-1)
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
@click.option(
    "--from",
    "from_ssh",
    default="",
    metavar="USER@HOST",
    help="Look from this host too, by SSH: one that is on no allowlist, for what strangers see.",
)
@click.option(
    "--from-netns",
    default="",
    metavar="NAME",
    help="Look from a network namespace of this machine too.",
)
@click.option(
    "--vantage",
    "stance",
    type=click.Choice([each.value for each in Stance]),
    default=Stance.AUTO.value,
    help="Say whether this machine is on the instance's allowlist (trusted) or not (stranger).",
)
@click.option(
    "--account-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Look as this account too: two lines, e-mail and password, mode 0600; or the variables "
    f"{ACCOUNT}_EMAIL and _PASSWORD.",
)
@click.option(
    "--superuser-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help=f"The same as PocketBase's superuser; or {SUPERUSER}_EMAIL and _PASSWORD.",
)
@click.option(
    "--account", "account_email", default="", metavar="EMAIL", help="Ask for that one's password."
)
@click.option(
    "--superuser", "superuser_email", default="", metavar="EMAIL", help="The same for a superuser."
)
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, help="Seconds a request.")
@click.option("--http-port", type=click.IntRange(1, 65535), default=80, help="Of plain HTTP.")
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=16,
    show_default=True,
    help="Instances to look at side by side, where several addresses are given.",
)
@output_options
@click.option("--force", is_flag=True, help="Also check what does not look like tinykit.")
@click.option("--expect-version", default="", hidden=True)
@click.option("--debug", is_flag=True, help="Show the tracebacks of checks that broke.")
def run(
    form: str,
    output: Path | None,
    save: Path | None,
    baseline: Path | None,
    waivers_file: Path | None,
    fail_on: str,
    debug: bool,
    stance: str,
    urls: tuple[str, ...],
    at_once: int,
    **words: Any,
) -> int:
    """Check an instance, or several."""
    out = Output(form, output, save, debug)
    out.prepare(compared=baseline is not None)
    plan = Plan(stance=Stance(stance), url=urls[0] if len(urls) == 1 else "", **words)
    judging = read_judging(waivers_file, baseline, Severity(fail_on), on_host=plan.host)
    if len(urls) > 1:
        return out.deliver_each(look_at_each(plan, urls, at_once), judging).exit_code
    whole = judging.with_waivers(examine(plan))
    shown = judging.differences(whole)
    out.deliver(whole, shown)
    return shown.exit_code


@command.command("list")
def list_checks() -> int:
    """List all checks."""
    for check in waivers.reported_checks():
        click.echo(
            f"{check.id:36} {check.severity.value:9} {check.looks_from.value:9} {check.title}"
        )
    return Exit.OK


@command.command()
@click.argument("check_id", metavar="ID")
def explain(check_id: str) -> int:
    """Tell what a check looks at, and what to do when it fails."""
    check = waivers.CHECK if check_id == waivers.CHECK.id else check_named(check_id)
    click.echo(reference.explain(check))
    return Exit.OK


@command.command()
def schema() -> int:
    """Print the JSON schema of --format json."""
    click.echo(json_format.SCHEMA.read_text(encoding="utf-8"), nl=False)
    return Exit.OK


command.add_command(_check_history.history)
command.add_command(_check_scheduled.scheduled)

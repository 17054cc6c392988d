"""`tinykit-ops lock`: who is changing this host."""

from __future__ import annotations

import json

import click

from tinykit_ops.errors import Exit
from tinykit_ops.host import run_lock


@click.group()
def command() -> None:
    """Who is changing this host: one controller, or one command, at a time.

    The lock ends with the run that holds it, also when that is killed or its network goes away
    (after a minute and a half at most). There is nothing to clean up.
    """


@command.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def show(form: str) -> int:
    """Tell who is changing this host, from where, with what, and since when.

    Exit codes: 0 nobody, 75 somebody, 77 not root.
    """
    held = run_lock.holder()
    if form == "json":
        click.echo(json.dumps({"format": 1, "held": held is not None, "by": held}, indent=2))
    elif held is None:
        click.echo("nobody is changing this host")
    else:
        click.echo(f"this host is being changed by {run_lock.sentence(held)}")
    return Exit.OK if held is None else Exit.TRY_AGAIN


@command.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def release(yes: bool) -> int:
    """Take the lock away from who holds it; a run of pyinfra then ends at its next operation.

    Exit codes: 0 done, 64 nobody holds it, 77 not root.
    """
    held = run_lock.holder()
    if held and not yes:
        click.confirm(f"Stop {run_lock.sentence(held)}?", abort=True)
    click.echo(f"took the lock from {run_lock.sentence(run_lock.release())}")
    return Exit.OK

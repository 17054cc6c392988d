"""`tinykit-ops backup run`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.run import run_backup
from tinykit_ops.cli.backup._common import Host, targets_option
from tinykit_ops.errors import Exit


@click.command()
@targets_option
@click.pass_obj
def command(host: Host, only: tuple[str, ...]) -> int:
    """Make a snapshot now and send it to every target.

    Exit codes: 0 every target has it, 1 at least one has not, 75 another run is at work.
    """
    outcomes = run_backup(host.config(), host.places, only)
    failed = any(outcome.error for outcome in outcomes)
    for line in tables.run_lines(outcomes):
        click.echo(line, err=failed)
    return Exit.FINDINGS if failed else Exit.OK

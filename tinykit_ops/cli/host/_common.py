"""What the steps of a deploy have in common: `--check`, and doing what is left."""

from __future__ import annotations

import os

import click

from tinykit_ops.errors import Exit
from tinykit_ops.host import Step
from tinykit_ops.host.alone import alone

check_option = click.option(
    "--check", is_flag=True, help="Only say what is left to do: exit 0 when nothing is, else 1."
)


def run_step(step: Step, check: bool) -> int:
    """Do what is left of a step, or only say it. Returns the exit code."""
    left = step.pending()
    for what in left:
        click.echo(what)
    if check:
        return Exit.FINDINGS if left else Exit.OK
    if left:
        # Programs and releases are for other users than root, whatever the login's umask is.
        os.umask(0o022)
        with alone():
            step.apply()
    return Exit.OK

"""`tinykit-ops host pending`: what many steps say to `--check`, in one start of Python."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import click

from tinykit_ops.errors import Exit, UsageError


@click.command(hidden=True)
@click.argument("steps")
@click.pass_context
def pending(context: click.Context, steps: str) -> int:
    """Print for each of STEPS (a JSON list of lists of words) whether it has nothing to do."""
    try:
        words = [[str(word) for word in step] for step in json.loads(steps)]
    except (ValueError, TypeError):
        raise UsageError("the steps are no JSON list of lists of words") from None
    group = context.parent.command if context.parent else pending
    click.echo(json.dumps([_is_done(group, step) for step in words]))
    return Exit.OK


def _is_done(group: click.Command, step: list[str]) -> bool:
    from tinykit_ops.cli import run_command  # it loads the module that has this command

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            return run_command(group, [*step, "--check"]) == Exit.OK
        except Exception:  # a bug in one step is told when that step is run
            return False

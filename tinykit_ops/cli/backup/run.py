"""`tinykit-ops backup run`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import tables
from tinykit_ops.backup.delivery import note_everywhere, unexpected
from tinykit_ops.backup.outcome import Outcome, UnexpectedError
from tinykit_ops.backup.progress import on_terminal
from tinykit_ops.backup.run import How, run_backup
from tinykit_ops.cli.backup._common import (
    Host,
    format_option,
    scheduled_option,
    targets_option,
    wait_option,
)
from tinykit_ops.errors import Exit, TinykitOpsError
from tinykit_ops.migrate.arriving import on_its_way_from


@click.command()
@targets_option
@format_option
@wait_option
@scheduled_option
@click.pass_obj
def command(
    host: Host, only: tuple[str, ...], form: str, wait_minutes: int, scheduled: bool
) -> int:
    """Make a snapshot now and send it to every target.

    A scheduled one does nothing while an instance is on its way here: the host that it comes from
    backs it up.

    Exit codes: 0 every target has it, 1 at least one has not, 70 because of a bug, 75 another run
    is at work.
    """
    if scheduled and (other := on_its_way_from()):
        # The target is that instance's: its own snapshots must not give way to those of a copy.
        click.echo(f"nothing is backed up: the instance here is a copy of {other}'s", err=True)
        return Exit.OK
    config = _config(host)
    with on_terminal() as progress:
        how = How(wait_minutes * 60, lambda line: click.echo(line, err=True), progress)
        outcomes = run_backup(config, host.places, only, how)
    failed = [outcome.error for outcome in outcomes if outcome.error]
    _tell(outcomes, form, how.run if scheduled else None, bad=bool(failed))
    if any(isinstance(error, UnexpectedError) for error in failed):
        return Exit.SOFTWARE
    return Exit.FINDINGS if failed else Exit.OK


def _config(host: Host) -> AgentConfig:
    """Without it nobody knows the targets; those of former runs are told that this one failed."""
    try:
        return host.config()
    except TinykitOpsError as error:
        note_everywhere(host.places, error)
        raise
    except Exception as error:
        note_everywhere(host.places, unexpected(error))
        raise


def _tell(outcomes: Sequence[Outcome], form: str, run: str | None, *, bad: bool) -> None:
    if form == "json":
        click.echo(tables.run_json(outcomes), err=run is not None)
        return
    for line in tables.run_lines(outcomes):
        click.echo(f"run {run[:8]}: {line}" if run else line, err=bad or run is not None)

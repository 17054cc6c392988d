"""`tinykit-ops backup prune`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.outcome import Outcome
from tinykit_ops.backup.prune_run import How, MayNotPruneError, prune_targets
from tinykit_ops.backup.pruning import LastBackupFailedError
from tinykit_ops.cli.backup._common import (
    Host,
    format_option,
    scheduled_option,
    targets_option,
    wait_option,
)
from tinykit_ops.errors import Exit

#: The result tells these by itself, or they are no failure of the prune.
_FINDINGS = (MayNotPruneError, LastBackupFailedError)


@click.command()
@targets_option
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the others stay.")
@format_option
@wait_option
@scheduled_option
@click.pass_obj
def command(
    host: Host, only: tuple[str, ...], dry_run: bool, form: str, wait_minutes: int, scheduled: bool
) -> int:
    """Remove the snapshots that the settings' retention does not keep.

    Runs wherever the right to delete is: that need not be the instance's own host. The last
    snapshot that was verified stays, whichever host verified it.

    Exit codes: 0 done, 1 something should have gone and could not, 75 another run is at work.
    """
    how = How(dry_run, wait_minutes * 60, lambda line: click.echo(line, err=True))
    outcomes = prune_targets(host.config(), host.places, only, how)
    failed = [one for one in outcomes if one.error and not isinstance(one.error, _FINDINGS)]
    if len(outcomes) == 1 and failed:
        assert failed[0].error is not None  # noqa: S101
        raise failed[0].error
    _tell(outcomes, form, f"prune {how.run[:8]}: " if scheduled else "", dry_run=dry_run)
    if failed:
        return next(one.error.exit_code for one in failed if one.error)
    kept_back = any(one.error or (one.pruned and one.pruned.locked) for one in outcomes)
    return Exit.FINDINGS if kept_back else Exit.OK


def _tell(outcomes: list[Outcome], form: str, run: str, *, dry_run: bool) -> None:
    for one in outcomes:
        if one.error and one.pruned is None:
            click.echo(f"{run}{one.target}: {one.error}", err=True)
    done = {one.target: one.pruned for one in outcomes if one.pruned}
    if form == "json":
        click.echo(tables.prune_json(done), err=bool(run))
        return
    for name, pruned in done.items():
        for line in tables.prune_lines(name, pruned, dry_run=dry_run):
            click.echo(f"{run}{line}", err=bool(run))

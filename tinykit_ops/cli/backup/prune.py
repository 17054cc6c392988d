"""`tinykit-ops backup prune`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.backup.pruning import LastBackupFailedError, prune_one
from tinykit_ops.cli.backup._common import Host, format_option, names, targets_option
from tinykit_ops.errors import Exit


@click.command()
@targets_option
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the others stay.")
@format_option
@click.pass_obj
def command(host: Host, only: tuple[str, ...], dry_run: bool, form: str) -> int:
    """Remove the snapshots that the settings' retention does not keep.

    Runs wherever the right to delete is: that need not be the instance's own host.

    Exit codes: 0 done, 1 something should have gone and could not.
    """
    config = host.config()
    done: dict[str, Pruned] = {}
    refused = False
    with only_one(host.places.lock):
        for name in only or names(config):
            try:
                done[name] = prune_one(config, host.places, name, dry_run=dry_run)
            except LastBackupFailedError as error:
                click.echo(f"{name}: {error}", err=True)
                refused = True
    if form == "json":
        click.echo(tables.prune_json(done))
    else:
        for name, pruned in done.items():
            click.echo("\n".join(tables.prune_lines(name, pruned, dry_run=dry_run)))
    kept_back = refused or any(one.denied or one.locked for one in done.values())
    return Exit.FINDINGS if kept_back else Exit.OK

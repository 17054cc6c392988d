"""`tinykit-ops backup prune`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.prune import prune as prune_target
from tinykit_ops.backup.status import read_status
from tinykit_ops.backup.targets import open_target
from tinykit_ops.cli.backup._common import Host, names, targets_option
from tinykit_ops.errors import Exit


@click.command()
@targets_option
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why the others stay.")
@click.pass_obj
def command(host: Host, only: tuple[str, ...], dry_run: bool) -> int:
    """Remove the snapshots that the settings' retention does not keep."""
    config = host.config()
    known = read_status(host.places.status)
    code = Exit.OK
    with only_one(host.places.lock):
        for name in only or names(config):
            of_target = known.targets.get(name) if known else None
            verified = of_target.verified_snapshot if of_target else None
            pruned = prune_target(
                open_target(config, name),
                config.settings.backup.retention,
                protected=[verified] if verified else [],
                dry_run=dry_run,
            )
            click.echo("\n".join(tables.prune_lines(name, pruned, dry_run=dry_run)))
            code = Exit.FINDINGS if pruned.denied else code
    return code

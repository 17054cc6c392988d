"""`tinykit-ops backup restore`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.catalog import newest_id
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.restore import restore as restore_snapshot
from tinykit_ops.backup.targets import open_target
from tinykit_ops.cli.backup._common import LATEST, Host, identity_option, one, target_option
from tinykit_ops.errors import Exit


@click.command()
@click.argument("snapshot", metavar="ID")
@click.option(
    "--to",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="An empty folder, or one that is not there yet.",
)
@target_option
@identity_option
@click.pass_obj
def command(host: Host, snapshot: str, to: Path, target: str | None, identity: Path | None) -> int:
    """Restore a snapshot (ID, or `latest`) into an empty folder; nothing is overwritten."""
    config = host.config()
    store = open_target(config, one(config, target))
    wanted = newest_id(store) if snapshot == LATEST else snapshot
    done = restore_snapshot(store, wanted, to, read_identities(identity) if identity else [])
    rows = sum(done.manifest.rows.values())
    click.echo(
        f"restored {wanted} to {to}: {rows} rows in {len(done.manifest.rows)} collections, "
        f"{len(done.manifest.uploads)} upload files, PocketBase {done.manifest.pocketbase}"
    )
    return Exit.OK

"""`tinykit-ops backup restore`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from tinykit_ops.backup.catalog import newest_id
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.keys import Identity, read_identities
from tinykit_ops.backup.manifest import Manifest
from tinykit_ops.backup.progress import on_terminal, watched
from tinykit_ops.backup.restore import restore as restore_snapshot
from tinykit_ops.backup.restore_run import in_place, safety_snapshot
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.backup.targets.volume import VolumeStore, is_volume_target, open_volume
from tinykit_ops.backup.volumes import newest_complete, restore_volume
from tinykit_ops.cli.backup._common import LATEST, Host, identity_option, one, target_option
from tinykit_ops.errors import Exit
from tinykit_ops.host.run_lock import changing


@click.command()
@click.argument("snapshot", metavar="ID")
@click.option(
    "--to",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="An empty folder, or one that is not there yet.",
)
@click.option(
    "--in-place",
    "replace",
    is_flag=True,
    help="Replace the data of the instance on this host. Its old data is kept beside it.",
)
@click.option("--dry-run", is_flag=True, help="With --in-place: only say what would happen.")
@click.option("--yes", is_flag=True, help="With --in-place: do not ask.")
@click.option(
    "--no-safety-snapshot",
    is_flag=True,
    help="With --in-place: do not back up the present data first (it is kept beside all the same).",
)
@target_option
@identity_option
@click.pass_obj
def command(
    host: Host,
    snapshot: str,
    to: Path | None,
    replace: bool,
    dry_run: bool,
    yes: bool,
    no_safety_snapshot: bool,
    target: str | None,
    identity: Path | None,
) -> int:
    """Restore a snapshot (ID, or `latest`): into an empty folder, or over the running instance.

    In place, everything is fetched and checked first; then PocketBase stops, the folders change
    places in one step, and it starts on the restored data. When it is not healthy then, or holds
    other rows than were backed up, the old data comes back by itself.

    Exit codes: 0 restored, 64 it cannot be done as asked, 69 the old data serves again, 74 the
    snapshot is damaged, 77 the key is another one.
    """
    _see_that_it_is_clear(to, replace, only_in_place=dry_run or yes or no_safety_snapshot)
    config = host.config()
    name = one(config, target)
    if to is not None and is_volume_target(config, name):
        return _from_volume(host, open_volume(config, name), snapshot, to)
    store = open_target(config, name)
    wanted = newest_id(store) if snapshot == LATEST else snapshot
    keys = read_identities(identity) if identity else []
    if to is not None:
        with on_terminal() as progress:
            done = restore_snapshot(watched(store, progress), wanted, to, keys)
        click.echo(f"restored {wanted} to {to}: {_content(done.manifest)}")
        return Exit.OK
    return _in_place(host, store, wanted, keys, dry_run, yes, no_safety_snapshot)


def _in_place(
    host: Host,
    store: Target,
    wanted: str,
    keys: list[Identity],
    dry_run: bool,
    yes: bool,
    no_safety_snapshot: bool,
) -> int:
    config = host.config()
    noted = nullcontext() if dry_run else changing(f"backup restore --in-place {wanted}")
    with noted, in_place(config, host.places) as restoring:
        manifest = restoring.check(store, wanted, keys)
        click.echo(f"{wanted} holds {_content(manifest)}.")
        click.echo(f"It would replace {host.places.data}; what is there now would be kept beside.")
        if dry_run:
            return Exit.OK
        if not yes:
            click.confirm("Replace the data of this instance?", abort=True)
        safety = None if no_safety_snapshot else safety_snapshot(config, host.places, store.name)
        with on_terminal() as progress:
            source = watched(store, progress)
            done = restoring.run(source, wanted, keys, safety, click.echo)
    click.echo(f"restored {wanted}; the data from before is in {done.kept}")
    return Exit.OK


def _see_that_it_is_clear(to: Path | None, replace: bool, only_in_place: bool) -> None:
    if (to is not None) == replace:
        raise BackupSettingsError(
            "Where to restore to is not clear",
            hint="give --to DIR, or --in-place to replace the data of this instance",
        )
    if only_in_place and not replace:
        raise BackupSettingsError(
            "--dry-run, --yes and --no-safety-snapshot go with --in-place",
            hint="leave them out: --to overwrites nothing",
        )


def _content(manifest: Manifest) -> str:
    rows = sum(manifest.rows.values())
    return (
        f"{rows} rows in {len(manifest.rows)} collections, {len(manifest.uploads)} upload files, "
        f"PocketBase {manifest.pocketbase}"
    )


def _from_volume(host: Host, store: VolumeStore, snapshot: str, to: Path) -> int:
    wanted = newest_complete(store) if snapshot == LATEST else snapshot
    copy = restore_volume(store, wanted, host.places.data, to)
    click.echo(f"restored {wanted} to {copy}, as it lay on the disk at that moment")
    return Exit.OK

"""`tinykit-ops backup verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.catalog import snapshot_ids
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.share import Share
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.verify_run import verify_and_note
from tinykit_ops.cli.backup._common import LATEST, Host, identity_option, one, target_option
from tinykit_ops.errors import Exit


@click.command()
@click.argument("snapshot", metavar="[ID]", required=False)
@click.option("--latest", is_flag=True, help="The newest one, which is also the default.")
@click.option("--all", "every", is_flag=True, help="Every snapshot of the target, oldest first.")
@click.option(
    "--read-data",
    "part",
    metavar="N/M",
    default="1/1",
    help="Read the Nth of M parts of the uploads; of the others, presence and size are checked.",
)
@click.option("--no-boot", is_flag=True, help="Do not boot PocketBase on the copy.")
@target_option
@identity_option
@click.pass_obj
def command(
    host: Host,
    snapshot: str | None,
    latest: bool,
    every: bool,
    part: str,
    no_boot: bool,
    target: str | None,
    identity: Path | None,
) -> int:
    """Prove that a snapshot comes back: fetch it, check it, boot PocketBase on the copy.

    Exit codes: 0 it does, 1 it does not, 64 a key is missing, 77 the key is another one.
    """
    if (snapshot is not None) + latest + every > 1:
        raise BackupSettingsError(
            "More than one of ID, --latest and --all were given", hint="give one of them"
        )
    share = Share.parse(part)
    config = host.config()
    name = one(config, target)
    store = open_target(config, name)
    wanted = snapshot_ids(store) if every else [None if snapshot in (None, LATEST) else snapshot]
    verdicts = [
        verify_and_note(config, host.places, name, one_id, identity, boot=not no_boot, share=share)
        for one_id in wanted
    ]
    for verdict in verdicts:
        for step in verdict.steps:
            click.echo(f"  looked at: {step}")
        for fault in verdict.faults:
            click.echo(f"  FAULT: {fault}")
        click.echo(f"{verdict.id}: {'it comes back' if verdict.sound else 'it does NOT come back'}")
    return Exit.OK if all(verdict.sound for verdict in verdicts) else Exit.FINDINGS

"""`tinykit-ops backup verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.verify_run import verify_and_note
from tinykit_ops.cli.backup._common import LATEST, Host, identity_option, one, target_option
from tinykit_ops.errors import Exit


@click.command()
@click.argument("snapshot", metavar="[ID]", required=False)
@click.option("--latest", is_flag=True, help="The newest one, which is also the default.")
@click.option("--no-boot", is_flag=True, help="Do not boot PocketBase on the copy.")
@target_option
@identity_option
@click.pass_obj
def command(
    host: Host,
    snapshot: str | None,
    latest: bool,
    no_boot: bool,
    target: str | None,
    identity: Path | None,
) -> int:
    """Prove that a snapshot comes back: fetch it, check it, boot PocketBase on the copy.

    Exit codes: 0 it does, 1 it does not, 64 a key is missing, 77 the key is another one.
    """
    if snapshot and latest:
        raise BackupSettingsError("Both an ID and --latest were given", hint="give one of them")
    config = host.config()
    wanted = None if snapshot in (None, LATEST) else snapshot
    name = one(config, target)
    verdict = verify_and_note(config, host.places, name, wanted, identity, boot=not no_boot)
    for step in verdict.steps:
        click.echo(f"  looked at: {step}")
    for fault in verdict.faults:
        click.echo(f"  FAULT: {fault}")
    click.echo(f"{verdict.id}: {'it comes back' if verdict.sound else 'it does NOT come back'}")
    return Exit.OK if verdict.sound else Exit.FINDINGS

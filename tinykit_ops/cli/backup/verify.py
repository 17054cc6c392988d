"""`tinykit-ops backup verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.progress import on_terminal
from tinykit_ops.backup.share import Share
from tinykit_ops.backup.tables import verify_lines
from tinykit_ops.backup.verify_run import Ask, Examined, How, verify_targets
from tinykit_ops.cli.backup._common import (
    LATEST,
    Host,
    identity_option,
    one,
    scheduled_option,
    targets_option,
    wait_option,
)
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
    help="Read the Nth of M parts of the uploads; of the others, presence and size are checked. "
    "`next/M`: another part every time.",
)
@click.option("--no-boot", is_flag=True, help="Do not boot PocketBase on the copy.")
@click.option(
    "--at",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For a snapshot of a volume, named by its ID: where PocketBase's data of it is mounted.",
)
@targets_option
@identity_option
@wait_option
@scheduled_option
@click.pass_obj
def command(
    host: Host,
    snapshot: str | None,
    latest: bool,
    every: bool,
    part: str,
    no_boot: bool,
    at: Path | None,
    only: tuple[str, ...],
    identity: Path | None,
    wait_minutes: int,
    scheduled: bool,
) -> int:
    """Prove that a snapshot comes back: fetch it, check it, boot PocketBase on the copy.

    What was found is noted on this host and beside the snapshot, where `list`, `status` and
    `prune` of every host see it.

    Exit codes: 0 it does, 1 it does not, 64 a key or an ID is missing, 69 the target does not
    answer or PocketBase cannot be booted here, 75 another one is at work, 77 the key is another
    one.
    """
    if (snapshot is not None) + latest + every > 1:
        raise BackupSettingsError(
            "More than one of ID, --latest and --all were given", hint="give one of them"
        )
    if len(only) > 1 and (snapshot not in (None, LATEST) or at):
        raise BackupSettingsError(
            "A snapshot lies in one target, and several were named", hint="give one --target"
        )
    config = host.config()
    ask = Ask(
        snapshot=None if snapshot in (None, LATEST) else snapshot,
        every=every,
        identity=identity,
        boot=not no_boot,
        share=Share.parse_turn(part),
        at=at,
    )
    wait = wait_minutes * 60 if scheduled or wait_minutes else None
    targets = only or (one(config, None),)
    with on_terminal() as progress:
        how = How(wait, lambda line: click.echo(line, err=True), progress=progress)
        found = verify_targets(config, host.places, targets, ask, how)
    return _told(found, how, scheduled)


def _told(found: list[Examined], how: How, scheduled: bool) -> int:
    if len(found) == 1 and found[0].error and not found[0].verdicts:
        raise found[0].error
    run = f"verify {how.run[:8]}: " if scheduled else ""
    for line in verify_lines(found):
        click.echo(f"{run}{line}", err=scheduled)
    for examined in found:
        if examined.error:
            click.echo(f"{run}error: {examined.outcome.target}: {examined.error}", err=True)
    if any(not verdict.sound for examined in found for verdict in examined.verdicts):
        return Exit.FINDINGS
    return next((examined.error.exit_code for examined in found if examined.error), Exit.OK)

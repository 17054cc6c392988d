"""`tinykit-ops backup import`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.importing import import_zip
from tinykit_ops.backup.progress import on_terminal
from tinykit_ops.cli.backup._common import Host, targets_option
from tinykit_ops.errors import Exit


@click.command()
@click.argument("file", metavar="FILE.zip", type=click.Path(path_type=Path))
@targets_option
@click.option(
    "--pocketbase",
    metavar="VERSION",
    help="The version that made it; the installed one when left out.",
)
@click.pass_obj
def command(host: Host, file: Path, only: tuple[str, ...], pocketbase: str | None) -> int:
    """Adopt a backup that PocketBase's dashboard made, as a snapshot like any other.

    Exit codes: 0 every target has it, 1 at least one has not.
    """
    with on_terminal() as progress:
        done = import_zip(host.config(), host.places, file, only, progress, pocketbase=pocketbase)
    failed = any(outcome.error for outcome in done.outcomes)
    click.echo(f"backup of {done.made:%Y-%m-%d %H:%M} UTC", err=failed)
    if done.marker_dropped:
        click.echo(
            "left out: .setup_complete, which may hold the superuser's password: "
            "whoever has the zip may have it"
        )
    for line in tables.run_lines(done.outcomes):
        click.echo(line, err=failed)
    if not failed:
        click.echo(f"prove it: tinykit-ops backup verify {done.id}")
    return Exit.FINDINGS if failed else Exit.OK

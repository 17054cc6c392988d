"""`tinykit-ops migrate`: an instance moves to another host."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.keys import read_identities
from tinykit_ops.errors import Exit
from tinykit_ops.migrate.plan import look, told
from tinykit_ops.migrate.run import Mover


@click.command()
@click.argument("host", metavar="HOST")
@click.argument("newhost", metavar="NEWHOST")
@click.option(
    "--inventory",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The pyinfra inventory that has both, with the same settings.",
)
@click.option(
    "--identity",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private age key, where the backup target is sealed.",
)
@click.option("--target", metavar="NAME", help="Through which backup target; the first of both.")
@click.option("--dry-run", is_flag=True, help="Look at both hosts, and say what would happen.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--abort", is_flag=True, help="Take back a move that has not arrived: HOST takes writes again."
)
def command(
    host: str,
    newhost: str,
    inventory: Path,
    identity: Path | None,
    target: str | None,
    dry_run: bool,
    yes: bool,
    abort: bool,
) -> int:
    """Move the instance of HOST to NEWHOST, both of one inventory with the same settings.

    NEWHOST is provisioned, and a snapshot restored there to try it, while HOST serves. Then HOST
    refuses writes, the last snapshot goes over, and NEWHOST serves. When the window began and ended
    is printed. After that, point the DNS records at NEWHOST: HOST can be read until you switch it
    off, and answers writes with 503.

    A run that was killed is finished by the same command. `migrate NEWHOST HOST` moves it back.

    Exit codes: 0 moved, 64 it cannot be done as asked, 69 a host does not answer or is not well
    (HOST serves as before), 75 somebody else is changing a host.
    """
    if identity:
        read_identities(identity)
    move = look(inventory, host, newhost, target, identity)
    mover = Mover(move, identity.read_text() if identity else "", click.echo)
    if abort:
        mover.abort()
        click.echo(f"{host} takes writes")
        return Exit.OK
    click.echo("\n".join(told(move)))
    if dry_run:
        return Exit.OK
    if not yes:
        click.confirm("Move it?", abort=True)
    window = mover.run()
    if window:
        click.echo(str(window))
    click.echo(
        f"{newhost} serves. Point the DNS records at it, switch {host} off when nobody comes there "
        f"any more, and take {host} out of the inventory."
    )
    return Exit.OK

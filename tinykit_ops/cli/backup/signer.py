"""`tinykit-ops backup signer`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.signing import public_key
from tinykit_ops.errors import Exit


@click.command()
@click.option(
    "--identity",
    metavar="FILE",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private age key, as `age-keygen` wrote it.",
)
def command(identity: Path) -> int:
    """Print the public key that results of verifying are signed with.

    It is made of the private age key. Named as `signed_by` of a target, it lets results count only
    when somebody with that private key wrote them. Runs anywhere.
    """
    click.echo(public_key(read_identities(identity)[0]))
    return Exit.OK

"""`tinykit-ops backup doctor`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.doctor import Mark, examine
from tinykit_ops.cli.backup._common import Host, format_option, targets_option
from tinykit_ops.errors import Exit


@click.command()
@targets_option
@format_option
@click.pass_obj
def command(host: Host, only: tuple[str, ...], form: str) -> int:
    """Look at credentials, clock, bucket and host, and say what is missing.

    Stores one object in each target, `doctor/probe`, and removes it again if it may.

    Exit codes: 0 fine, 1 something is bad, 2 something could not be looked at.
    """
    seen = examine(host.config(), host.places, only)
    text = "\n".join(tables.doctor_lines(seen))
    click.echo(tables.doctor_json(seen) if form == "json" else text)
    marks = {sign.mark for signs in seen.values() for sign in signs}
    if Mark.BAD in marks:
        return Exit.FINDINGS
    return Exit.COULD_NOT_SEE if Mark.UNKNOWN in marks else Exit.OK

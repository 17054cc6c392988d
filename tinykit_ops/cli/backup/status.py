"""`tinykit-ops backup status`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.judgement import Level, judge, worst
from tinykit_ops.backup.status import read_status
from tinykit_ops.cli.backup._common import Host, format_option
from tinykit_ops.errors import TinykitOpsError


@click.command()
@format_option
@click.pass_obj
def command(host: Host, form: str) -> int:
    """Tell how backups stand, for monitoring; reads only this host's status file.

    Exit codes, as Nagios has them: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    try:
        settings = host.config().settings.backup
        known = read_status(host.places.status)
    except TinykitOpsError as error:
        click.echo(f"BACKUP UNKNOWN: {error.what}")
        return Level.UNKNOWN
    names = [target.name for target in settings.targets]
    judgements = judge(names, known, settings.max_age_hours)
    text = "\n".join(tables.status_lines(judgements))
    click.echo(tables.status_json(judgements, known) if form == "json" else text)
    return worst(judgements)

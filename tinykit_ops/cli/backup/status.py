"""`tinykit-ops backup status`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.judgement import Level, Limits, judge, worst
from tinykit_ops.backup.learn import learn
from tinykit_ops.backup.status import read_status
from tinykit_ops.cli.backup._common import Host, format_option
from tinykit_ops.errors import TinykitOpsError


@click.command()
@format_option
@click.option(
    "--look", is_flag=True, help="First ask the targets what verifiers found since the last run."
)
@click.pass_obj
def command(host: Host, form: str, look: bool) -> int:
    """Tell how backups stand, for monitoring; reads only this host's status file.

    Judges the age of the last backup and of the last verified restore, whichever host verified it:
    every run, and every prune, learns that from the targets.

    Exit codes, as Nagios has them: 0 ok, 1 warning, 2 critical, 3 unknown.
    """
    try:
        config = host.config()
        backup = config.settings.backup
        for target in backup.targets if look else []:
            learn(config, host.places, target.name)
        known = read_status(host.places.status)
    except TinykitOpsError as error:
        click.echo(
            tables.unknown_json(error) if form == "json" else f"BACKUP UNKNOWN: {error.what}"
        )
        return Level.UNKNOWN
    plans = {target.name: backup.plan(target) for target in backup.targets}
    limits = {name: Limits(p.max_age_hours, p.max_verified_age_hours) for name, p in plans.items()}
    judgements = judge(limits, known)
    text = "\n".join(tables.status_lines(judgements))
    click.echo(tables.status_json(judgements, known) if form == "json" else text)
    return worst(judgements)

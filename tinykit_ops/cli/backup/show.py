"""`tinykit-ops backup show`."""

from __future__ import annotations

import click

from tinykit_ops.backup import tables
from tinykit_ops.backup.catalog import newest_id, read_index
from tinykit_ops.backup.learn import results_of
from tinykit_ops.backup.targets import open_target
from tinykit_ops.cli.backup._common import LATEST, Host, format_option, one, target_option
from tinykit_ops.errors import Exit


@click.command()
@click.argument("snapshot", metavar="ID")
@target_option
@format_option
@click.pass_obj
def command(host: Host, snapshot: str, target: str | None, form: str) -> int:
    """Show what is stored for one snapshot (ID, or `latest`), and who verified it."""
    config = host.config()
    store = open_target(config, one(config, target))
    index = read_index(store, newest_id(store) if snapshot == LATEST else snapshot)
    found = list(results_of(config, store).all_of(index))
    text = "\n".join(tables.show_lines(index, found))
    click.echo(tables.show_json(index, found) if form == "json" else text)
    return Exit.OK

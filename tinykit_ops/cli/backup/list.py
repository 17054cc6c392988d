"""`tinykit-ops backup list`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup import tables
from tinykit_ops.backup.catalog import Summary, summaries
from tinykit_ops.backup.learn import results_of
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.targets.volume import is_volume_target, open_volume
from tinykit_ops.backup.volumes import volume_summaries
from tinykit_ops.cli.backup._common import Host, format_option, names, targets_option
from tinykit_ops.errors import Exit


@click.command()
@targets_option
@format_option
@click.pass_obj
def command(host: Host, only: tuple[str, ...], form: str) -> int:
    """List the snapshots of every target; no key is needed."""
    config = host.config()
    found = {name: _summaries(config, name) for name in only or names(config)}
    if form == "json":
        click.echo(tables.list_json(found))
    else:
        for name, snapshots in found.items():
            click.echo("\n".join(tables.list_lines(name, snapshots)))
    damaged = any(one.fault for snapshots in found.values() for one in snapshots)
    return Exit.FINDINGS if damaged else Exit.OK


def _summaries(config: AgentConfig, name: str) -> list[Summary]:
    if is_volume_target(config, name):
        return volume_summaries(open_volume(config, name))
    target = open_target(config, name)
    return list(summaries(target, results_of(config, target).word_on))

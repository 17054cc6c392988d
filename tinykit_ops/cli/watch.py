"""`tinykit-ops watch`: what is unusual on this host, without Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from tinykit_ops import layout
from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.errors import Exit

config_option = click.option(
    "--config",
    "config_file",
    default=layout.CONFIG_FILE,
    hidden=True,
    type=click.Path(path_type=Path),
)


@click.group()
def command() -> None:
    """Look at this host's traffic and health, and tell people what is unusual (root only)."""


@command.command()
@config_option
def run(config_file: Path) -> int:
    """Look once, as cron does every minute. Exit code 1: something is wrong."""
    from tinykit_ops.watch.run import look

    state = look(load_agent_config(config_file), lambda line: click.echo(f"watch: {line}"))
    return Exit.FINDINGS if state.problems else Exit.OK


@command.command()
def status() -> int:
    """What is wrong now, and what people have not been told yet. Exit code 1: something is."""
    from tinykit_ops.watch.state import WatchPlaces, read_state

    state = read_state(WatchPlaces().file, lambda line: click.echo(line, err=True))
    if not state.looked:
        click.echo("nothing was looked at yet", err=True)
        return Exit.COULD_NOT_SEE
    click.echo(f"last look: {datetime.fromtimestamp(state.looked, UTC):%Y-%m-%d %H:%M:%S} UTC")
    hours = len(state.learnt.requests.week)
    click.echo(f"learning: {hours} of 168 hours of the week were seen")
    for name, one in sorted(state.problems.items()):
        since = datetime.fromtimestamp(one.since, UTC)
        click.echo(f"PROBLEM {name} since {since:%Y-%m-%d %H:%M} UTC: {one.text}")
    for channel, owed in state.owed.items():
        if owed:
            click.echo(f"{channel}: {len(owed)} messages wait")
    return Exit.FINDINGS if state.problems else Exit.OK


@command.command()
@config_option
def test(config_file: Path) -> int:
    """Send a message over every channel. Exit code 69: one was not reached."""
    from tinykit_ops.watch.run import try_channels

    reached = try_channels(load_agent_config(config_file))
    for name, good in reached.items():
        click.echo(f"{name}: {'sent' if good else 'NOT reached'}")
    return Exit.OK if all(reached.values()) else Exit.UNAVAILABLE

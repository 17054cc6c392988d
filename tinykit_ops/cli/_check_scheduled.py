"""`tinykit-ops check scheduled`, which cron runs on a host."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops import layout
from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.plan import Plan, examine
from tinykit_ops.checks.schedule import look_as_scheduled


@click.command()
@click.option(
    "--config",
    "config_file",
    default=layout.CONFIG_FILE,
    hidden=True,
    type=click.Path(path_type=Path),
)
@click.pass_context
def scheduled(ctx: click.Context, config_file: Path) -> int:
    """Look at this host as every night: keep history and metrics, tell what is new.

    Exit codes are those of `check --host`.
    """
    places = ctx.obj if isinstance(ctx.obj, CheckPlaces) else CheckPlaces()
    config = load_agent_config(config_file)
    report = look_as_scheduled(
        config,
        lambda: examine(Plan(host=True)),
        places,
        lambda line: click.echo(f"check: {line}", err=True),
    )
    return report.exit_code

"""`tinykit-ops check scheduled`, which cron runs on a host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tinykit_ops import layout
from tinykit_ops.agent.instances import verified_instance
from tinykit_ops.checks.context import Stance
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.checks.own_config import own_config
from tinykit_ops.checks.plan import Plan, examine, outside_plan


@click.command()
@click.option(
    "--config",
    "config_file",
    default=layout.CONFIG_FILE,
    hidden=True,
    type=click.Path(path_type=Path),
)
@click.option(
    "--instance",
    metavar="NAME",
    help="On a verifier: look at this instance, from outside. The name is that of its folder in "
    f"{layout.INSTANCES_DIR}.",
)
@click.option(
    "--vantage",
    "stance",
    type=click.Choice([each.value for each in Stance]),
    default=Stance.AUTO.value,
    help="With --instance: whether this machine is on its allowlist.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --instance: certificate authorities (PEM) to trust besides the system's.",
)
@click.pass_context
def scheduled(
    ctx: click.Context,
    config_file: Path,
    instance: str | None,
    stance: str,
    ca_file: Path | None,
) -> int:
    """Look as every night: keep history and metrics, tell what is new.

    At this host itself, as `check --host` does, or on a verifier at an instance from outside.
    Exit codes are those of `check`.
    """
    # What tells people brings an HTTP library and the backups: a third of the time of any `check`.
    from tinykit_ops.checks.schedule import look_as_scheduled

    places = ctx.obj if isinstance(ctx.obj, CheckPlaces) else CheckPlaces()
    if instance is not None:
        folder = verified_instance(instance)
        config_file, places = folder / "config.json", CheckPlaces.of_instance(folder.name)
    config = own_config(config_file)
    plan = Plan(host=True)
    if instance is not None:
        plan = replace(outside_plan(config.settings), stance=Stance(stance), ca_file=ca_file)
    report = look_as_scheduled(
        config,
        lambda: examine(plan),
        places,
        lambda line: click.echo(f"check: {line}", err=True),
    )
    return report.exit_code

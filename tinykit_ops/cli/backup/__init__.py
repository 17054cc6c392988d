"""`tinykit-ops backup`: snapshots of an instance's data, on its host."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops import layout
from tinykit_ops.agent.instances import verified_instance
from tinykit_ops.backup.places import Places
from tinykit_ops.cli._folder import CommandFolder
from tinykit_ops.cli.backup._common import Host


@click.group(cls=CommandFolder, package=__name__, folders=__path__)
@click.option(
    "--config",
    "config_file",
    default=layout.CONFIG_FILE,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The agent's configuration; secrets are in `secrets/` beside it.",
)
@click.option(
    "--instance",
    metavar="NAME",
    help="On a verifier: whose backups are meant, by the name of their folder in "
    f"{layout.INSTANCES_DIR}.",
)
@click.pass_context
def command(ctx: click.Context, config_file: Path, instance: str | None) -> None:
    """Back up an instance's data, restore it, and prove that it can be restored.

    Runs on the host, as root. Snapshots never open PocketBase's live files.
    """
    places = ctx.obj if isinstance(ctx.obj, Places) else Places()
    if instance is not None:
        folder = verified_instance(instance)
        config_file, places = folder / "config.json", Places.of_instance(folder.name)
    ctx.obj = Host(config_file, places)

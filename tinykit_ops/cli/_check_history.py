"""`tinykit-ops check history`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.agent.instances import verified_instance
from tinykit_ops.checks.history import KEEP, last_nights
from tinykit_ops.checks.keeping import CheckPlaces
from tinykit_ops.errors import Exit


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--last", default=30, type=click.IntRange(1, KEEP), help="How many looks.")
@click.option(
    "--file",
    "path",
    default=CheckPlaces().history,
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The history of a host.",
)
@click.option("--instance", metavar="NAME", help="On a verifier: the history of this instance.")
def history(form: str, last: int, path: Path, instance: str | None) -> int:
    """Show what the nightly checks of this host came to, and the trend."""
    from tinykit_ops.report.history import history_json, history_text  # slow, for this one only

    if instance is not None:
        path = CheckPlaces.of_instance(verified_instance(instance).name).history
    found = last_nights(path, last)
    click.echo(history_json(found) if form == "json" else history_text(found), nl=False)
    return Exit.OK

"""Options of commands that run on this host, or by the agents of an inventory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def fleet_options(command: Command) -> Command:
    """`--inventory FILE` and `--limit HOST`."""
    command = click.option(
        "--limit", multiple=True, metavar="HOST", help="Only these hosts of the inventory."
    )(command)
    return click.option(
        "--inventory",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Not here, but on the hosts of a pyinfra inventory, by their agents.",
    )(command)

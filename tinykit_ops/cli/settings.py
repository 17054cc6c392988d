"""`tinykit-ops settings`: what an inventory may say, and whether one says it right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from tinykit_ops.errors import Exit, UsageError
from tinykit_ops.settings import Settings, SettingsError, validate_inventory
from tinykit_ops.settings import explain as explain_module
from tinykit_ops.settings import reference as reference_module
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.validation import as_json, as_text


@click.group
def command() -> None:
    """Explain settings, and check inventories without touching a host."""


@command.command
def schema() -> None:
    """Print a JSON schema of the mapping `tinykit`."""
    click.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))


@command.command
@click.argument("key", default="")
def explain(key: str) -> None:
    """Say what KEY may hold, as backup.schedule; without KEY, list the top of the tree."""
    click.echo(explain_module.explain(key))


@command.command
def reference() -> None:
    """Print the reference page in Markdown (docs/settings.md)."""
    click.echo(reference_module.reference(), nl=False)


@command.command
@click.argument("inventory", type=click.Path(path_type=Path))
@click.option("--secrets", is_flag=True, help="Also read every secret, to see that it is there.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text")
def validate(inventory: Path, secrets: bool, output: Literal["text", "json"]) -> int:
    """Check the settings of every host of INVENTORY. Exit code 64 when any is wrong."""
    try:
        hosts = validate_inventory(inventory, secrets=secrets)
    except SettingsError as error:
        if output == "text":
            raise
        click.echo(as_json([], error.problems))
        return Exit.USAGE
    except UsageError as error:
        if output == "text":
            raise
        click.echo(as_json([], [Problem("", error.what, error.hint, str(inventory))]))
        return Exit.USAGE
    click.echo(as_json(hosts) if output == "json" else as_text(hosts))
    return Exit.OK

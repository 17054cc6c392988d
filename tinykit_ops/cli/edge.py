"""`tinykit-ops edge`: what the reverse proxy lets through."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tinykit_ops.edge import table, table_page
from tinykit_ops.settings import validate_inventory


@click.group
def command() -> None:
    """What the reverse proxy in front of tinykit lets through, to whom."""


@command.command
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
)
@click.option(
    "--inventory",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With the names, addresses and numbers of the hosts of a pyinfra inventory.",
)
def routes(form: str, inventory: Path | None) -> None:
    """Print the route table: who may reach which path, and who answers there.

    The first row that matches a request wins.
    """
    if inventory is None:
        tables = [table.plain_table()]
    else:
        hosts = validate_inventory(inventory)
        tables = [each for host in hosts for each in table.tables_of(host.host, host.settings)]
    if form == "json":
        click.echo(json.dumps(table_page.as_json(tables), indent=2, ensure_ascii=False))
    elif form == "markdown":
        click.echo(table_page.as_markdown(tables), nl=False)
    else:
        click.echo(table_page.as_text(tables))

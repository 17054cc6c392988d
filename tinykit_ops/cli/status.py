"""`tinykit-ops status`: how a host is, or a fleet."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli._fleet import fleet_options
from tinykit_ops.fleet.ask import ask_hosts
from tinykit_ops.report.status import status_json, status_of, status_text
from tinykit_ops.status.look import look
from tinykit_ops.status.model import CODES, worst


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@fleet_options
def command(form: str, inventory: Path | None, limit: tuple[str, ...]) -> int:
    """Tell in one screen how this host is, or every host of an inventory.

    Versions, services, health, certificate, last backup and verified restore, findings of the last
    nightly check, disk, last change. It only reads.

    Exit codes: 0 all fine, 1 something is wrong, 2 nothing wrong was seen, but a host could not be
    asked or something could not be looked at.
    """
    if inventory:
        answers = ask_hosts(inventory, ["status", "--format=json"], limit=limit)
        hosts = [status_of(answer) for answer in answers]
    else:
        hosts = [look(load_agent_config())]
    click.echo(status_json(hosts) if form == "json" else status_text(hosts), nl=False)
    return CODES[worst(host.level for host in hosts)]

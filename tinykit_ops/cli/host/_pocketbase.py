"""`tinykit-ops host pocketbase`, and what its switch does in a unit of its own."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.errors import Exit
from tinykit_ops.upgrade import here
from tinykit_ops.upgrade.journal import Upgrade


@click.command()
@check_option
def pocketbase(check: bool) -> int:
    """Let the PocketBase of the settings serve; where it has data, by a tried upgrade."""
    here.wait_for_switch()
    return run_step(here.step(load_agent_config()), check)


@click.command("pocketbase-switch", hidden=True)
@click.argument("upgrade")
def pocketbase_switch(upgrade: str) -> int:
    """Replace the server, inside the unit that `pocketbase` makes for it."""
    pause = here.switch(load_agent_config()).run(Upgrade.model_validate_json(upgrade))
    click.echo(f"PocketBase was away for {pause * 1000:.0f} ms")
    return Exit.OK


@click.command("pocketbase-settle", hidden=True)
def pocketbase_settle() -> int:
    """Bring an interrupted `pocketbase-switch` to its end."""
    here.switch(load_agent_config()).settle()
    return Exit.OK

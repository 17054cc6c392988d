"""`tinykit-ops host bans`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.host.bans_step import BansStep


@click.command()
@check_option
def bans(check: bool) -> int:
    """Lift bans of addresses that the settings trust."""
    return run_step(BansStep(load_agent_config().settings), check)

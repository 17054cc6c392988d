"""`tinykit-ops host claim`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.host.claim_step import ClaimStep


@click.command()
@check_option
def claim(check: bool) -> int:
    """Close sign-up and tinykit's settings, make the first account, seed the domains."""
    config = load_agent_config()
    return run_step(ClaimStep(config.settings, config.secret), check)

"""`tinykit-ops host secrets | rotation`."""

from __future__ import annotations

import click

from tinykit_ops.agent.config import load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.host.rotation_step import RotationStep
from tinykit_ops.host.secrets_step import SecretsStep


@click.command()
@check_option
def secrets(check: bool) -> int:
    """Make the secrets that the settings did not give, and tinykit's environment file."""
    return run_step(SecretsStep(load_agent_config().settings), check)


@click.command()
@check_option
def rotation(check: bool) -> int:
    """Finish a rotation of secrets that was interrupted."""
    return run_step(RotationStep(load_agent_config(), click.echo), check)

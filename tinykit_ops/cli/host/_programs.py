"""`tinykit-ops host artifact | runtime | verifier`."""

from __future__ import annotations

from pathlib import Path

import click

from tinykit_ops import artifacts, layout
from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.cli.host._common import check_option, run_step
from tinykit_ops.host.artifact_step import ArtifactsStep, ArtifactStep
from tinykit_ops.host.runtime_step import RuntimeStep
from tinykit_ops.host.verifier_step import VerifierStep

HOMES = {
    "node": layout.NODE_HOME,
    "pocketbase": layout.POCKETBASE_HOME,
    "caddy": layout.CADDY_HOME,
}


@click.command()
@click.argument("names", type=click.Choice(list(HOMES)), nargs=-1, required=True)
@check_option
def artifact(names: tuple[str, ...], check: bool) -> int:
    """Install pinned programs and point the `current` link of each at it."""
    config = load_agent_config()
    steps = [
        # PocketBase's link is switched by its own step, with the care that its data needs.
        ArtifactStep(_artifact(name, config), Path(HOMES[name]), switches=name != "pocketbase")
        for name in names
    ]
    return run_step(ArtifactsStep(steps), check)


@click.command()
@click.argument("base_sha256", default="")
@check_option
def runtime(base_sha256: str, check: bool) -> int:
    """Have what the runtime needs, such as images; stop what runs in the other runtime."""
    return run_step(RuntimeStep(load_agent_config().settings, base_sha256), check)


@click.command()
@check_option
def verifier(check: bool) -> int:
    """Install what verifying other hosts' backups needs."""
    return run_step(VerifierStep(), check)


def _artifact(name: str, config: AgentConfig) -> artifacts.Artifact:
    if name != "pocketbase":
        return artifacts.find(name)
    chosen = config.settings.pocketbase
    return artifacts.find(name, chosen.version, chosen.sha256)

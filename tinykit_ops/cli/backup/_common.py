"""What the backup commands share: where the host's things are, and options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tinykit_ops.agent.config import AgentConfig, load_agent_config
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.places import Places

LATEST = "latest"


@dataclass(frozen=True)
class Host:
    """The instance that a command is about."""

    config_file: Path
    places: Places

    def config(self) -> AgentConfig:
        """The agent's configuration. Raises UsageError, AccessError."""
        return load_agent_config(self.config_file)


def names(config: AgentConfig) -> list[str]:
    """All targets of the settings."""
    return [target.name for target in config.settings.backup.targets]


def one(config: AgentConfig, name: str | None) -> str:
    """The target that is meant: the only one, when none is named."""
    known = names(config)
    if name is None and len(known) != 1:
        raise BackupSettingsError(
            f"There are {len(known)} backup targets",
            where="backup.targets",
            hint=f"say which: --target {' | '.join(known)}" if known else "add one",
        )
    return name or known[0]


target_option = click.option(
    "--target", "target", metavar="NAME", help="Which target; the only one."
)
targets_option = click.option(
    "--target", "only", metavar="NAME", multiple=True, help="Only this one."
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
identity_option = click.option(
    "--identity",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Private age key, for encrypted snapshots.",
)
wait_option = click.option(
    "--wait",
    "wait_minutes",
    default=0,
    metavar="MINUTES",
    type=click.IntRange(0, 24 * 60),
    help="Wait so long for another run; not at all when left out.",
)
scheduled_option = click.option(
    "--scheduled", is_flag=True, help="For cron: lines for the journal, nothing on stdout."
)

"""Which secrets a host keeps; never their values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.deploy.host_secrets import secret_name
from tinykit_ops.settings.secrets import secrets_of


@dataclass(frozen=True)
class Kept:
    """One secret.

    Attributes:
        given: by the inventory; else it was made on the host.
        since: when its file was written, ISO 8601, UTC.
    """

    name: str
    given: bool
    since: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def kept_secrets(config: AgentConfig) -> list[Kept]:
    """All of them, by name."""
    given = {secret_name(key) for key, _ in secrets_of(config.settings)}
    return [
        Kept(
            path.name,
            path.name in given,
            f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}",
        )
        for path in sorted(config.secrets_dir.iterdir())
    ]

"""The configuration of this very host, read only by looks that need it.

The models of settings take half of the time of a start, which a look from outside does without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinykit_ops import layout

if TYPE_CHECKING:
    from tinykit_ops.agent.config import AgentConfig


def own_config(path: Path = Path(layout.CONFIG_FILE)) -> AgentConfig:
    """The agent's configuration. Raises what `load_agent_config` raises."""
    from tinykit_ops.agent.config import load_agent_config

    return load_agent_config(path)

"""`install_agent`: tinykit-ops itself, in its own environment on the host."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase
from pyinfra.api.operation import operation
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.deploy import agent_package


class InstalledAgent(FactBase[str]):
    """The build that is installed and starts, or an empty string."""

    def command(self) -> str:
        """The shell line that prints the build's name if its interpreter works."""
        current = shlex.quote(layout.AGENT_VENV)
        return f"{current}/venv/bin/python -c '' 2>/dev/null && readlink {current} || true"

    def process(self, output: list[str]) -> str:
        """The last part of the link."""
        return output[0].rpartition("/")[2] if output else ""


@operation()
def install_agent() -> Generator[StringCommand]:
    """Install this version of tinykit-ops as the host's agent."""
    if host.get_fact(InstalledAgent) == agent_package.build_id():
        host.noop("the agent is this version")
        return
    arguments: Any = {"_stdin": [agent_package.payload()]}
    yield StringCommand("sh", "-c", shlex.quote(agent_package.install_script()), **arguments)

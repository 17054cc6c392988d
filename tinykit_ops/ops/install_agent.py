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
from tinykit_ops.ops.step_states import first_agent

NEVER = "never"  #: no agent is here, and nothing that one would have left

_TRACES = (
    *(layout.AGENT_COMMAND, layout.CONFIG_FILE, f"{layout.POCKETBASE_HOME}/current"),
    *(f"/etc/systemd/system/{unit}" for unit in (layout.POCKETBASE_UNIT, layout.TINYKIT_UNIT)),
)


class InstalledAgent(FactBase[str]):
    """The build that is installed and starts, an empty string, or `NEVER`."""

    def command(self) -> str:
        """The shell line that prints the build's name if its interpreter works."""
        current = shlex.quote(layout.AGENT_VENV)
        traces = shlex.join([layout.AGENT_VENV, *_TRACES])
        build = f"{current}/venv/bin/python -c '' 2>/dev/null && readlink {current} || true"
        return f'if [ -z "$(ls -d {traces} 2>/dev/null)" ]; then echo {NEVER}; else {build}; fi'

    def process(self, output: list[str]) -> str:
        """The last part of the link."""
        return output[0].rpartition("/")[2] if output else ""


@operation()
def install_agent() -> Generator[StringCommand]:
    """Install this version of tinykit-ops as the host's agent."""
    installed = host.get_fact(InstalledAgent)
    if installed == agent_package.build_id():
        host.noop("the agent is this version")
        return
    if installed == NEVER and host.state.is_executing:
        first_agent(host)
    arguments: Any = {"_stdin": [agent_package.payload()]}
    yield StringCommand("sh", "-c", shlex.quote(agent_package.install_script()), **arguments)

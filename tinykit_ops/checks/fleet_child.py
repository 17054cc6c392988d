"""The process in which pyinfra asks the agents; see `fleet`.

It reads `{"inventory", "limit", "words"}` from standard input and prints `{"hosts": […]}` or
`{"error": text}`, both JSON. Without words for the agents it connects to nobody.
"""

# ruff: noqa: E402 - gevent's replacements must come before everything that they replace
from gevent import monkey  # type: ignore[import-untyped]

monkey.patch_all()

import json
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory_from_files  # type: ignore[import-untyped]

from tinykit_ops import __version__, layout
from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.settings import Settings, validate_inventory

AGENT_TIMEOUT = 180  #: seconds for one host's agent


def main() -> None:
    """Answer one request."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # pyinfra talks; only the answer belongs on standard output
    request = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = {"hosts": _ask(request)}
    except TinykitOpsError as error:
        answer = {"error": str(error)}
    with out:
        json.dump(answer, out)


def _ask(request: dict[str, Any]) -> list[dict[str, Any]]:
    path, words = Path(request["inventory"]), request["words"]
    settings = {each.host: each.settings for each in validate_inventory(path)}
    wanted = _limited(settings, request["limit"])
    said = _ask_hosts(path, wanted, words) if words else {}
    nothing = {"out": None, "err": "", "problem": ""}
    return [
        {
            "host": name,
            "settings": json.loads(agent_config(settings[name])),
            **said.get(name, nothing),
        }
        for name in settings
        if name in wanted
    ]


def _ask_hosts(path: Path, wanted: set[str], words: list[str]) -> dict[str, dict[str, str]]:
    hosts = [host for host in _connectable(path) if host.name in wanted]
    command = agent_command(words)
    greenlets = {host.name: gevent.spawn(_ask_host, host, command) for host in hosts}
    gevent.joinall(greenlets.values())
    return {name: greenlet.get() for name, greenlet in greenlets.items()}


def _limited(settings: dict[str, Settings], limit: list[str]) -> set[str]:
    if strange := sorted(set(limit) - set(settings)):
        raise UsageError(
            f"The inventory has no host {', '.join(strange)}",
            hint=f"it has {', '.join(sorted(settings))}",
        )
    return set(limit or settings)


def _connectable(path: Path) -> Inventory:
    """The inventory, with its hosts ready to connect."""
    state = State()
    with ctx_state.use(state):  # pyinfra notes there which file it executes
        inventory: Inventory = make_inventory_from_files(str(path), cwd=str(Path.cwd()))
        state.init(inventory, Config())  # type: ignore[no-untyped-call]
    return inventory


def agent_command(words: Iterable[str]) -> str:
    """The shell command that runs a host's checks there, as root or by sudo."""
    command = shlex.join(
        [
            layout.AGENT_COMMAND,
            "check",
            "--host",
            "--format=json",
            f"--expect-version={__version__}",
            *words,
        ]
    )
    return f'if [ "$(id -u)" = 0 ]; then {command}; else sudo -n {command}; fi'


def _ask_host(host: Host, command: str) -> dict[str, str]:
    nothing = {"out": "", "err": "", "problem": ""}
    try:
        host.connect(show_errors=False, raise_exceptions=True)
        _, output = host.run_shell_command(StringCommand(command), _timeout=AGENT_TIMEOUT)
    except ConnectError as error:
        return {**nothing, "problem": f"no connection to {host.name}: {error}"}
    except Exception as error:  # whatever a connector raises is about this host only
        return {**nothing, "problem": f"{host.name}: {type(error).__name__}: {error}"}
    return {**nothing, "out": output.stdout, "err": output.stderr}


if __name__ == "__main__":
    main()

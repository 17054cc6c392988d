"""The process in which pyinfra asks the agents; see `ask`.

It reads `{"inventory", "limit", "words", "stdin", "seconds", "follow"}` from standard input and
prints `{"hosts": […]}` or `{"error": text}`, both JSON. Without words for the agents it connects to
nobody.
"""

# ruff: noqa: E402 - gevent's replacements must come before everything that they replace
from gevent import monkey  # type: ignore[import-untyped]

monkey.patch_all()

import json
import os
import sys
from pathlib import Path
from typing import Any

import gevent
from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.output import set_echo
from pyinfra.api.state import State
from pyinfra.context import ctx_state
from pyinfra_cli.inventory import make_inventory_from_files  # type: ignore[import-untyped]

from tinykit_ops.deploy.agent_config import agent_config
from tinykit_ops.errors import TinykitOpsError, UsageError
from tinykit_ops.fleet.command import EXIT_MARK, agent_command
from tinykit_ops.settings import Settings, validate_inventory

NOTHING: dict[str, Any] = {"out": None, "err": "", "code": None, "problem": ""}


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
    path = Path(request["inventory"])
    settings = {each.host: each.settings for each in validate_inventory(path)}
    wanted = _limited(settings, request["limit"])
    said = _ask_hosts(path, wanted, request) if request["words"] else {}
    return [
        {
            "host": name,
            "settings": json.loads(agent_config(settings[name])),
            **said.get(name, NOTHING),
        }
        for name in settings
        if name in wanted
    ]


def _ask_hosts(path: Path, wanted: set[str], request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    hosts = [host for host in _connectable(path) if host.name in wanted]
    greenlets = {host.name: gevent.spawn(_ask_host, host, request) for host in hosts}
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


def _ask_host(host: Host, request: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {"_timeout": request["seconds"]}
    if request["stdin"]:
        arguments["_stdin"] = request["stdin"]
    command = StringCommand(agent_command(request["words"]))
    follow = request["follow"]
    if follow:
        set_echo(lambda text, **_: print(_without_mark(text), end="", file=sys.stderr, flush=True))
    try:
        host.connect(show_errors=False, raise_exceptions=True)
        _, output = host.run_shell_command(command, print_output=follow, **arguments)
    except ConnectError as error:
        return {**NOTHING, "problem": f"no connection to {host.name}: {error}"}
    except Exception as error:  # whatever a connector raises is about this host only
        return {**NOTHING, "problem": f"{host.name}: {type(error).__name__}: {error}"}
    err, _, code = output.stderr.rpartition(EXIT_MARK)
    if not code.strip().isdecimal():
        return {**NOTHING, "problem": f"{host.name}: the connection broke"}
    return {**NOTHING, "out": output.stdout, "err": err, "code": int(code)}


def _without_mark(line: str) -> str:
    return "" if EXIT_MARK in line else f"{line}\n"


if __name__ == "__main__":
    main()

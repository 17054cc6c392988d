"""Host checks on every host of an inventory: its agent runs them, pyinfra's connectors carry.

pyinfra replaces parts of Python's standard library while it is imported, so it runs in a process
of its own (`python -m tinykit_ops.checks.fleet`), which prints what the agents said as JSON.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinykit_ops import __version__, layout
from tinykit_ops.checks.runner import InstanceReport
from tinykit_ops.errors import TinykitOpsError, UnavailableError, UsageError
from tinykit_ops.report import json_format
from tinykit_ops.settings.model import Settings

if TYPE_CHECKING:
    from pyinfra.api.host import Host

AGENT_TIMEOUT = 180  #: seconds for one host's agent


@dataclass(frozen=True)
class HostLook:
    """What came from one host of an inventory.

    Attributes:
        host: its name in the inventory.
        settings: as the inventory says.
        report: what its agent saw; None when it could not be asked.
        problem: why it could not.
    """

    host: str
    settings: Settings
    report: InstanceReport | None
    problem: str = ""


def look_at_hosts(
    inventory: Path, *, limit: Iterable[str] = (), words: Iterable[str] = ()
) -> list[HostLook]:
    """Let the agents of an inventory run their host checks, all at once.

    Args:
        inventory: a pyinfra inventory file.
        limit: names of hosts; none means all.
        words: more words for the agents' command line, such as `--only ID`.

    Raises:
        UsageError: the inventory is wrong, or has no such host.
        UnavailableError: pyinfra could not be run.
    """
    request = {"inventory": str(inventory), "limit": list(limit), "words": list(words)}
    done = subprocess.run(
        [sys.executable, "-m", "tinykit_ops.checks.fleet"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise UnavailableError(
            "The hosts of the inventory could not be asked",
            where=str(inventory),
            hint=f"pyinfra said: {last[:300]}",
        ) from None
    if "error" in answer:
        raise UsageError(
            answer["error"]["what"],
            where=answer["error"]["where"] or str(inventory),
            hint=answer["error"]["hint"],
        )
    return [_read(each) for each in answer["hosts"]]


def _read(answer: dict[str, Any]) -> HostLook:
    settings = Settings.model_validate(answer["settings"])
    name = str(answer["host"])
    if answer["problem"]:
        return HostLook(name, settings, None, str(answer["problem"]))
    try:
        report = json_format.parse(answer["out"], name)
    except TinykitOpsError:
        said = (answer["err"] or answer["out"]).strip().splitlines() or ["nothing"]
        return HostLook(name, settings, None, f"the agent on {name} said: {said[0][:200]}")
    if len(report.instances) != 1:
        return HostLook(name, settings, None, f"the agent on {name} reported no instance")
    return HostLook(name, settings, report.instances[0])


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


def _child() -> None:
    """Read a request from standard input, ask the hosts, and print what they said."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # pyinfra talks; only the answer belongs on standard output
    request = json.load(sys.stdin)
    try:
        answer: dict[str, Any] = {"hosts": _ask(request)}
    except TinykitOpsError as error:
        answer = {"error": {"what": error.what, "where": error.where, "hint": error.hint}}
    with out:
        json.dump(answer, out)


def _ask(request: dict[str, Any]) -> list[dict[str, Any]]:
    import gevent  # type: ignore[import-untyped]
    from pyinfra.api.config import Config
    from pyinfra.api.state import State
    from pyinfra_cli.inventory import (  # type: ignore[import-untyped]
        make_inventory_from_files,
    )

    from tinykit_ops.deploy.agent_config import agent_config
    from tinykit_ops.settings import validate_inventory

    path = Path(request["inventory"])
    settings = {each.host: each.settings for each in validate_inventory(path)}
    wanted = request["limit"] or list(settings)
    if strange := sorted(set(wanted) - set(settings)):
        raise UsageError(
            f"The inventory has no host {', '.join(strange)}",
            hint=f"it has {', '.join(sorted(settings))}",
        )
    inventory = make_inventory_from_files(str(path), cwd=str(Path.cwd()))
    State(inventory, Config())  # type: ignore[no-untyped-call]
    hosts = [host for host in inventory if host.name in wanted]
    command = agent_command(request["words"])
    greenlets = [gevent.spawn(_ask_host, host, command) for host in hosts]
    gevent.joinall(greenlets)
    return [
        {
            "host": host.name,
            "settings": json.loads(agent_config(settings[host.name])),
            **greenlet.get(),
        }
        for host, greenlet in zip(hosts, greenlets, strict=True)
    ]


def _ask_host(host: Host, command: str) -> dict[str, str]:
    from pyinfra.api.command import StringCommand
    from pyinfra.api.exceptions import ConnectError

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
    _child()

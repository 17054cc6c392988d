"""Let a plain shell script run on a host that has no agent yet, over pyinfra's connectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinykit_ops.errors import UnavailableError
from tinykit_ops.fleet.apart import ask_apart

SECONDS = 180


def run_script(host: str, data: Mapping[str, Any], script: str, *, seconds: int = SECONDS) -> str:
    """Run a script as the user of the login, or as root with `_sudo`. Returns what it printed.

    Args:
        host: as pyinfra names it: an address, or a connector such as `@local`.
        data: pyinfra's data of it: `ssh_user`, `ssh_key`, `_sudo`, …

    Raises:
        UnavailableError: no connection, or the script failed.
    """
    request = {"host": host, "data": dict(data), "script": script, "seconds": seconds}
    answer = ask_apart("shell_child", request)
    if problem := answer.get("problem"):
        raise UnavailableError(problem, where=host, hint="is it up, and does SSH to it work?")
    return str(answer["out"])

"""The shell command that lets an agent do something."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tinykit_ops import layout
from tinykit_ops.deploy.holder import who
from tinykit_ops.host.caller import WHO

EXIT_MARK = "tinykit-ops-exit="


def agent_command(words: Sequence[str]) -> str:
    """As root, or by sudo; the agent is told who asks.

    Its last line of errors is its exit code, which pyinfra does not tell.
    """
    command = shlex.join(["env", f"{WHO}={who()}", layout.AGENT_COMMAND, *words])
    as_root = f'if [ "$(id -u)" = 0 ]; then {command}; else sudo -n {command}; fi'
    return f"{as_root}; code=$?; echo {EXIT_MARK}$code >&2"

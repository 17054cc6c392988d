"""The program that holds a host for a run: what it is, what it is told, what it answers."""

from __future__ import annotations

import json
import shlex
import socket
import sys
from collections.abc import Sequence

from tinykit_ops import __version__, layout
from tinykit_ops.deploy.templates import render
from tinykit_ops.errors import BusyError
from tinykit_ops.host.caller import user
from tinykit_ops.host.run_lock import busy
from tinykit_ops.ops.host_facts import SshConnection

HELD = "held"
STOPPED = "stopped"  #: printed when the holder was told to end, by `tinykit-ops lock release`
WAIT_SECONDS = 10  #: for a controller that was just killed
BEAT_SECONDS = 15  #: between two signs of life
PATIENCE_SECONDS = 90  #: without one, until the host takes the lock away


def who() -> str:
    """The person on this machine, as user@machine."""
    return f"{user()}@{socket.gethostname()}"


def about(words: Sequence[str] = tuple(sys.argv)) -> dict[str, str]:
    """Who runs what, for the other controller and for the audit log.

    Args:
        words: of the `pyinfra` command; its inventory comes first, then the deploys.
    """
    deploys = [word for word in words[1:] if word.endswith(".py")][1:]
    return {"who": who(), "what": " ".join(["pyinfra", *deploys]), "version": __version__}


def hold_command(run: str, told: dict[str, str], patience: int) -> str:
    """The shell line that holds the host while its standard input brings lines."""
    script = render(
        "agent/hold.sh.j2",
        wait=WAIT_SECONDS,
        stopped=STOPPED,
        connection=SshConnection().command().rstrip(),
    )
    inside = json.dumps(told)[1:-1]
    return shlex.join(["bash", "-c", script, "hold", run, inside, str(patience)])


def answer_command(run: str) -> str:
    """The shell line that waits for what the holder says, at most a few seconds."""
    file = f"{layout.RUN_LOCK}.{run}"
    tenths = (WAIT_SECONDS + 15) * 10
    return (
        f"n=0; while [ ! -e {file} ] && [ $n -lt {tenths} ]; do sleep 0.1; n=$((n+1)); done; "
        f"cat {file} && rm -f {file}"
    )


def ending(result: str, changed: int, failed: str = "") -> str:
    """The last line for the holder."""
    fields: dict[str, object] = {"result": result, "changed": changed}
    if failed:
        fields["failed"] = failed
    return f"end {json.dumps(fields)[1:-1]}"


def taken_away(host: str) -> BusyError:
    """Why a run ends whose lock somebody released."""
    return BusyError(
        "somebody took this host away from this run",
        where=host,
        hint="`tinykit-ops audit` on the host tells what happened; run again when it is free",
    )


def problem_in(answer: str, host: str) -> BusyError | None:
    """Why the host is not ours, or None when it is."""
    if answer.strip() == HELD:
        return None
    if answer.startswith("busy"):
        return busy(answer.removeprefix("busy").strip(), where=host)
    return BusyError(
        "the host did not say whether anybody else is changing it",
        where=host,
        hint="run again; `tinykit-ops lock show` on the host tells who holds it",
    )

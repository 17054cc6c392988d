"""New firewall rules that cannot shut anybody out: tried, then confirmed over a new connection."""

from __future__ import annotations

import logging
import secrets
import shlex
import time
from collections.abc import Generator, Sequence
from typing import Any

import gevent  # type: ignore[import-untyped]
from paramiko import SSHException
from pyinfra import logger
from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.operation import OperationMeta, operation
from pyinfra.api.state import State
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import host

from tinykit_ops import layout
from tinykit_ops.ops.connector import connector_arguments
from tinykit_ops.ops.step_states import is_done

#: How long the host may take to answer a short question, in seconds.
ANSWER_SECONDS = 15
#: How long the controller tries to log in anew before it takes the rules back itself: at most
#: these seconds, and half of the time to confirm.
TRY_SECONDS = 20


class FirewallFacts(FactBase[dict[str, str]]):
    """`other` (an active firewall that is not ours: ufw, firewalld), `ipv6` (a global address)."""

    def command(self) -> str:
        """The shell script that prints NAME=VALUE lines."""
        return """\
if systemctl is-active --quiet firewalld 2>/dev/null; then echo other=firewalld
elif grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && [ -e /usr/sbin/ufw ]; then echo other=ufw; fi
echo "ipv6=$(ip -6 -o addr show scope global 2>/dev/null | awk '{print $4; exit}')" """

    def process(self, output: list[str]) -> dict[str, str]:
        """The lines as a dictionary."""
        return dict(line.split("=", 1) for line in output if "=" in line)


@operation()
def new_rules(confirm_seconds: int, after: Sequence[OperationMeta] = ()) -> Generator[Any]:
    """Apply `layout.FIREWALL_CANDIDATE`, and keep it when a new login to the host succeeds.

    Args:
        confirm_seconds: after that time the host itself goes back to the rules before.
        after: operations of this run that write the candidate, so that `--dry` tells the truth.
    """
    done = is_done(host, ["firewall-apply"], "work")
    if done and not any(not op.is_complete() and op.will_change for op in after):
        host.noop("these rules are confirmed")
        return
    yield FunctionCommand(apply_and_confirm, (confirm_seconds,), {})


def apply_and_confirm(state: State, host: Host, confirm_seconds: int) -> bool:
    """Put the rules on trial, prove that a new login works, and keep them; else go back.

    Returns:
        False when the rules before are in force again; pyinfra then fails on this host.
    """
    token = secrets.token_hex(8)
    started = time.monotonic()
    ok, said = _agent(host, host.connector, ["firewall-apply", token], confirm_seconds + 120)
    if not ok:
        _tell(host, f"the new firewall rules were not applied: {said}")
        return False
    if "unchanged" in said.splitlines():
        return True
    if isinstance(host.connector, SSHConnector):
        problem = _confirm_by_new_connection(state, host, token, started, confirm_seconds)
    else:
        problem = _wait_for_a_login(host, token, confirm_seconds)
    if not problem:
        return True
    _tell(host, f"the new firewall rules were not confirmed: {problem}")
    back, said = _agent(host, host.connector, ["firewall-rollback"], ANSWER_SECONDS)
    left = max(0, confirm_seconds - (time.monotonic() - started))
    _tell(host, said if back else f"the host goes back to the old ones by itself in {left:.0f} s")
    return False


def _confirm_by_new_connection(
    state: State, host: Host, token: str, started: float, confirm_seconds: int
) -> str:
    """Log in anew, as pyinfra did at first (bastions and keys included). Returns what failed."""
    problem = ""
    # paramiko prints a traceback of its own for a login that fails, and this one may.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    until = started + min(TRY_SECONDS, confirm_seconds / 2)
    while True:
        connector = type(host.connector)(state, host)
        try:
            patience = max(3, until - time.monotonic())
            with gevent.Timeout(patience, TimeoutError("no answer")):
                connector.connect()
            ok, problem = _agent(host, connector, ["firewall-confirm", token], ANSWER_SECONDS)
            if ok:
                return ""
        except (ConnectError, OSError, SSHException, EOFError) as error:
            problem = f"a new login failed: {error}"
        finally:
            client = getattr(connector, "client", None)
            if client is not None:
                client.close()
        if time.monotonic() > until:
            return problem
        time.sleep(1)


def _wait_for_a_login(host: Host, token: str, confirm_seconds: int) -> str:
    """Wait for a person, because a run on the host itself cannot come from outside."""
    logger.warning(
        f"{host.print_prefix}new firewall rules are in force for {confirm_seconds} s. To keep "
        "them, log in to this host by SSH anew, from where you usually do, and run as root: "
        "tinykit-ops host firewall-confirm"
    )
    words = ["firewall-wait", token]
    ok, _ = _agent(host, host.connector, words, confirm_seconds + 60)
    return "" if ok else f"nobody logged in by SSH and confirmed them in {confirm_seconds} s"


def _agent(host: Host, connector: Any, words: Sequence[str], seconds: float) -> tuple[bool, str]:
    """Run `tinykit-ops host …` over a connector. Returns success, and all that it said."""
    line = shlex.join([layout.AGENT_COMMAND, "host", *words])
    arguments = {**connector_arguments(host), "_timeout": int(seconds)}
    try:
        ok, output = connector.run_shell_command(StringCommand(line), **arguments)
    except (TimeoutError, gevent.Timeout, OSError, SSHException, EOFError) as error:
        return False, f"the connection broke ({error})"
    return ok, "\n".join(row.line for row in output)


def _tell(host: Host, text: str) -> None:
    for line in text.splitlines():
        logger.error(f"{host.print_prefix}{line}")

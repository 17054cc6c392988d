"""A host that goes away in the middle of a run fails by itself; the others go on.

pyinfra waits for an answer as long as the connection looks alive, and for a host without power it
does so for ever: nothing is sent, so nothing is missed. And it takes one of paramiko's words for a
broken connection (EOFError) for a fault of its own, which ends the run for all hosts.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import wraps
from typing import Any

from paramiko import SSHException
from pyinfra.api.host import Host

KEEPALIVE_SECONDS = 15
SILENT_SECONDS = 60  #: without one acknowledged packet; an overloaded host's kernel still answers
BROKEN = "the connection broke; the host may be down"


def notice_when_lost(host: Host) -> None:
    """Let a connection that has gone silent end, as an error of this host."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    if transport is not None:
        transport.set_keepalive(KEEPALIVE_SECONDS)
        _give_up(transport.sock)
    host.run_shell_command = _survived(host.run_shell_command)  # type: ignore[method-assign]
    host.put_file = _survived(host.put_file)  # type: ignore[method-assign]


def is_lost(host: Host) -> bool:
    """Whether its connection was there, and broke."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client else None
    return transport is not None and not transport.is_active()


def _give_up(connection: Any) -> None:
    if hasattr(connection, "setsockopt"):  # not through another program, as a jump host
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_SECONDS * 1000)


def _survived(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def survived(*arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except EOFError:
            raise SSHException(BROKEN) from None

    return survived

"""Opening connections from a host that can be reached by SSH: the second vantage of `--from`.

Each connection is a forwarded one (`direct-tcpip`, RFC 4254 section 7.2), so nothing runs there but
sshd, and the far end sees that host's address. The SSH client is pyinfra's, so ~/.ssh/config,
agents, jump hosts and known_hosts count as they do for deploys.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tinykit_ops.checks.dial import Dialer, Namespace
from tinykit_ops.checks.model import CannotLook
from tinykit_ops.errors import UnavailableError, UsageError

_PROHIBITED = 1  #: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED
_CONNECT_FAILED = 2  #: SSH_OPEN_CONNECT_FAILED
_PIECE = 65536
_GONE = (OSError, EOFError)  #: what paramiko raises when the login is over already


@dataclass(frozen=True)
class Login:
    """Where to log in. `user` and `port` are empty and 0 where ~/.ssh/config is to say."""

    host: str
    user: str = ""
    port: int = 0

    @property
    def name(self) -> str:
        """As it was typed."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{name}" * bool(self.user) or name


def parse_login(text: str) -> Login:
    """Read `[USER@]HOST[:PORT]`. Raises UsageError."""
    try:
        parts = urlsplit(f"ssh://{text}")
        spaces = any(each.isspace() for each in text)
        if parts.hostname and not (spaces or parts.path or parts.query or parts.password):
            return Login(parts.hostname, parts.username or "", parts.port or 0)
    except ValueError:
        pass
    raise UsageError(
        "--from wants an SSH host", where=text, hint="e.g. --from ops@monitor.example.com"
    )


class SshHost:
    """A host that a person can log in to without being asked anything.

    Args:
        login: where to.
        timeout: seconds for logging in.

    Raises:
        UsageError: this installation has no SSH client (an agent has none).
        UnavailableError: nobody can log in.
    """

    def __init__(self, login: Login, timeout: float) -> None:
        self.name = login.name
        self._client = _log_in(login, timeout)
        self._transport: Any = self._client.get_transport()
        self._peer = str(self._transport.getpeername()[0])

    def close(self) -> None:
        """Log out; open connections end."""
        self._client.close()

    def is_own(self, address: str) -> bool:
        """Is this the address that the SSH host itself was reached by?"""
        return address == self._peer

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        """See `Dialer`. Which of "refused" and "no way there" it was, SSH does not tell apart.

        Raises:
            CannotLook: the SSH host forwards nothing.
        """
        import paramiko

        try:
            channel = self._transport.open_channel(
                "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout
            )
        except paramiko.ChannelException as error:
            if error.code == _PROHIBITED:
                why = f"{self.name} forwards no connections (sshd's AllowTcpForwarding)"
                raise CannotLook(why) from None
            number = errno.ECONNREFUSED if error.code == _CONNECT_FAILED else errno.EIO
            raise OSError(number, os.strerror(number)) from None
        except (paramiko.SSHException, EOFError) as error:
            if self._transport.is_active():  # it waited in vain
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
            raise OSError(errno.ECONNABORTED, f"SSH to {self.name} broke: {error}") from None
        ours, theirs = socket.socketpair()
        ours.settimeout(timeout)
        for carry in (_upstream, _downstream):
            threading.Thread(target=carry, args=(channel, theirs), daemon=True).start()
        return ours


def _upstream(channel: Any, inner: socket.socket) -> None:
    """Carry what is sent. Nobody here closes one direction alone: the end of it is the end."""
    with inner, suppress(*_GONE):
        while piece := inner.recv(_PIECE):
            channel.sendall(piece)
    with suppress(*_GONE):
        channel.close()


def _downstream(channel: Any, inner: socket.socket) -> None:
    """Carry what is answered, and its end."""
    with suppress(*_GONE):
        while piece := channel.recv(_PIECE):
            inner.sendall(piece)
        inner.shutdown(socket.SHUT_WR)


def _log_in(login: Login, timeout: float) -> Any:
    try:
        import paramiko
        from pyinfra.connectors.sshuserclient.client import SSHClient
    except ImportError:
        raise UsageError(
            "Nobody can look by SSH from here: pyinfra is not installed",
            hint="run it on the controller; a host's agent has no SSH client",
        ) from None
    for name in ("pyinfra", "paramiko"):  # what they log is no report; failures are told below
        logging.getLogger(name).addHandler(logging.NullHandler())
    client: Any = SSHClient()
    chosen: dict[str, Any] = {}
    if login.user:
        chosen["username"] = login.user
    if login.port:
        chosen["port"] = login.port
    try:
        client.connect(
            login.host,
            _pyinfra_ssh_strict_host_key_checking="yes",
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            **chosen,
        )
    except (paramiko.SSHException, OSError, EOFError) as error:
        client.close()
        raise UnavailableError(
            "The SSH host to look from cannot be used",
            where=f"{login.name} ({error or type(error).__name__})",
            hint=f"`ssh {login.name} true` must work without a question",
        ) from None
    return client


@contextmanager
def elsewhere(namespace: str, ssh: str, timeout: float) -> Iterator[Dialer | None]:
    """A second place to look from while the block lasts, or None when none was named.

    Args:
        namespace: name of a network namespace of this machine.
        ssh: `[USER@]HOST[:PORT]`.
        timeout: seconds for logging in.

    Raises:
        UsageError, UnavailableError: it cannot be used.
    """
    if namespace and ssh:
        raise UsageError("--from and --from-netns exclude each other", hint="give one of them")
    if not ssh:
        yield Namespace(namespace) if namespace else None
        return
    host = SshHost(parse_login(ssh), timeout)
    try:
        yield host
    finally:
        host.close()

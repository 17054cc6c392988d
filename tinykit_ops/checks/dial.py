"""Opening connections: from here, or from another network namespace of this machine.

A `Dialer` is a vantage of the network; `ssh_dial` has one more. Nothing else knows where a socket
comes from.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

from tinykit_ops.errors import UsageError

_CLONE_NEWNET = 0x40000000
NAMESPACES = Path("/run/netns")


class Dialer(Protocol):
    """A place from which connections are opened."""

    @property
    def name(self) -> str:
        """How evidence calls this place, e.g. `this machine`."""

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        """A TCP connection.

        Args:
            address: IPv4 or IPv6.
            timeout: seconds, also for what is done with the socket later.

        Raises:
            TimeoutError: nothing answered.
            OSError: it was refused, or there is no way there.
        """

    def is_own(self, address: str) -> bool:
        """Would a connection to this address never leave the machine that it is opened on?"""


class Sockets(ABC):
    """A vantage whose sockets the kernel of this machine makes."""

    @abstractmethod
    def open(self, address: str, kind: socket.SocketKind) -> socket.socket:
        """A new, unconnected socket of the family of `address`. Raises OSError."""

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        """See `Dialer`."""
        connection = self.open(address, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect((address, port))
        except BaseException:
            connection.close()
            raise
        return connection

    def is_own(self, address: str) -> bool:
        """See `Dialer`."""
        try:
            with self.open(address, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))  # sends nothing; only asks for the route
                return str(probe.getsockname()[0]) == address
        except OSError:
            return False


class Here(Sockets):
    """This machine."""

    name = "this machine"

    def open(self, address: str, kind: socket.SocketKind) -> socket.socket:
        """A socket of this process."""
        return socket.socket(_family(address), kind)


class Namespace(Sockets):
    """Another network namespace of this machine, by its name under /run/netns.

    A socket belongs to the namespace of the thread that made it, for ever; so a thread enters
    the namespace, makes the socket and ends, and the rest of the process stays where it is.

    Raises:
        UsageError: there is no such namespace, or it may not be entered.
    """

    def __init__(self, namespace: str) -> None:
        self.name = f"network namespace {namespace}"
        self._path = NAMESPACES / namespace
        if "/" in namespace or not self._path.exists():
            raise UsageError(
                f"There is no network namespace {namespace!r}", hint="`ip netns list` shows them."
            )
        try:
            self.open("127.0.0.1", socket.SOCK_DGRAM).close()
        except PermissionError:
            raise UsageError(
                "Only root may look from another network namespace", where=namespace
            ) from None

    def open(self, address: str, kind: socket.SocketKind) -> socket.socket:
        """A socket of that namespace."""
        made: list[socket.socket] = []
        errors: list[OSError] = []

        def make() -> None:
            try:
                self._enter()
                made.append(socket.socket(_family(address), kind))
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return made[0]

    def _enter(self) -> None:
        descriptor = os.open(self._path, os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        finally:
            os.close(descriptor)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET

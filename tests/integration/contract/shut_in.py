"""A browser in the network namespace of an instance, where nothing ever changes.

Chromium drops requests (net::ERR_NETWORK_CHANGED) when an address comes or goes in the network that
it is in; on this machine, that is what the labs of other workers do all the time.
"""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def chromium_inside(namespace: int, folder: Path) -> Path:
    """A program that runs Chromium in the network namespace of a process."""
    program = folder / "chromium-inside"
    enter = f"nsenter --net=/proc/{namespace}/ns/net"
    program.write_text(f'#!/bin/sh\nexec {enter} {CHROMIUM} "$@"\n')
    program.chmod(0o755)
    return program


@contextmanager
def reachable_inside(namespace: int, port: int) -> Iterator[None]:
    """Who asks for this port of loopback in there gets the one of this machine."""
    with ThreadPoolExecutor(1) as pool:  # the namespace is the thread's, which ends here
        listener = pool.submit(_listener, namespace, port).result()
    threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _listener(namespace: int, port: int) -> socket.socket:
    descriptor = os.open(f"/proc/{namespace}/ns/net", os.O_RDONLY)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(descriptor)
    return socket.create_server(("127.0.0.1", port), backlog=128)


def _accept(listener: socket.socket, port: int) -> None:
    with suppress(OSError):  # it was closed
        while True:
            inner, _ = listener.accept()
            outer = socket.create_connection(("127.0.0.1", port))
            for source, target in ((inner, outer), (outer, inner)):
                threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one of the two hung up
        while part := source.recv(65536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

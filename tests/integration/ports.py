"""Free ports of loopback for programs that are started later: nobody gets the same one twice.

A port that is bound, looked at and let go may be handed to somebody else before the program takes
it: to another worker of pytest, or to the next question of this very one. So these lie below those
that the kernel hands out by itself, and a byte of one file is locked for each until this process
ends.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_FIRST, _LAST = 20_000, 31_999
_given: set[int] = set()  #: a lock keeps away other processes, not this one
_locks = (Path(tempfile.gettempdir()) / f"tinykit-ops-ports-{os.getuid()}").open("ab")
_next = random.randint(_FIRST, _LAST)


def free_port() -> int:
    """A port that nobody uses, and that nobody else is given as long as this process lives."""
    global _next
    for _ in range(_FIRST, _LAST + 1):
        port, _next = _next, _next + 1 if _next < _LAST else _FIRST
        if port not in _given and _is_locked(port) and _is_unused(port):
            _given.add(port)
            return port
    raise AssertionError("no port is left")


def _is_locked(port: int) -> bool:
    try:
        fcntl.lockf(_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _is_unused(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

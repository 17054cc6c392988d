"""Waiting for what a test is about: bounded, and long enough for a machine that is busy."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any, TypeVar

PATIENCE = 120.0  #: seconds, at most, for what takes a moment when nothing else runs

T = TypeVar("T")


def until(come: Callable[[], T], what: str, *, seconds: float = PATIENCE, pause: float = 0.05) -> T:
    """Ask until the answer is true, and return it.

    Raises:
        AssertionError: `what` did not come in time. It is asked for once more after that, so that
            a machine that stood still in between costs nothing.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() >= deadline
        if answer := come():
            return answer
        assert not is_last, f"{what} did not come within {seconds:g} seconds"
        time.sleep(pause)


def until_it_listens(port: int, process: subprocess.Popen[Any], said: Callable[[], str]) -> None:
    """Wait until a program accepts connections on a port of loopback.

    Args:
        said: what it has printed, for the message.

    Raises:
        AssertionError: it ended, or does not listen in time.
    """

    def listens() -> bool:
        assert process.poll() is None, f"{process.args} ended: {said()[-2000:]}"
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            return False
        return True

    until(listens, f"port {port} of {process.args}")

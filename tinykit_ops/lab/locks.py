"""Locks on folders: they need no file of their own and go away with the process."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tinykit_ops.errors import BusyError


@contextmanager
def locked(folder: Path, *, wait_seconds: float = 0) -> Iterator[None]:
    """Hold `folder` (made if need be, 0700) for one process.

    Raises: BusyError when somebody else still holds it after `wait_seconds`.
    """
    deadline = time.monotonic() + wait_seconds
    while (descriptor := _try_lock(folder)) is None:
        if time.monotonic() >= deadline:
            raise BusyError(
                "Another tinykit-ops is working on this lab.",
                where=str(folder),
                hint="Wait until it has finished, then try again.",
            )
        time.sleep(0.1)
    try:
        yield
    finally:
        # By name, not by closing alone: a process forked meanwhile may still have it open.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _try_lock(folder: Path) -> int | None:
    """Returns an open descriptor that holds the lock, or None when somebody else has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileNotFoundError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have removed the folder: then this lock guards nothing.
            if os.fstat(descriptor).st_ino == folder.stat().st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
    return None

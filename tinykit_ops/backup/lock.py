"""One backup at a time on a host."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tinykit_ops.backup.errors import BackupBusyError
from tinykit_ops.errors import AccessError

POLL_SECONDS = 1.0


@contextmanager
def only_one(
    path: Path,
    *,
    wait_seconds: float = 0.0,
    on_wait: Callable[[str], None] | None = None,
    what: str = "A backup",
) -> Iterator[None]:
    """Hold the lock while the block runs.

    No lock can be stale: it is the kernel's `flock`, bound to the open file of its holder, and the
    kernel closes that when the holder ends, however it ends (SIGKILL, power cut: `/run` is empty
    after it). Nothing ever has to be judged too old or cleared away. A holder that hangs is still
    at work as far as anybody can tell; its number and start are told, so that a person can look.
    What the file says is only for that message.

    Args:
        wait_seconds: how long to wait for another holder.
        on_wait: told once, who holds it.
        what: the holder is at, for the message.

    Raises:
        BackupBusyError: another process holds it, still.
        AccessError: this user may not.
    """
    with _opened(path) as file:
        _take(file, path, wait_seconds, on_wait, what)
        file.seek(0)
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n")
        file.flush()
        yield
        file.truncate(0)


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except PermissionError:
        raise AccessError(
            "The backup lock cannot be taken by this user",
            where=str(path),
            hint="run this as root",
        ) from None


def _take(
    file: TextIO,
    path: Path,
    wait_seconds: float,
    on_wait: Callable[[str], None] | None,
    what: str,
) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = _holder(file)
        if time.monotonic() >= deadline:
            raise BackupBusyError(
                f"{what} is running already ({holder})",
                where=str(path),
                hint="wait for it; a lock ends with its process and needs no cleaning up",
            )
        if on_wait is not None:
            on_wait(holder)
            on_wait = None
        time.sleep(POLL_SECONDS)


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read().strip() or "a process that is just beginning or ending"

"""One backup at a time on a host."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinykit_ops.backup.errors import BackupBusyError
from tinykit_ops.errors import AccessError


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs.

    The kernel drops it when its holder ends, however it ends, so a stale lock cannot exist; what
    the file says is only for the message.

    Raises:
        BackupBusyError: another process holds it.
        AccessError: this user may not.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        raise AccessError(
            "The backup lock cannot be taken by this user",
            where=str(path),
            hint="run this as root",
        ) from None
    with os.fdopen(handle, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip() or "unknown"
            raise BackupBusyError(
                f"A backup is running already (process {holder})",
                where=str(path),
                hint="wait for it; a lock ends with its process and needs no cleaning up",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
        file.truncate(0)

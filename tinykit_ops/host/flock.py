"""Taking a lock of the kernel's that somebody else may hold for a while."""

from __future__ import annotations

import fcntl
import time
from typing import IO

PAUSE_SECONDS = 0.05


def taken(file: IO[str], seconds: float) -> bool:
    """Lock an open file alone, within so many seconds; whether that worked."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE_SECONDS)
        else:
            return True

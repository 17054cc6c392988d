"""One change of the host at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import BusyError
from tinykit_ops.host.flock import taken


@contextmanager
def alone(path: Path = Path(layout.DEPLOY_LOCK), seconds: float = 600) -> Iterator[None]:
    """Wait until nobody else changes the host, then keep others waiting.

    A run whose controller died goes on here for a while; the next one must not work beside it.
    The kernel frees the lock when its holder ends, however that happens.

    Args:
        seconds: how long to wait.

    Raises:
        BusyError: somebody else was at it all that time.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # Root's alone: whoever may open the file could hold the lock and stop every deploy.
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        if not taken(lock, seconds):
            raise BusyError(
                "another run is changing this host",
                where=str(path),
                hint="wait for it to end, then run again",
            )
        yield

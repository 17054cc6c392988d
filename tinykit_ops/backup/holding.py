"""Object lock of uploads that a new snapshot names although they were sent long ago.

A lock counts from when an object was sent. An upload that every snapshot shares would be free to be
deleted while snapshots that need it are still locked. So each snapshot extends the locks of what it
reuses. Locks reach further than needed, and until when is remembered on this host, so that most
runs have to extend few of them; a lost memory only costs asking for all again.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from tinykit_ops.backup.errors import TargetError
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.unnamed import LONGEST_RUN

LANES = 4
REFUSALS = 3  #: so many without one success: these credentials may not extend a lock


@runtime_checkable
class Locking(Protocol):
    """A target that can lock objects."""

    @property
    def lock(self) -> timedelta | None:
        """How long the objects of a snapshot are locked; None: not at all."""
        ...

    def extend_lock(self, key: str, until: datetime) -> None:
        """Lock an object at least so long. Raises TargetAccessError, TargetError."""
        ...


def reach(lock: timedelta) -> timedelta:
    """How long an upload is locked, from now: longer than the index of a run that ends much
    later, and so much longer that it is extended only now and then."""
    return lock + LONGEST_RUN + max(timedelta(days=1), lock / 4)


class Holding:
    """The locks of the uploads of one target.

    Args:
        memory: a file of this host.

    Attributes:
        fault: why some locks could not be extended, if so; the snapshot is whole all the same.
        extended: how many were.
    """

    def __init__(self, target: Locking, memory: Path) -> None:
        self._target = target
        self._memory = memory
        self._until = _read(memory)
        self._refused = 0
        self.extended = 0
        self.fault: str | None = None

    def hold(self, keys: Collection[str], sent: Collection[str]) -> None:
        """See that all are locked at least as long as a snapshot that is finished by now.

        Args:
            keys: everything that the new snapshot names.
            sent: those of them that were sent just now, and locked with that.
        """
        lock = self._target.lock
        if lock is None:
            return
        now = datetime.now(UTC)
        needed = (now + lock + LONGEST_RUN).timestamp()
        self._until |= dict.fromkeys(sent, (now + reach(lock) - LONGEST_RUN).timestamp())
        late = [key for key in keys if self._until.get(key, 0) < needed and key not in sent]
        with ThreadPoolExecutor(LANES, thread_name_prefix="lock") as lanes:
            list(lanes.map(lambda key: self._extend(key, now + reach(lock)), late))
        named = set(keys)
        self._until = {key: until for key, until in self._until.items() if key in named}
        _write(self._memory, self._until)

    def _extend(self, key: str, until: datetime) -> None:
        if self._refused >= REFUSALS and not self.extended:
            return
        try:
            self._target.extend_lock(key, until)
        except TargetError as error:
            self._refused += 1
            self.fault = error.what
            return
        self.extended += 1
        self._until[key] = until.timestamp()


def _read(memory: Path) -> dict[str, float]:
    try:
        told = json.loads(memory.read_bytes())
        return {str(key): float(until) for key, until in told.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _write(memory: Path, until: dict[str, float]) -> None:
    try:
        write_atomically(memory, json.dumps(until).encode(), mode=0o600)
    except OSError:
        return  # a full disk: the next run extends them all

"""Small writes to PocketBase without a break, and how long they took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.backup.errors import BenchmarkError
from benchmarks.backup.kit import LOAD_WRITER, LOGIN, ROOT, Logs, Server

WRITERS = 3
PAUSE = 0.02  #: seconds between two writes of one writer
_SETTLE_SECONDS = 0.5


@dataclass
class Latencies:
    """Milliseconds of every write while something ran, sorted; empty until it ended.

    Attributes:
        refused: writes that were not acknowledged.
    """

    milliseconds: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def p99(self) -> float:
        """All but one in a hundred were at most so slow."""
        return self.milliseconds[int(len(self.milliseconds) * 0.99)]

    @property
    def longest(self) -> float:
        """The slowest of all."""
        return self.milliseconds[-1]


@contextmanager
def writing(server: Server, folder: Path) -> Iterator[Latencies]:
    """Let three writers work, some hundred writes a second.

    Args:
        folder: for their notes; a new one.
    Raises: BenchmarkError when no write was acknowledged.
    """
    folder.mkdir(parents=True)
    order = {
        "url": server.url,
        "token": server.pb.call("POST", LOGIN, json=ROOT)["token"],
        "writers": WRITERS,
        "pause": PAUSE,
        "folder": str(folder),
    }
    seen = Latencies()
    with subprocess.Popen(
        [sys.executable, str(LOAD_WRITER)], stdin=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            time.sleep(_SETTLE_SECONDS)
            yield seen
        finally:
            process.stdin.close()
            process.wait(120)
    _read(Logs(folder), seen)


def _read(logs: Logs, seen: Latencies) -> None:
    seen.refused = len(logs.errors())
    seen.milliseconds += logs.latencies()
    if not seen.milliseconds:
        raise BenchmarkError("no write was acknowledged")


def together(rounds: Sequence[Latencies]) -> Latencies:
    """All writes of several rounds."""
    merged = sorted(one for each in rounds for one in each.milliseconds)
    return Latencies(merged, sum(each.refused for each in rounds))

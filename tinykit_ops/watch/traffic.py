"""Requests, counted in slices of five minutes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from tinykit_ops.watch.lines import Hit

SLICE = 300  #: seconds
LATE = 60  #: seconds that a request may be written down after its slice has ended
BINS = 48
_OPEN = 24  #: slices that are kept open at most, should a clock jump


class Slice(BaseModel):
    """What happened in five minutes.

    Attributes:
        start: seconds since 1970.
        seconds: of all answers together.
        slow: how many answers took how long: bin n ends at `bin_end(n)` seconds.
    """

    start: int
    requests: int = 0
    errors: int = 0
    refused_logins: int = 0
    seconds: float = 0.0
    slow: dict[int, int] = {}

    def count(self, hit: Hit) -> None:
        """Count one more request."""
        self.requests += 1
        self.errors += hit.status >= 500
        self.refused_logins += hit.refused_login
        self.seconds += hit.seconds
        number = _bin(hit.seconds)
        self.slow[number] = self.slow.get(number, 0) + 1

    def add(self, other: Slice, sign: int = 1) -> None:
        """Take in what was counted elsewhere, or take it away again (`sign` -1)."""
        self.requests += sign * other.requests
        self.errors += sign * other.errors
        self.refused_logins += sign * other.refused_logins
        self.seconds += sign * other.seconds
        for number, times in other.slow.items():
            self.slow[number] = self.slow.get(number, 0) + sign * times

    @property
    def p95(self) -> float:
        """Seconds within which 95 % of the answers were there; to about 20 %."""
        left = self.requests * 0.95
        for number in sorted(self.slow):
            left -= self.slow[number]
            if left <= 0:
                return bin_end(number)
        return 0.0


def bin_end(number: int) -> float:
    """The upper end of a bin, in seconds: 1 ms, and 1.25 times more each."""
    return float(0.001 * 1.25**number)


def _bin(seconds: float) -> int:
    if seconds <= 0.001:
        return 0
    return min(BINS - 1, math.ceil(math.log(seconds / 0.001, 1.25)))


def count(hits: Iterable[Hit], open_slices: dict[int, Slice]) -> Iterator[Slice]:
    """Count requests into the open slices. Yields those that had to be closed for their number:
    a day of backlog is counted in the memory of two hours."""
    for hit in hits:
        start = int(hit.time) // SLICE * SLICE
        found = open_slices.get(start)
        if found is None:
            found = open_slices[start] = Slice(start=start)
            if len(open_slices) > _OPEN:
                yield open_slices.pop(min(open_slices))
        found.count(hit)


def ended(open_slices: dict[int, Slice], since: int, now: float) -> Iterator[Slice]:
    """Take out the slices that have ended, in order; those without a request are empty ones.

    Args:
        since: start of the first slice that was not judged yet, or 0 for the first that is there.
    """
    last = int(now - LATE) // SLICE * SLICE
    first = since or min(open_slices, default=last)
    for start in range(max(first, last - _OPEN * SLICE), last, SLICE):
        yield open_slices.pop(start, Slice(start=start))
    for old in [start for start in open_slices if start < last]:
        del open_slices[old]

"""Timings of one thing, and how they are told: median, and the spread beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Samples:
    """Timings of the same thing, in seconds, in the order they were taken; at least one.

    Raises: ValueError for no timing at all, or a negative one.
    """

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.seconds:
            raise ValueError("there is no timing to tell about")
        if min(self.seconds) < 0:
            raise ValueError(f"a timing is negative: {min(self.seconds)}")

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Samples:
        """From any sequence."""
        return cls(tuple(seconds))

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return median(self.seconds)

    def quantile(self, share: float) -> float:
        """The least timing that this share of all do not exceed, in seconds (nearest rank)."""
        rank = max(1, math.ceil(share * len(self.seconds)))
        return sorted(self.seconds)[rank - 1]

    @property
    def fastest(self) -> float:
        """The one that other work on the machine disturbed least, in seconds."""
        return min(self.seconds)

    def as_dict(self) -> dict[str, object]:
        """For JSON; seconds to the millisecond."""
        return {
            "median": round(self.median, 3),
            "min": round(self.fastest, 3),
            "max": round(max(self.seconds), 3),
            "seconds": [round(second, 3) for second in self.seconds],
        }

    def __str__(self) -> str:
        low, high = self.fastest, max(self.seconds)
        return f"{self.median:.2f} s (min {low:.2f}, max {high:.2f}, n={len(self.seconds)})"


@dataclass(frozen=True)
class Goal:
    """A bound on a number: `number` of `what` must be at most, or at least, `bound`."""

    what: str
    number: float
    bound: float
    at_most: bool

    @property
    def met(self) -> bool:
        """Whether the number keeps to its bound."""
        return self.number <= self.bound if self.at_most else self.number >= self.bound

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        sign = "<=" if self.at_most else ">="
        return {
            "what": self.what,
            "number": round(self.number, 3),
            "goal": f"{sign} {self.bound:g}",
            "met": self.met,
        }

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        verdict = "met" if self.met else "MISSED"
        return f"{self.what}: {self.number:.2f} (goal {sign} {self.bound:g}: {verdict})"

"""Problems over time: one alert each, a notice when it is over, and nothing that flaps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel


class Grade(StrEnum):
    """Whether quiet hours hold it back."""

    MILD = "mild"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Reading:
    """One look at one thing.

    Attributes:
        bad: whether it is wrong now; None when that could not be seen, which changes nothing.
        text: what was seen, with figures.
        raise_after: looks in a row that must be bad before it is a problem.
        clear_after: looks in a row that must be good before it is over.
    """

    id: str
    bad: bool | None
    text: str
    grade: Grade = Grade.MILD
    raise_after: int = 2
    clear_after: int = 3


class News(BaseModel):
    """What people are told: that a problem is there, or that it is over."""

    id: str
    text: str
    grade: Grade
    over: bool = False


class Watched(BaseModel):
    """What is remembered of one thing."""

    bad: int = 0  #: looks in a row
    good: int = 0
    since: float = 0.0  #: when it became a problem; 0 when it is none
    text: str = ""
    grade: Grade = Grade.MILD


def follow(watched: dict[str, Watched], reading: Reading, now: float) -> News | None:
    """Take in a reading. Returns the news, when it makes any."""
    if reading.bad is None:
        return None
    one = watched.setdefault(reading.id, Watched())
    one.bad, one.good = (one.bad + 1, 0) if reading.bad else (0, one.good + 1)
    if not one.since and one.bad >= reading.raise_after:
        one.since, one.text, one.grade = now, reading.text, reading.grade
        return News(id=reading.id, text=reading.text, grade=reading.grade)
    if one.since and one.good >= reading.clear_after:
        minutes = max(0, now - one.since) / 60
        one.since = 0.0
        text = f"over after {minutes:.0f} min: {reading.text}"
        return News(id=reading.id, text=text, grade=one.grade, over=True)
    return None


def is_quiet(hour: int, begins: int | None, ends: int | None) -> bool:
    """Whether this hour of the day is one of the quiet ones; they may span midnight."""
    if begins is None or ends is None or begins == ends:
        return False
    return begins <= hour < ends if begins < ends else hour >= begins or hour < ends

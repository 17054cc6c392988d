"""What is usual at this hour of the week, learnt from the hours before.

For each of the 168 hours of a week there is a level and a spread, both moving averages (as robust
as a median, because a value far off is cut to a few spreads before it is learnt). An incident that
lasts an afternoon does so not become what is usual.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

HOURS = 168
LEARN = 24  #: five-minute slices (two weeks of one hour) until an hour of the week is trusted
DAYS = 36  #: slices (three days of one hour) until an hour of the day is
_WEIGHT = 0.04  #: of a new slice: twelve of them an hour, so half of a level is 17 slices old
_FEWEST = 1 / 12
_CUT = 4.0  #: spreads


class Usual(BaseModel):
    """What is usual at one hour."""

    level: float = 0.0
    spread: float = 0.0
    count: int = 0

    def learn(self, value: float) -> None:
        """Take in a value of a slice."""
        weight = max(_WEIGHT, 1 / (self.count + 1))
        if self.count >= LEARN // 2:
            most = _CUT * max(self.spread, 0.1 * self.level, 1e-3)
            value = min(max(value, self.level - most), self.level + most)
        off = abs(value - self.level) if self.count else 0.0
        self.level += weight * (value - self.level)
        self.spread += max(weight, _FEWEST if self.count < LEARN else 0) * (off - self.spread)
        self.count += 1


class Baseline(BaseModel):
    """What is usual of one measure: by the hour of the week, and meanwhile by that of the day."""

    week: dict[int, Usual] = {}
    day: dict[int, Usual] = {}

    def learn(self, time: float, value: float) -> None:
        """Take in a slice's value."""
        hour = _hour(time)
        self.week.setdefault(hour, Usual()).learn(value)
        self.day.setdefault(hour % 24, Usual()).learn(value)

    def usual(self, time: float) -> Usual | None:
        """What is usual then; None while that is not known."""
        hour = _hour(time)
        week = self.week.get(hour)
        if week is not None and week.count >= LEARN:
            return week
        day = self.day.get(hour % 24)
        return day if day is not None and day.count >= DAYS else None


def _hour(time: float) -> int:
    """The hour of the week in the host's time zone, so that summer time moves with people."""
    moment = datetime.fromtimestamp(time)
    return moment.weekday() * 24 + moment.hour

"""Cron schedules, exactly as Debian's cron reads the first five fields of a line.

Libraries know more than Debian's cron does (`L`, `#`, `@every`), and what they accept and cron
refuses is a backup that never runs. So this reads what crontab(5) describes, and no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", re.ASCII)
#: Long enough to meet every leap day and weekday: years after 2023 repeat within 8 of them.
_FIRST_DAY, _DAY_COUNT = date(2024, 1, 1), 8 * 366


@dataclass(frozen=True)
class Schedule:
    """A parsed schedule: sorted allowed values a field, and when it fires."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    #: cron's special rule: when neither day field starts with a star, either may match.
    either_day: bool

    def runs_on(self, day: date) -> bool:
        """Does it fire on this day?"""
        by_day = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        matches = by_day or by_weekday if self.either_day else by_day and by_weekday
        return day.month in self.months and matches

    def gaps_minutes(self) -> tuple[int, int]:
        """The shortest and the longest time between two runs, in minutes.

        Raises:
            ValueError: it never runs (30 February).
        """
        times = [hour * 60 + minute for hour in self.hours for minute in self.minutes]
        run_days = [
            number
            for number in range(_DAY_COUNT)
            if self.runs_on(_FIRST_DAY + timedelta(days=number))
        ]
        if len(run_days) < 2:
            raise ValueError("names a day that does not exist, so it would never run")
        inside = [later - earlier for earlier, later in pairwise(times)]
        between = [
            (later - earlier) * 24 * 60 + times[0] - times[-1]
            for earlier, later in pairwise(run_days)
        ]
        gaps = inside + between
        return min(gaps), max(gaps)


def parse(text: str) -> Schedule:
    """Read the five fields of a crontab line.

    Raises:
        ValueError: why cron would not take it, in words for a person.
    """
    words = text.split()
    if text.startswith("@"):
        raise ValueError("has to be five fields; names like @daily are not read")
    if len(words) != len(_FIELDS):
        raise ValueError(f"has {len(words)} field{'s' * (len(words) != 1)}, cron needs five")
    minutes, hours, days, months, weekdays = (
        _values(field, word) for field, word in zip(_FIELDS, words, strict=True)
    )
    return Schedule(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        either_day=not words[2].startswith("*") and not words[4].startswith("*"),
    )


def _values(field: _Field, text: str) -> set[int]:
    return {value for part in text.split(",") for value in _part_values(field, part)}


def _part_values(field: _Field, part: str) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f'the {field.name} field cannot be "{part[:20]}"')
    star, first, last, step_text = match.groups()
    step = int(step_text) if step_text else 1
    if step == 0:
        raise ValueError(f"the {field.name} field has a step of 0")
    if star:
        return range(field.low, field.high + 1, step)
    if step_text and last is None:
        raise ValueError(f'a step in the {field.name} field needs a range: "0-30/{step}" or "*/…"')
    low = _number(field, first)
    high = _number(field, last) if last else low
    if high < low:
        raise ValueError(f"the range in the {field.name} field runs backwards")
    return range(low, high + 1, step)


def _number(field: _Field, word: str) -> int:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + field.low
    if not word.isdecimal() or not field.low <= int(word) <= field.high:
        raise ValueError(
            f"the {field.name} field must lie between {field.low} and {field.high}, "
            f'not "{word[:20]}"'
        )
    return int(word)

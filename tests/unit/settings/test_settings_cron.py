"""Schedules are read as Debian's cron reads them."""

from __future__ import annotations

from datetime import date

import pytest

from tinykit_ops.settings.cron import parse

DAY = 24 * 60


@pytest.mark.parametrize(
    ("text", "shortest", "longest"),
    [
        ("17 3 * * *", DAY, DAY),
        ("*/15 * * * *", 15, 15),
        ("0,10 * * * *", 10, 50),
        ("0 0-6/2,12 * * *", 120, DAY // 2),
        ("0 3 * * 0", 7 * DAY, 7 * DAY),
        ("0 3 * * 7", 7 * DAY, 7 * DAY),
        ("0 3 * * Sun", 7 * DAY, 7 * DAY),
        ("0 3 * * mon-fri", DAY, 3 * DAY),
        ("0 3 1 * *", 28 * DAY, 31 * DAY),
        ("0 3 31 * *", 31 * DAY, 61 * DAY),
        ("0 3 1 jan *", 365 * DAY, 366 * DAY),
        ("0 3 29 2 *", 4 * 365 * DAY + DAY, 4 * 365 * DAY + DAY),
        # Both day fields restricted: cron runs when either matches.
        ("0 3 1,15 * 0", DAY, 7 * DAY),
    ],
)
def test_the_gaps_between_runs_are_known(text: str, shortest: int, longest: int) -> None:
    assert parse(text).gaps_minutes() == (shortest, longest)


def test_a_star_with_a_step_is_still_a_star_so_the_weekday_has_to_match_too() -> None:
    schedule = parse("0 3 */2 * 0")
    assert schedule.runs_on(date(2026, 11, 1)), "a Sunday, the 1st"
    assert not schedule.runs_on(date(2026, 11, 8)), "a Sunday, the 8th"
    assert not schedule.runs_on(date(2026, 11, 3)), "a Tuesday, the 3rd"


def test_two_restricted_day_fields_match_either() -> None:
    schedule = parse("0 3 13 * fri")
    assert schedule.runs_on(date(2026, 11, 6)), "a Friday"
    assert schedule.runs_on(date(2026, 10, 13)), "a 13th"
    assert not schedule.runs_on(date(2026, 11, 5))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 fields"),
        ("17 3 * *", "4 fields"),
        ("17 3 * * * root", "6 fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "minute field must lie between 0 and 59"),
        ("0 24 * * *", "hour field must lie between 0 and 23"),
        ("0 0 0 * *", "day of month field must lie between 1 and 31"),
        ("0 0 * 13 *", "month field must lie between 1 and 12"),
        ("0 0 * * 8", "day of week field must lie between 0 and 7"),
        ("0 0 * * sunday", "day of week"),
        ("0 0 * sun *", "month field"),
        ("*/0 * * * *", "step of 0"),
        ("5/15 * * * *", "needs a range"),
        ("30-10 * * * *", "backwards"),
        ("1,,2 * * * *", "cannot be"),
        ("0 0 L * *", "day of month"),
        ("0 0 * * 1#2", "cannot be"),
        ("-1 * * * *", "cannot be"),
        ("٣ * * * *", "cannot be"),
    ],
)
def test_what_cron_would_not_take_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse(text)


@pytest.mark.parametrize("text", ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_does_not_exist_never_comes(text: str) -> None:
    with pytest.raises(ValueError, match="does not exist"):
        parse(text).gaps_minutes()

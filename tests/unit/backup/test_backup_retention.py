from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tinykit_ops.backup.retention import decide
from tinykit_ops.settings.retention import RetentionSettings

START = datetime(2026, 1, 1, tzinfo=UTC)


def keep(**counts: Any) -> RetentionSettings:
    none = {"keep_last": 1, "hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "yearly": 0}
    return RetentionSettings(**{**none, **counts})


def every(hours: float, count: int) -> list[tuple[str, datetime]]:
    times = [START + timedelta(hours=hours * number) for number in range(count)]
    return [(f"{time:%Y-%m-%d %H}", time) for time in times]


def staying(snapshots: list[tuple[str, datetime]], retention: RetentionSettings) -> list[str]:
    return sorted(one.id for one in decide(snapshots, retention) if one.stays)


def test_the_last_of_each_day_stays() -> None:
    assert staying(every(6, 12), keep(daily=2)) == ["2026-01-02 18", "2026-01-03 18"]


def test_the_newest_of_a_week_and_of_a_month_stay() -> None:
    found = staying(every(24, 70), keep(weekly=2, monthly=3))
    assert found == ["2026-01-31 00", "2026-02-28 00", "2026-03-08 00", "2026-03-11 00"]


def test_days_without_a_snapshot_do_not_use_up_the_promise() -> None:
    found = staying(every(24 * 10, 10), keep(daily=4))
    assert len(found) == 4


def test_a_verified_snapshot_stays_whatever_the_settings_say() -> None:
    snapshots = every(1, 5)
    decisions = decide(snapshots, keep(), protected=[snapshots[0][0]])
    oldest = decisions[-1]
    assert oldest.stays and oldest.reasons == ("last verified",)


def test_a_change_of_the_clock_neither_doubles_nor_drops_a_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    snapshots = [
        (f"{day}", datetime(2026, 10, 24, 3, 17, tzinfo=berlin) + timedelta(days=day))
        for day in range(4)
    ]
    assert len(staying(snapshots, keep(daily=4))) == 4


def test_nothing_at_all_is_fine() -> None:
    assert decide([], keep()) == []


PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
counts = {
    "keep_last": st.integers(1, 5),
    "hourly": st.integers(0, 30),
    "daily": st.integers(0, 8),
    "weekly": st.integers(0, 6),
    "monthly": st.integers(0, 13),
    "yearly": st.integers(0, 2),
}
retentions = st.builds(RetentionSettings, **counts)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
histories = st.lists(moments, min_size=1, max_size=60, unique=True).map(
    lambda times: [(time.isoformat(), time) for time in times]
)


@given(histories, retentions)
def test_the_newest_stays_and_every_promise_is_kept(
    snapshots: list[tuple[str, datetime]], retention: RetentionSettings
) -> None:
    found = set(staying(snapshots, retention))
    newest_first = sorted(snapshots, key=lambda one: one[1], reverse=True)
    assert {one for one, _ in newest_first[: retention.keep_last]} <= found
    days = sorted({time.date() for _, time in snapshots}, reverse=True)
    for day in days[: retention.daily]:
        assert max(one for one in snapshots if one[1].date() == day)[0] in found
    months = sorted({(time.year, time.month) for _, time in snapshots}, reverse=True)
    for month in months[: retention.monthly]:
        of_month = [one for one in snapshots if (one[1].year, one[1].month) == month]
        assert max(of_month, key=lambda one: one[1])[0] in found


@given(histories, retentions)
def test_no_more_stays_than_was_asked_for(
    snapshots: list[tuple[str, datetime]], retention: RetentionSettings
) -> None:
    most = retention.keep_last + sum(getattr(retention, name) for name in PERIODS)
    assert len(staying(snapshots, retention)) <= most


@given(histories, retentions)
def test_pruning_twice_removes_no_more_than_once(
    snapshots: list[tuple[str, datetime]], retention: RetentionSettings
) -> None:
    once = set(staying(snapshots, retention))
    left = [one for one in snapshots if one[0] in once]
    assert set(staying(left, retention)) == once


def test_the_last_of_each_hour_and_year_stay() -> None:
    times = [START + timedelta(minutes=20 * number) for number in range(7)]
    half_hours = [(f"{time:%H:%M}", time) for time in times]
    assert staying(half_hours, keep(hourly=2)) == ["01:40", "02:00"]
    found = staying(every(24 * 90, 9), keep(yearly=5))
    assert found == ["2026-12-27 00", "2027-12-22 00"]


def test_all_within_a_time_before_the_newest_stay_also_when_backups_stopped() -> None:
    snapshots = every(6, 20)
    decisions = decide(snapshots, keep(keep_within="1d"), now=START + timedelta(days=300))
    assert [one.stays for one in decisions] == [True] * 5 + [False] * 15
    assert decisions[4].reasons == ("within 1d",)


def test_a_snapshot_of_a_clock_two_days_off_costs_no_other() -> None:
    snapshots = every(6, 8)
    now = snapshots[-1][1]
    wrong = ("wrong clock", now + timedelta(days=2))
    right = staying_at(snapshots, keep(keep_within="1d"), now)
    assert right <= staying_at([*snapshots, wrong], keep(keep_within="1d"), now)


def staying_at(
    snapshots: list[tuple[str, datetime]], retention: RetentionSettings, now: datetime
) -> set[str]:
    return {one.id for one in decide(snapshots, retention, now=now) if one.stays}


# A year of cron, with its changes of the clock ---------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]
within = st.none() | st.sampled_from(["1h", "30h", "3d", "2w"])


def year_of_cron(zone: str, hours: list[int], minute: int) -> list[datetime]:
    """When Debian's cron starts a job in 2026: times that a change skips run right after it, and
    those that come twice run once."""
    local = ZoneInfo(zone)
    runs: set[datetime] = set()
    day = datetime(2026, 1, 1)
    while day.year == 2026:
        for hour in hours:
            moment = day.replace(hour=hour, minute=minute, tzinfo=local)
            runs.add(moment.astimezone(UTC))
        day += timedelta(days=1)
    return sorted(runs)


@settings(deadline=None, max_examples=60)
@given(
    zone=st.sampled_from(ZONES),
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True),
    minute=st.integers(0, 59),
    retention=st.builds(RetentionSettings, keep_within=within, **counts),
    verified_every=st.integers(1, 40),
    lost=st.sets(st.integers(0, 364), max_size=60),
)
def test_pruning_after_every_backup_of_a_year_keeps_what_was_promised(
    zone: str,
    hours: list[int],
    minute: int,
    retention: RetentionSettings,
    verified_every: int,
    lost: set[int],
) -> None:
    held: list[tuple[str, datetime]] = []
    ever: list[tuple[str, datetime]] = []
    verified: str | None = None
    protected: list[str] = []
    for number, time in enumerate(year_of_cron(zone, hours, minute)):
        if number in lost:
            continue  # the host was off, or the backup failed: then nothing is pruned either
        one = (time.isoformat(), time)
        held.append(one)
        ever.append(one)
        protected = [verified] if verified else []
        decisions = decide(held, retention, protected, now=time)
        assert decisions[0].id == one[0] and decisions[0].stays
        stay = {decision.id for decision in decisions if decision.stays}
        assert verified is None or verified in stay
        held = [found for found in held if found[0] in stay]
        if number % verified_every == 0:
            verified = one[0]
    # Had everything been kept until now, the same would be left: nothing went too early.
    last = ever[-1][1] if ever else START
    promised = staying_at(ever, retention, last)
    assert promised <= {one for one, _ in held}
    extra = {one for one, _ in held} - promised
    assert extra <= set(protected)


@given(zone=st.sampled_from(ZONES), hour=st.integers(0, 23), minute=st.integers(0, 59))
@settings(deadline=None, max_examples=40)
def test_a_daily_backup_is_never_missing_for_more_than_two_days_in_what_daily_keeps(
    zone: str, hour: int, minute: int
) -> None:
    held: list[tuple[str, datetime]] = []
    for time in year_of_cron(zone, [hour], minute):
        held.append((time.isoformat(), time))
        stay = staying_at(held, keep(daily=7), time)
        held = [one for one in held if one[0] in stay]
        times = [one[1] for one in held]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(gap <= timedelta(hours=50) for gap in gaps)
        if len(times) == 7:
            assert times[-1] - times[0] >= timedelta(days=5, hours=22)


def test_what_was_made_last_stays_when_a_wrong_clock_dates_it_before_the_others() -> None:
    snapshots = [("a", START), ("b", START + timedelta(days=2))]
    decided = {one.id: one.reasons for one in decide(snapshots, keep(), made="a")}
    assert decided == {"a": ("made last",), "b": ("last",)}


def test_of_two_in_the_same_second_what_was_made_last_is_the_newest() -> None:
    snapshots = [("a", START), ("b", START)]
    assert [one.id for one in decide(snapshots, keep(), made="a") if one.stays] == ["a"]
    assert [one.id for one in decide(snapshots, keep(), made="b") if one.stays] == ["b"]

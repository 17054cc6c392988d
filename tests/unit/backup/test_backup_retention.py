from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tinykit_ops.backup.retention import decide
from tinykit_ops.settings.retention import RetentionSettings

START = datetime(2026, 1, 1, tzinfo=UTC)


def keep(**counts: int) -> RetentionSettings:
    return RetentionSettings(**{"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0, **counts})


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


retentions = st.builds(
    RetentionSettings,
    keep_last=st.integers(1, 5),
    daily=st.integers(0, 8),
    weekly=st.integers(0, 6),
    monthly=st.integers(0, 13),
)
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
    most = retention.keep_last + retention.daily + retention.weekly + retention.monthly
    assert len(staying(snapshots, retention)) <= most


@given(histories, retentions)
def test_pruning_twice_removes_no_more_than_once(
    snapshots: list[tuple[str, datetime]], retention: RetentionSettings
) -> None:
    once = set(staying(snapshots, retention))
    left = [one for one in snapshots if one[0] in once]
    assert set(staying(left, retention)) == once

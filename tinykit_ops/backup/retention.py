"""Which snapshots stay. Pure: times in, decisions out.

Hours, days, ISO weeks, months and years are counted in UTC, so that a change of the clock neither
doubles nor drops one. Of each, the last snapshot stays. Periods without a snapshot do not count,
so a host that was off for a month keeps as many as before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tinykit_ops.settings.retention import RetentionSettings, span


@dataclass(frozen=True)
class Decision:
    """What becomes of one snapshot.

    Attributes:
        reasons: why it stays, such as `daily 2026-11-23`; empty when it goes.
    """

    id: str
    created: datetime
    reasons: tuple[str, ...]

    @property
    def stays(self) -> bool:
        """Whether it is kept."""
        return bool(self.reasons)


_PERIODS: dict[str, Callable[[datetime], str]] = {
    "hourly": lambda time: f"{time:%Y-%m-%d %Hh}",
    "daily": lambda time: f"{time:%Y-%m-%d}",
    "weekly": lambda time: f"{time:%G-W%V}",
    "monthly": lambda time: f"{time:%Y-%m}",
    "yearly": lambda time: f"{time:%Y}",
}


def decide(
    snapshots: Sequence[tuple[str, datetime]],
    retention: RetentionSettings,
    protected: Collection[str] = (),
    now: datetime | None = None,
    made: str | None = None,
) -> list[Decision]:
    """Decide about every snapshot; the newest always stays.

    Args:
        snapshots: id and creation time, in any order.
        protected: ids that stay whatever the settings say, such as the last verified one.
        now: snapshots from after it, made by a wrong clock, do not shorten `keep_within`.
        made: what was made last, if that is known: it stays, also when a wrong clock gave it, or
            another one, a time that makes it look old.

    Returns:
        One decision each, newest first.
    """
    # Times of volumes are whole seconds: of two in one second, what was made last is the newer.
    newest_first = sorted(snapshots, key=lambda one: (one[1], one[0] == made, one[0]), reverse=True)
    reasons: dict[str, list[str]] = {snapshot: [] for snapshot, _ in newest_first}
    for snapshot, _ in newest_first[: max(1, retention.keep_last)]:
        reasons[snapshot].append("last")
    for snapshot in _within(newest_first, retention, now or datetime.now(UTC)):
        reasons[snapshot].append(f"within {retention.keep_within}")
    for name, period in _PERIODS.items():
        wanted: int = getattr(retention, name)
        for label, snapshot in _last_of_each(newest_first, period)[:wanted]:
            reasons[snapshot].append(f"{name} {label}")
    for snapshot in protected:
        if snapshot in reasons:
            reasons[snapshot].append("last verified")
    if made in reasons and not reasons[made]:
        reasons[made].append("made last")
    return [Decision(one, created, tuple(reasons[one])) for one, created in newest_first]


def _within(
    newest_first: Sequence[tuple[str, datetime]], retention: RetentionSettings, now: datetime
) -> list[str]:
    """Counted back from the newest, not from now: when backups stop, nothing melts away."""
    if retention.keep_within is None or not newest_first:
        return []
    since = min(newest_first[0][1], now) - span(retention.keep_within)
    return [snapshot for snapshot, created in newest_first if created >= since]


def _last_of_each(
    newest_first: Sequence[tuple[str, datetime]], period: Callable[[datetime], str]
) -> list[tuple[str, str]]:
    """Label and id of the last snapshot of each period, newest first."""
    found: dict[str, str] = {}
    for snapshot, created in newest_first:
        found.setdefault(period(created.astimezone(UTC)), snapshot)
    return list(found.items())

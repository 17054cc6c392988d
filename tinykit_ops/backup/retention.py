"""Which snapshots stay. Pure: times in, decisions out.

Days, ISO weeks and months are counted in UTC, so that a change of the clock neither doubles nor
drops one. Of each, the last snapshot stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tinykit_ops.settings.retention import RetentionSettings


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
    "daily": lambda time: f"{time:%Y-%m-%d}",
    "weekly": lambda time: f"{time:%G-W%V}",
    "monthly": lambda time: f"{time:%Y-%m}",
}


def decide(
    snapshots: Sequence[tuple[str, datetime]],
    retention: RetentionSettings,
    protected: Collection[str] = (),
) -> list[Decision]:
    """Decide about every snapshot; the newest always stays.

    Args:
        snapshots: id and creation time, in any order.
        protected: ids that stay whatever the settings say, such as the last verified one.

    Returns:
        One decision each, newest first.
    """
    newest_first = sorted(snapshots, key=lambda one: (one[1], one[0]), reverse=True)
    reasons: dict[str, list[str]] = {snapshot: [] for snapshot, _ in newest_first}
    for snapshot, _ in newest_first[: max(1, retention.keep_last)]:
        reasons[snapshot].append("last")
    for name, period in _PERIODS.items():
        wanted: int = getattr(retention, name)
        for label, snapshot in _last_of_each(newest_first, period)[:wanted]:
            reasons[snapshot].append(f"{name} {label}")
    for snapshot in protected:
        if snapshot in reasons:
            reasons[snapshot].append("last verified")
    return [Decision(one, created, tuple(reasons[one])) for one, created in newest_first]


def _last_of_each(
    newest_first: Sequence[tuple[str, datetime]], period: Callable[[datetime], str]
) -> list[tuple[str, str]]:
    """Label and id of the last snapshot of each period, newest first."""
    found: dict[str, str] = {}
    for snapshot, created in newest_first:
        found.setdefault(period(created.astimezone(UTC)), snapshot)
    return list(found.items())

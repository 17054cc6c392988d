"""The locks of uploads that snapshots share: extended in time, seldom, and never a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tinykit_ops.backup import holding
from tinykit_ops.backup.errors import TargetAccessError
from tinykit_ops.backup.holding import Holding, Locking, reach


class Bucket:
    """Locks that count time by a clock of the test."""

    def __init__(self, days: int | None = 30) -> None:
        self.lock = timedelta(days=days) if days else None
        self.until: dict[str, datetime] = {}
        self.asked = 0
        self.denied = False

    def extend_lock(self, key: str, until: datetime) -> None:
        self.asked += 1
        if self.denied:
            raise TargetAccessError("Target 'offsite' could not extend the lock (AccessDenied)")
        self.until[key] = until


def test_what_is_reused_is_locked_as_long_as_the_new_snapshot(tmp_path: Path) -> None:
    bucket = Bucket()
    assert isinstance(bucket, Locking)
    one = Holding(bucket, tmp_path / "locks.json")
    one.hold(["uploads/old", "uploads/new"], sent=["uploads/new"])
    assert list(bucket.until) == ["uploads/old"]  # what was sent just now is locked already
    assert bucket.until["uploads/old"] > datetime.now(UTC) + timedelta(days=30)


def test_the_next_run_has_nothing_to_extend(tmp_path: Path) -> None:
    bucket = Bucket()
    for _ in range(3):
        Holding(bucket, tmp_path / "locks.json").hold(["uploads/a", "uploads/b"], sent=[])
    assert bucket.asked == 2


def test_a_lost_memory_only_costs_asking_again(tmp_path: Path) -> None:
    bucket, memory = Bucket(), tmp_path / "locks.json"
    Holding(bucket, memory).hold(["uploads/a"], sent=[])
    memory.write_text("[1, 2")
    Holding(bucket, memory).hold(["uploads/a"], sent=[])
    assert bucket.asked == 2


def test_credentials_that_may_not_are_told_once_and_asked_a_few_times(tmp_path: Path) -> None:
    bucket = Bucket()
    bucket.denied = True
    one = Holding(bucket, tmp_path / "locks.json")
    one.hold([f"uploads/{number}" for number in range(500)], sent=[])
    assert one.fault is not None and "could not extend the lock" in one.fault
    assert bucket.asked <= holding.REFUSALS + holding.LANES


def test_without_a_lock_nothing_is_asked(tmp_path: Path) -> None:
    bucket = Bucket(days=None)
    Holding(bucket, tmp_path / "locks.json").hold(["uploads/a"], sent=[])
    assert bucket.asked == 0


@settings(max_examples=60, deadline=None)
@given(
    days=st.integers(1, 400),
    gaps=st.lists(st.integers(1, 24 * 20), min_size=1, max_size=30),
    lost=st.sets(st.integers(0, 29)),
)
def test_over_any_run_of_days_a_snapshot_never_outlives_the_lock_of_what_it_needs(
    days: int, gaps: list[int], lost: set[int]
) -> None:
    import tempfile
    from unittest.mock import patch

    bucket = Bucket(days)
    assert bucket.lock is not None
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        memory = Path(folder) / "locks.json"
        bucket.until["uploads/a"] = now + reach(bucket.lock)  # sent with that
        sent = ["uploads/a"]
        for number, hours in enumerate(gaps):
            if number in lost:
                memory.unlink(missing_ok=True)
            with patch.object(holding, "datetime") as clock:
                clock.now.return_value = now
                Holding(bucket, memory).hold(["uploads/a"], sent)
            index_lock = now + timedelta(hours=23) + bucket.lock  # of a run that took so long
            assert bucket.until["uploads/a"] >= index_lock
            sent, now = [], now + timedelta(hours=hours)
    assert bucket.asked <= len(gaps)

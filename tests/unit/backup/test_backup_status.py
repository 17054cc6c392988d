from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tinykit_ops.backup.judgement import Level, Limits, judge, worst
from tinykit_ops.backup.metrics import render, write_metrics
from tinykit_ops.backup.status import BackupStatus, TargetStatus, note, read_status
from tinykit_ops.errors import StorageError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMITS = Limits(26, 192)
DISK = {"disk": LIMITS}


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def level(**known: object) -> tuple[Level, str]:
    status = BackupStatus(targets={"disk": TargetStatus(**known)})
    one = judge(DISK, status, NOW)[0]
    return one.level, one.reason


def test_never_tried_is_none_and_critical(tmp_path: Path) -> None:
    status = read_status(tmp_path / "status.json")
    assert status is None
    assert judge(DISK, status, NOW)[0].level == Level.CRITICAL


def test_a_fresh_snapshot_is_ok() -> None:
    assert level(last_success=ago(3), snapshot="S")[0] == Level.OK


def test_an_old_snapshot_is_critical_and_says_how_old() -> None:
    found, reason = level(last_success=ago(30))
    assert found == Level.CRITICAL and "30.0 hours" in reason


def test_a_failure_after_a_fresh_snapshot_is_a_warning_with_its_reason() -> None:
    found, reason = level(last_success=ago(5), last_failure=ago(1), error="disk is full\nmore")
    assert found == Level.WARNING and reason.endswith("disk is full")


def test_an_older_failure_does_not_matter() -> None:
    assert level(last_success=ago(1), last_failure=ago(5), error="x")[0] == Level.OK


def test_a_copy_that_did_not_come_back_is_critical_until_one_does() -> None:
    bad = {"last_verify_failure": ago(2), "verify_error": "rows"}
    assert level(last_success=ago(1), **bad)[0] == Level.CRITICAL
    assert level(last_success=ago(1), **bad, last_verified=ago(1))[0] == Level.OK


def test_a_snapshot_from_the_future_is_a_warning() -> None:
    assert level(last_success=ago(-48))[0] == Level.WARNING


def test_the_worst_target_counts_and_none_is_unknown() -> None:
    status = BackupStatus(targets={"a": TargetStatus(last_success=ago(1))})
    assert worst(judge({"a": LIMITS, "b": LIMITS}, status, NOW)) == Level.CRITICAL
    assert worst([]) == Level.UNKNOWN


def test_notes_of_one_target_leave_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "status.json"
    note("a", lambda one: one.model_copy(update={"snapshot": "A"}), path)
    note("b", lambda one: one.model_copy(update={"snapshot": "B"}), path)
    status = read_status(path)
    assert status is not None
    assert {name: one.snapshot for name, one in status.targets.items()} == {"a": "A", "b": "B"}
    assert path.stat().st_mode & 0o777 == 0o644
    assert [found.name for found in path.parent.iterdir()] == ["status.json"]


def test_a_damaged_status_is_told_and_the_next_run_heals_it(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text("{half")
    with pytest.raises(StorageError, match="cannot be read"):
        read_status(path)
    note("a", lambda one: one, path)
    assert read_status(path) is not None


def test_metrics_are_written_only_where_node_exporter_looks(tmp_path: Path) -> None:
    status = BackupStatus(targets={"disk": TargetStatus(last_success=NOW, data_bytes=5)})
    write_metrics(status, tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
    write_metrics(status, tmp_path)
    text = (tmp_path / "tinykit_backup.prom").read_text()
    assert text == render(status)
    expected = (
        f'tinykit_backup_last_success_timestamp_seconds{{target="disk"}} {NOW.timestamp():.0f}'
    )
    assert expected in text.splitlines()


def test_a_copy_that_was_not_restored_for_too_long_is_a_warning() -> None:
    fresh = {"last_success": ago(1), "first_success": ago(2000)}
    assert level(**fresh, last_verified=ago(191))[0] == Level.OK
    found, reason = level(**fresh, last_verified=ago(24 * 10))
    assert found == Level.WARNING and "10 days" in reason


def test_nothing_verified_is_a_warning_only_when_there_was_time_to() -> None:
    assert level(last_success=ago(1), first_success=ago(100)) == (
        Level.OK,
        "snapshot None is 1.0 hours old, not verified yet",
    )
    found, reason = level(last_success=ago(1), first_success=ago(200))
    assert found == Level.WARNING and "none was ever restored" in reason


def test_every_target_is_judged_by_its_own_limits() -> None:
    status = BackupStatus(
        targets={name: TargetStatus(last_success=ago(100)) for name in ("near", "far")}
    )
    found = judge({"near": LIMITS, "far": Limits(170, 192)}, status, NOW)
    assert [one.level for one in found] == [Level.CRITICAL, Level.OK]


def test_metrics_tell_that_the_last_attempt_failed() -> None:
    failing = TargetStatus(last_success=ago(5), last_failure=ago(1))
    text = render(BackupStatus(targets={"disk": failing}))
    assert 'tinykit_backup_failing{target="disk"} 1' in text.splitlines()


@pytest.mark.parametrize(
    ("success", "failure"),
    [("last_success", "last_failure"), ("last_verified", "last_verify_failure")],
)
def test_a_success_that_a_wrong_clock_dated_hides_no_later_failure(
    tmp_path: Path, success: str, failure: str
) -> None:
    path, now = tmp_path / "status.json", datetime.now(UTC)
    ahead = now + timedelta(days=20)
    fine = TargetStatus(last_success=now - timedelta(hours=3), first_success=ahead)
    note("disk", lambda _: fine.model_copy(update={success: ahead}), path)

    noted = note("disk", lambda known: known.model_copy(update={failure: now}), path)

    assert judge(DISK, noted)[0].level > Level.OK
    assert getattr(noted.targets["disk"], success) < now
    assert noted.targets["disk"].failing == (failure == "last_failure")


def test_what_a_wrong_clock_dated_keeps_its_order(tmp_path: Path) -> None:
    path, now = tmp_path / "status.json", datetime.now(UTC)
    days = {"last_success": 3, "last_failure": 1, "last_verified": 2, "last_verify_failure": 4}
    ahead = {name: now + timedelta(days=count) for name, count in days.items()}
    note("disk", lambda _: TargetStatus(**ahead), path)

    known = note("disk", lambda known: known, path).targets["disk"]

    times = {name: getattr(known, name) for name in days}
    assert sorted(times, key=times.__getitem__) == sorted(days, key=days.__getitem__)
    assert max(times.values()) <= datetime.now(UTC)
    assert judge(DISK, BackupStatus(targets={"disk": known}))[0].level == Level.CRITICAL


def test_a_proof_from_the_future_is_a_warning_and_hides_no_bad_copy() -> None:
    proof = {"last_success": ago(3), "last_verified": ago(-480)}
    assert level(**proof) == (
        Level.WARNING,
        "snapshot None is 3.0 hours old, but its proof is from the future: check clocks",
    )
    found, reason = level(**proof, last_verify_failure=ago(1), verify_error="data.db damaged")
    assert (found, reason) == (Level.CRITICAL, "not restorable: data.db damaged")


def test_a_failure_counts_beside_a_snapshot_from_the_future() -> None:
    found, reason = level(last_success=ago(-480), last_failure=ago(1), error="target gone")
    assert found == Level.WARNING and reason.endswith("the last attempt failed: target gone")

"""Runs as cron makes them: quiet when fine, loud when not, and always noted."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backup_kit import CANARY, Instance, snapshots
from waiting import PATIENCE

from tinykit_ops.backup.errors import TargetAccessError, TargetError
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.manifest import UPLOADS, index_key
from tinykit_ops.backup.prune import prune
from tinykit_ops.backup.status import note, read_status
from tinykit_ops.backup.targets import open_target
from tinykit_ops.backup.targets.directory import DirectoryStore
from tinykit_ops.backup.targets.volume import VolumeSnapshot
from tinykit_ops.backup.unnamed import GRACE
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.settings.retention import RetentionSettings

ONLY_ONE = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0}


def metrics(instance: Instance) -> str:
    return (instance.places.metrics / "tinykit_backup.prom").read_text()


def test_a_scheduled_run_says_nothing_on_stdout_and_its_id_in_every_line(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_directory()
    assert instance.run("run", "--scheduled") == 0
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines and all(line.startswith("run ") for line in lines)
    assert len({line.split(":")[0] for line in lines}) == 1


def test_a_copy_of_an_instance_that_moves_is_not_backed_up_by_a_schedule(
    instance: Instance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = instance.add_directory()
    noted = tmp_path / "arriving.json"
    monkeypatch.setattr("tinykit_ops.layout.ARRIVING_FILE", str(noted))
    noted.write_text('{"from": "old.example.com"}')
    assert instance.run("run", "--scheduled") == 0
    assert "copy of old.example.com's" in capsys.readouterr().err
    assert snapshots(folder) == []
    noted.write_text('{"from": "old.example.com", "arrived": true}')
    assert instance.run("run", "--scheduled") == 0
    assert len(snapshots(folder)) == 1


def test_a_run_waits_for_another_and_names_it(instance: Instance) -> None:
    folder = instance.add_directory()
    with only_one(instance.places.lock):
        ran = instance.spawn("run", "--wait", f"{PATIENCE:.0f}")
        assert ran.stdout is not None
        said = ran.stdout.readline()
        assert f"waiting for another backup: process {os.getpid()}, since 20" in said
        assert snapshots(folder) == []
    said, _ = ran.communicate(timeout=PATIENCE)
    assert ran.returncode == 0, said
    assert len(snapshots(folder)) == 1


def test_a_bug_is_noted_in_status_and_metrics_and_has_its_own_exit_code(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_directory()
    assert instance.run("run") == 0

    def bug(*_: object) -> None:
        raise TypeError(f"not what was thought of: {CANARY}")

    for place in ("run.read_contents", "delivery.Archive.write", "run.clear_leftovers"):
        with monkeypatch.context() as patch:
            patch.setattr(f"tinykit_ops.backup.{place}", bug)
            assert instance.run("run", "--scheduled") == 70
        status = read_status(instance.places.status)
        assert status is not None and status.targets["disk"].failing
        error = status.targets["disk"].error or ""
        assert "TypeError" in error and "test_backup_schedules.py" in error
        assert 'tinykit_backup_failing{target="disk"} 1' in metrics(instance)
        assert instance.run("status") == 1
        assert instance.run("run") == 0
    assert CANARY not in capsys.readouterr().err


def test_a_broken_configuration_is_noted_for_the_targets_of_former_runs(instance: Instance) -> None:
    instance.add_directory()
    assert instance.run("run") == 0
    (instance.etc / "config.json").write_text("{half")
    with pytest.raises(TinykitOpsError):
        instance.run("run", "--scheduled")
    status = read_status(instance.places.status)
    assert status is not None and status.targets["disk"].failing
    assert 'tinykit_backup_failing{target="disk"} 1' in metrics(instance)


def test_each_target_has_its_own_retention(instance: Instance) -> None:
    near, far = instance.add_directory("near"), instance.add_directory("far")
    instance.targets[0]["retention"] = ONLY_ONE
    instance.write_config()
    for _ in range(3):
        assert instance.run("run") == 0
    assert (len(snapshots(near)), len(snapshots(far))) == (1, 3)


def test_nothing_is_pruned_after_a_failure(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    for _ in range(3):
        assert instance.run("run") == 0
    instance.retention = ONLY_ONE
    instance.write_config()
    failed = {"last_failure": datetime.now(UTC), "error": "the disk was full"}
    note("disk", lambda known: known.model_copy(update=failed), instance.places.status)
    assert instance.run("prune") == 1
    assert "the disk was full" in capsys.readouterr().err
    assert len(snapshots(folder)) == 3
    assert instance.run("prune", "--dry-run") == 0
    assert instance.run("run") == 0
    assert len(snapshots(folder)) == 1


def test_credentials_that_may_not_delete_are_one_line_and_no_failed_backup(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.retention = ONLY_ONE
    folder = instance.add_directory()

    def refuse(self: object, key: str) -> None:
        raise TargetAccessError("Target 'disk' could not delete (AccessDenied)", where=key)

    with monkeypatch.context() as patch:
        patch.setattr(DirectoryStore, "delete", refuse)
        assert instance.run("run") == 0
        capsys.readouterr()
        assert instance.run("run") == 0
        lines = capsys.readouterr().out.splitlines()
        assert len([line for line in lines if "AccessDenied" in line]) == 1
    assert len(snapshots(folder)) == 2
    assert instance.run("prune") == 0  # where the right is
    assert len(snapshots(folder)) == 1


def test_prune_as_json_says_why(instance: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    instance.retention = ONLY_ONE
    instance.add_directory()
    instance.run("run")
    capsys.readouterr()
    assert instance.run("prune", "--dry-run", "--format", "json") == 0
    (decision,) = json.loads(capsys.readouterr().out)["disk"]["decisions"]
    assert decision["stays"] and decision["reasons"] == ["last"]


def test_what_a_prune_noted_is_sent_again_under_another_key_and_comes_back(
    instance: Instance,
) -> None:
    """The prune may remove it any moment, and does not know of the backup that is running."""
    folder = instance.add_directory()
    assert instance.run("run") == 0
    target = open_target(instance.config(), "disk")
    first = {found.key for found in target.list(UPLOADS)}
    target.delete(index_key(snapshots(folder)[0]))  # now nothing names them
    retention = RetentionSettings()
    noted = datetime.now(UTC)
    assert prune(target, retention, now=noted).waiting >= len(first)
    assert instance.run("run") == 0
    second = {found.key for found in target.list(UPLOADS)} - first
    assert len(second) == len(first) and all("-1." in key for key in second)
    removed = prune(target, retention, now=noted + GRACE).content_removed
    assert first <= set(removed) and not second & set(removed)
    assert instance.run("verify", "--no-boot") == 0
    assert instance.run("run") == 0
    assert {found.key for found in target.list(UPLOADS)} == second
    assert instance.run("verify", "--no-boot") == 0


class Volume:
    """Snapshots of a volume, imitated; the real ones have tests of their own."""

    name = "volume"

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.broken = False

    def take(self, snapshot: str, data: Path) -> VolumeSnapshot:
        if self.broken:
            raise TargetError("The volume cannot be snapshotted")
        self.ids.append(snapshot)
        return VolumeSnapshot(snapshot, "place")

    def list(self) -> list[VolumeSnapshot]:
        return [VolumeSnapshot(one, "place") for one in self.ids]

    def delete(self, snapshot: str) -> None:
        self.ids.remove(snapshot)


def test_a_volume_and_an_archive_are_targets_of_one_run(
    instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = Volume()
    for place in ("backup.delivery", "backup.pruning", "cli.backup.list"):
        monkeypatch.setattr(f"tinykit_ops.{place}.open_volume", lambda *_: volume)
    instance.retention = ONLY_ONE
    instance.targets.append({"kind": "btrfs", "name": "volume", "path": "/snapshots"})
    folder = instance.add_directory()
    for _ in range(2):
        assert instance.run("run") == 0
    assert len(volume.ids) == len(snapshots(folder)) == 1
    status = read_status(instance.places.status)
    assert status is not None and status.targets["volume"].snapshot == volume.ids[0]
    capsys.readouterr()
    assert instance.run("list", "--target", "volume") == 0
    assert volume.ids[0] in capsys.readouterr().out
    volume.broken = True
    assert instance.run("run") == 1
    assert len(volume.ids) == 1 and len(snapshots(folder)) == 1
    assert instance.run("status") == 1

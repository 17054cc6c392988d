"""btrfs snapshots on a real file system, in a file behind a loop device."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tinykit_ops.backup.errors import BackupSettingsError, TargetError, VolumeLayoutError
from tinykit_ops.backup.manifest import new_id
from tinykit_ops.backup.targets.btrfs import BtrfsStore
from tinykit_ops.backup.volumes import (
    prune_volume,
    restore_volume,
    snapshot_volume,
    volume_summaries,
)
from tinykit_ops.settings.backup_targets import BtrfsTarget
from tinykit_ops.settings.retention import RetentionSettings


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("btrfs")
    image, point = folder / "disk.img", folder / "disk"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    run("mkfs.btrfs", "-q", image)
    point.mkdir()
    run("mount", "-o", "loop", image, point)
    try:
        yield point
    finally:
        run("umount", "--lazy", point)


@pytest.fixture
def data(disk: Path, request: pytest.FixtureRequest) -> Path:
    subvolume = disk / f"data-{abs(hash(request.node.name)):x}"
    run("btrfs", "subvolume", "create", subvolume)
    folder = subvolume / "pocketbase" / "pb_data"
    (folder / "storage" / "notes").mkdir(parents=True)
    (folder / "data.db").write_bytes(b"first")
    (folder / "storage" / "notes" / "cat.png").write_bytes(b"cat" * 1000)
    return folder


@pytest.fixture
def store(disk: Path, data: Path) -> BtrfsStore:
    path = disk / f"snapshots-of-{data.parts[-3]}"
    return BtrfsStore(BtrfsTarget(kind="btrfs", name="here", path=str(path)))


def test_a_snapshot_keeps_what_was_and_cannot_be_changed(store: BtrfsStore, data: Path) -> None:
    made = snapshot_volume(store, data)
    (data / "data.db").write_bytes(b"second")
    kept = store.folder_of(made.id, data)
    assert (kept / "data.db").read_bytes() == b"first"
    with pytest.raises(OSError, match="Read-only"):
        (kept / "data.db").write_bytes(b"changed")
    assert [one.id for one in volume_summaries(store)] == [made.id]
    assert (Path(made.place).parent.stat().st_mode & 0o777) == 0o700


def test_it_is_restored_into_a_new_folder(store: BtrfsStore, data: Path, tmp_path: Path) -> None:
    made = snapshot_volume(store, data)
    (data / "storage" / "notes" / "cat.png").unlink()
    copy = restore_volume(store, made.id, data, tmp_path / "restored")
    assert (copy / "storage" / "notes" / "cat.png").read_bytes() == b"cat" * 1000
    (copy / "data.db").write_bytes(b"it is a copy")
    with pytest.raises(BackupSettingsError, match="not empty"):
        restore_volume(store, made.id, data, tmp_path / "restored")
    with pytest.raises(BackupSettingsError, match="no snapshot"):
        restore_volume(store, "20200101T000000Z-000000", data, tmp_path / "other")


def test_retention_removes_old_ones_and_nothing_else(store: BtrfsStore, data: Path) -> None:
    now = datetime.now(UTC)
    ids = [store.take(new_id(now - timedelta(days=days)), data).id for days in (3, 2, 1)]
    foreign = store._folder / "made-by-hand"
    foreign.mkdir()
    pruned = prune_volume(store, RetentionSettings(keep_last=1, daily=0, weekly=0, monthly=0))
    assert [one.id for one in pruned.decisions if not one.stays] == ids[1::-1]
    assert [one.id for one in store.list()] == ids[2:]
    assert foreign.is_dir()
    store.delete(ids[0])  # gone already


def test_a_subvolume_inside_the_data_is_refused(store: BtrfsStore, data: Path) -> None:
    """A snapshot of the outer one would hold an empty folder in its place."""
    run("btrfs", "subvolume", "create", data / "storage" / "inner")
    with pytest.raises(VolumeLayoutError, match="spans volumes"):
        snapshot_volume(store, data)
    assert store.list() == []


def test_a_disk_inside_the_data_is_refused(store: BtrfsStore, data: Path) -> None:
    inner = data / "storage" / "mounted"
    inner.mkdir()
    run("mount", "-t", "tmpfs", "none", inner)
    try:
        with pytest.raises(VolumeLayoutError, match="spans volumes"):
            snapshot_volume(store, data)
    finally:
        run("umount", inner)


def test_data_that_is_not_on_btrfs_is_refused(store: BtrfsStore, tmp_path: Path) -> None:
    (tmp_path / "data.db").write_bytes(b"db")
    with pytest.raises(VolumeLayoutError, match="not on btrfs"):
        snapshot_volume(store, tmp_path)


def test_a_folder_on_another_file_system_is_refused(data: Path, tmp_path: Path) -> None:
    elsewhere = BtrfsStore(BtrfsTarget(kind="btrfs", name="here", path=str(tmp_path / "s")))
    with pytest.raises(VolumeLayoutError, match="another file system"):
        snapshot_volume(elsewhere, data)


def test_what_btrfs_itself_refuses_is_told(store: BtrfsStore, data: Path) -> None:
    made = snapshot_volume(store, data)
    with pytest.raises(TargetError, match="Read-only"):
        store.take(made.id, data)  # there is one of that name

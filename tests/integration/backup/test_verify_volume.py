"""Snapshots of a volume are copied, checked and booted: btrfs on a real loop device."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from backup_kit import Instance

from tinykit_ops.backup.verify_volume import verify_data


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("btrfs")
    image, point = folder / "disk.img", folder / "disk"
    with image.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True)
    point.mkdir()
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", point], check=True)


@pytest.fixture
def copy(instance: Instance, tmp_path: Path) -> Path:
    """The data as a crash leaves it: with a WAL."""
    instance.server.kill()
    assert (instance.server.data / "data.db-wal").stat().st_size > 0
    shutil.copytree(instance.server.data, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_sound_copy_comes_back_with_what_its_wal_holds(instance: Instance, copy: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    verdict = verify_data("20261124T000000Z-aaaaaa", copy, instance.places)
    assert verdict.faults == []
    assert verdict.booted
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_a_missing_upload_is_named(instance: Instance, copy: Path) -> None:
    (lost,) = copy.glob("storage/*/*/secret_*.txt")
    lost.unlink()
    verdict = verify_data("20261124T000000Z-aaaaaa", copy, instance.places)
    assert any(lost.name in fault and "named by a record" in fault for fault in verdict.faults)


def test_a_broken_database_is_named(instance: Instance, copy: Path) -> None:
    (copy / "data.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    (copy / "data.db-wal").unlink()
    verdict = verify_data("20261124T000000Z-aaaaaa", copy, instance.places, boot=False)
    assert verdict.faults and verdict.faults[0].startswith("database")


def test_a_snapshot_of_btrfs_is_verified_from_the_command_line_and_stays(
    instance: Instance, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subvolume = disk / "data"
    subprocess.run(["btrfs", "-q", "subvolume", "create", subvolume], check=True)
    instance.server.kill()
    with closing(sqlite3.connect(instance.server.data / "data.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(instance.server.data, subvolume / "pb_data")
    instance.places = replace(instance.places, data=subvolume / "pb_data")
    path = str(disk / "snapshots")
    instance.targets.append({"kind": "btrfs", "name": "here", "path": path})
    instance.retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    instance.write_config()
    assert instance.run("run") == 0
    assert instance.run("verify") == 0
    assert "booted on the copy" in capsys.readouterr().out
    for _ in range(2):
        assert instance.run("run") == 0
    assert instance.run("list") == 0
    said = capsys.readouterr().out
    assert "good 20" in said and "2 snapshot(s)" in said  # the newest, and the one that was proven
    assert instance.run("status") == 0
    assert "verified 0.0 days ago" in capsys.readouterr().out

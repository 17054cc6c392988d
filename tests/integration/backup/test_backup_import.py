"""A backup of the dashboard becomes a snapshot that verify treats like any other."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from backup_kit import CANARY, Instance, objects, snapshots
from pocketbase_kit import VERSIONS

from tinykit_ops.backup.status import read_status

BOTH = pytest.mark.parametrize("version", VERSIONS)
NAME = "pb_backup_acme_20260102030405.zip"


def dashboard_backup(instance: Instance) -> Path:
    """What the dashboard's button makes, with tinykit's marker in the data folder."""
    marker = instance.server.data / ".setup_complete"
    marker.write_text(json.dumps({"admin_password": CANARY}))
    instance.server.pb.call("POST", "/api/backups", json={"name": NAME})
    return instance.server.data / "backups" / NAME


def without(source: Path, to: Path, *names: str, **more: bytes) -> Path:
    """The same zip with entries left out, or others put in."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to, "w") as new:
        for entry in old.infolist():
            if not any(entry.filename.startswith(name) for name in names):
                new.writestr(entry, more.get(entry.filename) or old.read(entry))
    return to


@BOTH
def test_a_backup_of_the_dashboard_comes_back_like_any_other(
    instance: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    folder = instance.add_directory()
    zipped = dashboard_backup(instance)
    assert ".setup_complete" in zipfile.ZipFile(zipped).namelist()
    assert instance.run("import", str(zipped)) == 0
    (snapshot,) = snapshots(folder)
    assert snapshot.startswith("20260102T030405Z-")
    said = capsys.readouterr().out
    assert "left out: .setup_complete" in said and f"verify {snapshot}" in said
    assert instance.run("verify", snapshot) == 0
    assert instance.run("restore", snapshot, "--to", str(tmp_path / "back")) == 0
    back = tmp_path / "back" / "pb_data"
    assert not (back / ".setup_complete").exists()
    live = {
        path.relative_to(instance.server.data).as_posix(): path.read_bytes()
        for path in (instance.server.data / "storage").rglob("*")
        if path.is_file()
    }
    assert live == {
        path.relative_to(back).as_posix(): path.read_bytes()
        for path in (back / "storage").rglob("*")
        if path.is_file()
    }
    assert not any(CANARY.encode() in (folder / key).read_bytes() for key in objects(folder))
    assert not list(instance.places.work.iterdir())


def test_an_import_is_no_backup_of_today(instance: Instance) -> None:
    instance.add_directory()
    assert instance.run("import", str(dashboard_backup(instance))) == 0
    status = read_status(instance.places.status)
    assert status is None or status.targets["disk"].last_success is None
    assert instance.run("status") == 2


def test_a_zip_whose_uploads_are_missing_is_refused_and_names_them(
    instance: Instance, tmp_path: Path
) -> None:
    folder = instance.add_directory()
    bad = without(dashboard_backup(instance), tmp_path / "bad.zip", "storage/")
    error = instance.failure("import", str(bad))
    assert "cat" in error.what
    assert snapshots(folder) == []


def test_a_zip_whose_database_is_damaged_is_refused(instance: Instance, tmp_path: Path) -> None:
    folder = instance.add_directory()
    zipped = dashboard_backup(instance)
    content = bytearray(zipfile.ZipFile(zipped).read("data.db"))
    content[5000:9000] = b"\xff" * 4000
    bad = without(zipped, tmp_path / "bad.zip", "data.db-wal", **{"data.db": bytes(content)})
    assert instance.failure("import", str(bad)).exit_code in (64, 74)
    assert snapshots(folder) == []
    assert not list(instance.places.work.iterdir())


def test_one_that_the_retention_would_remove_says_so(
    instance: Instance, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    instance.retention = {"keep_last": 1, "daily": 0, "weekly": 0, "monthly": 0}
    instance.add_directory()
    zipped = dashboard_backup(instance)
    assert instance.run("run") == 0
    assert instance.run("import", str(shutil.copy(zipped, tmp_path / NAME))) == 0
    assert "the next prune removes it" in capsys.readouterr().out

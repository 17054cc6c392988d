"""A zip from the dashboard is taken; one that was made to do harm is not."""

from __future__ import annotations

import io
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tinykit_ops.backup import dashboard_zip
from tinykit_ops.backup.dashboard_zip import BadZipError, unpack
from tinykit_ops.backup.errors import BackupSettingsError, NoSpaceError


def make(folder: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], name: str = "b.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries or ():
            archive.writestr(entry, content)
    return path


DB = ("data.db", b"SQLite format 3\0")


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_database_wal_and_uploads_come_out_and_nothing_else(tmp_path: Path) -> None:
    zipped = make(
        tmp_path,
        DB,
        ("data.db-wal", b"w"),
        ("auxiliary.db", b"logs"),
        (".setup_complete", b'{"admin_password": "canary"}'),
        ("types.d.ts", b"x"),
        ("storage/c/r/cat.png", b"cat"),
    )
    done = unpack(zipped, tmp_path / "out")
    assert files(tmp_path / "out") == ["data.db", "data.db-wal", "storage/c/r/cat.png"]
    assert done.dropped == [".setup_complete", "auxiliary.db", "types.d.ts"]
    assert (tmp_path / "out" / "data.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "storage/../../evil",
        "/etc/cron.d/evil",
        "storage//x",
        "storage/./x",
        "storage\\..\\x",
        "storage/a\nb",
        "storage/" + "x" * 300,
    ],
)
def test_a_name_that_would_leave_the_folder_refuses_the_whole_zip(
    tmp_path: Path, name: str
) -> None:
    zipped = make(tmp_path, DB, (name, b"evil"))
    with pytest.raises(BadZipError):
        unpack(zipped, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_in_it_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("storage/c/r/link.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(BadZipError, match="link"):
        unpack(make(tmp_path, DB, (entry, b"/etc/shadow")), tmp_path / "out")


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning):
        zipped = make(tmp_path, DB, ("storage/a/b/c", b"1"), ("storage/a/b/c", b"2"))
    with pytest.raises(BadZipError, match="twice"):
        unpack(zipped, tmp_path / "out")


def test_a_zip_without_a_database_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BadZipError, match=r"no data\.db"):
        unpack(make(tmp_path, ("readme.txt", b"x")), tmp_path / "out")


def test_what_grows_out_of_proportion_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_zip, "FROM_BYTES", 1 << 20)
    zipped = make(tmp_path, DB, ("storage/c/r/zeros", bytes(20 << 20)))
    with pytest.raises(BadZipError, match="made to do harm"):
        unpack(zipped, tmp_path / "out")


def test_entries_that_overlap_are_refused(tmp_path: Path) -> None:
    content = make(tmp_path, DB, ("storage/a/b/c", bytes(range(256)) * 40)).read_bytes()
    # Every entry of the directory points to the same bytes, as in the smallest bombs.
    archive = zipfile.ZipFile(io.BytesIO(content))
    twin = bytearray(content)
    for entry in archive.infolist():
        place = twin.rindex(entry.filename.encode()) - 46 + 20
        twin[place : place + 4] = (len(content)).to_bytes(4, "little")
    (tmp_path / "bomb.zip").write_bytes(twin)
    with pytest.raises(BadZipError, match="overlap"):
        unpack(tmp_path / "bomb.zip", tmp_path / "out")


def test_more_than_the_disk_can_take_is_refused_before_a_byte_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_zip, "MARGIN_BYTES", 1 << 60)
    with pytest.raises(NoSpaceError):
        unpack(make(tmp_path, DB), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("harm", ["cut", "flip", "text", "empty"])
def test_a_damaged_zip_is_told_in_words(tmp_path: Path, harm: str) -> None:
    content = bytearray(make(tmp_path, DB, ("storage/a/b/c", b"words " * 500)).read_bytes())
    if harm == "cut":
        content = content[: len(content) // 2]
    elif harm == "flip":
        start = content.index(b"storage/a/b/c") + len("storage/a/b/c")
        content[start + 6] ^= 0xFF  # in the packed bytes
    elif harm == "text":
        content = bytearray(b"not a zip at all")
    else:
        content = bytearray()
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(BadZipError):
        unpack(tmp_path / "b.zip", tmp_path / "out")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupSettingsError, match="no such file"):
        unpack(tmp_path / "nowhere.zip", tmp_path / "out")


def test_the_time_stands_in_the_name_else_in_the_entries_and_is_never_in_the_future(
    tmp_path: Path,
) -> None:
    named = make(tmp_path, DB, name="pb_backup_acme_20260102030405.zip")
    assert unpack(named, tmp_path / "1").made == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    entry = zipfile.ZipInfo("data.db", (2025, 5, 6, 7, 8, 10))
    unnamed = make(tmp_path, (entry, b"x"), name="mine.zip")
    assert unpack(unnamed, tmp_path / "2").made == datetime(2025, 5, 6, 7, 8, 10, tzinfo=UTC)
    later = make(tmp_path, DB, name="pb_backup_acme_20990102030405.zip")
    assert unpack(later, tmp_path / "3").made <= datetime.now(UTC)

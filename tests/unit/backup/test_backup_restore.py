"""Restoring to a folder: it has its name only when it is complete."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from archive_kit import Small

from tinykit_ops.backup import files, restore
from tinykit_ops.errors import StorageError


def test_what_was_restored_is_on_the_disk_before_the_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, to = Small(tmp_path), tmp_path / "restored"
    index = small.backup()
    flushed: list[tuple[bool, bool]] = []

    def flush(folder: Path) -> None:
        whole = (folder / "pb_data" / "data.db").exists() and not (folder / "boot.tar").exists()
        flushed.append((whole, to.exists()))
        files.flush_file_system(folder)

    monkeypatch.setattr(restore, "flush_file_system", flush)
    restore.restore(small.target, index.id, to, small.identities)

    assert flushed == [(True, False)]
    assert (to / "pb_data/storage/c1/r1/a.txt").read_bytes() == b"hello world" * 1000


def test_a_disk_that_fails_to_keep_it_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Small(tmp_path)
    index = small.backup()
    before = sorted(tmp_path.iterdir())

    def broken(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr(restore, "flush_file_system", broken)
    with pytest.raises(StorageError, match="Input/output error"):
        restore.restore(small.target, index.id, tmp_path / "restored", small.identities)
    assert sorted(tmp_path.iterdir()) == before

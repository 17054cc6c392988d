"""Reports in files: whole or not there, and for their owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tinykit_ops.errors import Exit
from tinykit_ops.report import files
from tinykit_ops.report.files import (
    CannotWriteReportError,
    see_that_it_can_be_written,
    write_private,
)


def test_a_file_is_for_its_owner_alone_whatever_it_was_before(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.touch(mode=0o644)
    write_private(path, "ünïcode\r\n")
    assert path.read_bytes() == "ünïcode\r\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "report.json"
    target.write_text("mine")
    path.symlink_to(target)
    write_private(path, "new")
    assert (target.read_text(), path.is_symlink()) == ("mine", False)


def test_half_a_file_is_never_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(CannotWriteReportError, match="No space left"):
        write_private(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_said_before_an_instance_is_looked_at(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none" / "x", tmp_path / "pipe"):
        with pytest.raises(CannotWriteReportError) as error:
            see_that_it_can_be_written(path)
        assert error.value.exit_code == Exit.CANNOT_CREATE
        assert error.value.hint


def test_looking_whether_it_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 240)
    see_that_it_can_be_written(path)
    assert list(tmp_path.iterdir()) == []
    write_private(path, "fine")
    assert path.read_text() == "fine"

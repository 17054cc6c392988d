"""Small files that are replaced: what a power cut leaves of it."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

import pytest

from tinykit_ops.backup.files import write_atomically


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    """What is flushed, each with the names that lie beside it by then."""
    seen: list[tuple[Path, list[str]]] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        folder = path if path.is_dir() else path.parent
        seen.append((path, sorted(os.listdir(folder))))  # noqa: PTH208
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_the_folder_is_flushed_after_the_new_file_has_its_name(
    tmp_path: Path, flushed: list[tuple[Path, list[str]]]
) -> None:
    write_atomically(tmp_path / "journal", b"begun", mode=0o600)

    assert (tmp_path / "journal").read_bytes() == b"begun"
    assert flushed[-1] == (tmp_path, ["journal"])
    assert [path.parent for path, _ in flushed] == [tmp_path, tmp_path.parent]  # content, then name


def test_a_disk_that_fails_leaves_a_whole_file_and_no_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "journal", b"old")

    def broken(handle: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        write_atomically(tmp_path / "journal", b"new")
    assert os.listdir(tmp_path) == ["journal"]  # noqa: PTH208
    assert (tmp_path / "journal").read_bytes() == b"old"


def test_a_link_that_somebody_planted_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "shadow"
    precious.write_text("root:x")
    precious.chmod(0o600)
    folder = tmp_path / "of-pocketbase"
    folder.mkdir()
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    (folder / ".moved.guessed.tmp").symlink_to(precious)
    (folder / "moved").symlink_to(precious)

    with pytest.raises(FileExistsError):
        write_atomically(folder / "moved", b"moved\n")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "not guessed")
    write_atomically(folder / "moved", b"moved\n")

    assert (folder / "moved").read_bytes() == b"moved\n" and not (folder / "moved").is_symlink()
    assert precious.read_text() == "root:x" and precious.stat().st_mode & 0o777 == 0o600

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tinykit_ops.backup import upload_hashes
from tinykit_ops.backup.upload_hashes import UploadHashes

SHA = "a" * 64


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of these tests are as good as old."""
    monkeypatch.setattr(upload_hashes, "SETTLED_NS", 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(b"cat")
    return path


def test_a_hash_is_known_in_the_next_run(tmp_path: Path, file: Path) -> None:
    with UploadHashes(tmp_path / "state" / "hashes.db") as hashes:
        assert hashes.get("cat.png", file.stat()) is None
        hashes.remember("cat.png", file.stat(), SHA)
    with UploadHashes(tmp_path / "state" / "hashes.db") as hashes:
        assert hashes.get("cat.png", file.stat()) == SHA
        assert hashes.get("dog.png", file.stat()) is None
    assert (tmp_path / "state" / "hashes.db").stat().st_mode & 0o777 == 0o600


def test_content_that_changed_with_size_and_times_kept_is_read_again(
    tmp_path: Path, file: Path
) -> None:
    before = file.stat()
    with UploadHashes(tmp_path / "hashes.db") as hashes:
        hashes.remember("cat.png", before, SHA)
        time.sleep(0.02)  # the kernel's clock for files ticks every 4 ms or so
        file.write_bytes(b"dog")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_mtime_ns == before.st_mtime_ns
        assert hashes.get("cat.png", file.stat()) is None


def test_another_file_of_the_same_name_is_read(tmp_path: Path, file: Path) -> None:
    with UploadHashes(tmp_path / "hashes.db") as hashes:
        hashes.remember("cat.png", file.stat(), SHA)
        other = tmp_path / "other"
        other.write_bytes(b"dog")
        other.replace(file)
        assert hashes.get("cat.png", file.stat()) is None


def test_a_file_that_was_written_just_now_is_not_remembered(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_hashes, "SETTLED_NS", 3600 * 10**9)
    with UploadHashes(tmp_path / "hashes.db") as hashes:
        hashes.remember("cat.png", file.stat(), SHA)
        assert hashes.get("cat.png", file.stat()) is None


def test_files_that_are_gone_are_forgotten(tmp_path: Path, file: Path) -> None:
    with UploadHashes(tmp_path / "hashes.db") as hashes:
        for name in ("stays", "goes", "wrong"):
            hashes.remember(name, file.stat(), SHA)
        hashes.forget("wrong")
        hashes.keep_only(["stays", "wrong"])
        known = [n for n in ("stays", "goes", "wrong") if hashes.get(n, file.stat())]
    assert known == ["stays"]


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(5000)])
def test_a_broken_memory_only_costs_reading_again(
    tmp_path: Path, file: Path, content: bytes
) -> None:
    memory = tmp_path / "hashes.db"
    memory.write_bytes(content)
    with UploadHashes(memory) as hashes:
        assert hashes.get("cat.png", file.stat()) is None
        hashes.remember("cat.png", file.stat(), SHA)
    with UploadHashes(memory) as hashes:
        assert hashes.get("cat.png", file.stat()) == SHA

"""Looking into archives, most of which must be refused."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.release.inspect import inspect_archive
from tinykit_ops.release.model import ArchiveError
from tinykit_ops.release.pack import pack

GOOD = {
    "build/index.js": b"1",
    "package.json": b'{"name": "tinykit"}',
    "node_modules/x/index.js": b"x",
    "pocketbase/pb_migrations/1.js": b"migrate()",
}


@pytest.fixture
def archive(built_tree: Path, tmp_path: Path) -> Path:
    path = tmp_path / "good.tar.zst"
    pack(built_tree, path, mtime=1, metadata={"commit": "c" * 40, "node": "20.1.0"})
    return path


def _write(path: Path, change: Callable[[tarfile.TarFile], None] = lambda tar: None) -> Path:
    """A good archive, and whatever `change` adds to it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in GOOD.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        change(tar)
    path.write_bytes(zstandard.compress(raw.getvalue()))
    return path


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = kind, link, mode
        tar.addfile(info)

    return add


def test_an_archive_tells_what_it_is(archive: Path) -> None:
    info = inspect_archive(archive)
    assert (info.app, info.commit, info.node) == ("tinykit", "c" * 40, "20.1.0")
    assert info.sha256 == file_sha256(archive)
    assert info.size == archive.stat().st_size


def test_an_archive_made_by_hand_is_fine_but_says_no_commit(tmp_path: Path) -> None:
    info = inspect_archive(_write(tmp_path / "hand.tar.zst"))
    assert (info.app, info.commit) == ("tinykit", "")


@pytest.mark.parametrize(
    ("add", "why"),
    [
        (_member("/etc/passwd"), "outside"),
        (_member("../outside"), "outside"),
        (_member("build/../../outside"), "outside"),
        (_member("build/../build/x"), r"\.\."),
        (_member("build/link", tarfile.SYMTYPE, "/etc/passwd"), "links outside"),
        (_member("build/link", tarfile.SYMTYPE, "../../outside"), "links outside"),
        (_member("build/hard", tarfile.LNKTYPE, "../../etc/passwd"), "hard link"),
        (_member("build/hard", tarfile.LNKTYPE, "nothing"), "hard link"),
        (_member("build/device", tarfile.CHRTYPE), "neither file"),
        (_member("build/disk", tarfile.BLKTYPE), "neither file"),
        (_member("build/pipe", tarfile.FIFOTYPE), "neither file"),
        (_member("build/sudo", mode=0o4755), "setuid"),
    ],
)
def test_a_member_that_could_leave_its_folder_is_refused(
    add: Callable[[tarfile.TarFile], None], why: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=why):
        inspect_archive(_write(tmp_path / "bad.tar.zst", add))


def test_writing_through_a_link_is_refused(tmp_path: Path) -> None:
    def add(tar: tarfile.TarFile) -> None:
        _member("build/link", tarfile.SYMTYPE, "client")(tar)
        _member("build/link/file")(tar)

    with pytest.raises(ArchiveError, match="through a link"):
        inspect_archive(_write(tmp_path / "bad.tar.zst", add))


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_an_archive_that_lacks_a_part_names_it(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(GOOD, missing)
    with pytest.raises(ArchiveError, match=missing.split("/")[0]):
        inspect_archive(_write(tmp_path / "bad.tar.zst"))


def test_a_folder_around_everything_is_explained(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in GOOD:
            tar.addfile(tarfile.TarInfo(f"tinykit/{name}"))
    path = tmp_path / "bad.tar.zst"
    path.write_bytes(zstandard.compress(raw.getvalue()))
    with pytest.raises(ArchiveError) as refused:
        inspect_archive(path)
    assert "at the top of the archive" in refused.value.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(share=st.floats(min_value=0, max_value=1, exclude_max=True))
def test_a_truncated_archive_is_refused_wherever_it_ends(
    share: float, archive: Path, tmp_path: Path
) -> None:
    content = archive.read_bytes()
    cut = tmp_path / "cut.tar.zst"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ArchiveError):
        inspect_archive(cut)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_seen_or_changes_the_hash(
    place: int, change: int, archive: Path, tmp_path: Path
) -> None:
    content = bytearray(archive.read_bytes())
    content[place % len(content)] ^= change
    bad = tmp_path / "bad.tar.zst"
    bad.write_bytes(content)
    with contextlib.suppress(ArchiveError):
        assert inspect_archive(bad).sha256 != file_sha256(archive)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"\x1f\x8b gzip", b"text\n" * 9])
def test_something_else_is_not_taken_for_an_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.tar.zst"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"not zstd|cut short"):
        inspect_archive(path)


def test_zstd_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.zst"
    path.write_bytes(zstandard.compress(b"no tar " * 1000))
    with pytest.raises(ArchiveError, match="damaged"):
        inspect_archive(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="No such file") as refused:
        inspect_archive(tmp_path / "nothing.tar.zst")
    assert "nothing.tar.zst" in refused.value.where


def test_a_bomb_is_refused_before_it_is_unpacked(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinykit_ops.release.inspect.MAX_UNPACKED", 10)
    with pytest.raises(ArchiveError, match="unpacks to more"):
        inspect_archive(archive)

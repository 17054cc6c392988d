"""Packing a built tree."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.release.model import ArchiveError
from tinykit_ops.release.pack import Packed, pack

COMMIT_TIME = 1_700_000_000


def _pack(tree: Path, archive: Path) -> Packed:
    return pack(tree, archive, mtime=COMMIT_TIME, metadata={"commit": "c" * 40})


def _members(archive: Path) -> list[tarfile.TarInfo]:
    with zstandard.open(archive, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        return list(tar)


def test_the_same_tree_packed_twice_gives_the_same_bytes(built_tree: Path, tmp_path: Path) -> None:
    _pack(built_tree, tmp_path / "one")
    for path in built_tree.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    (built_tree / "build/index.js").chmod(0o600)
    (built_tree / "node_modules/tool/cli.js").chmod(0o700)
    _pack(built_tree, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_archive_holds_what_a_host_needs_and_nothing_else(
    built_tree: Path, tmp_path: Path
) -> None:
    _pack(built_tree, tmp_path / "archive")
    assert [member.name for member in _members(tmp_path / "archive")] == [
        "build",
        "build/client",
        "build/client/a.txt",
        "build/index.js",
        "node_modules",
        "node_modules/.bin",
        "node_modules/.bin/tool",
        "node_modules/tool",
        "node_modules/tool/cli.js",
        "package.json",
        "pocketbase",
        "pocketbase/pb_migrations",
        "pocketbase/pb_migrations/1_first.js",
        "release.json",
    ]


def test_members_belong_to_root_with_plain_modes_and_the_commits_time(
    built_tree: Path, tmp_path: Path
) -> None:
    _pack(built_tree, tmp_path / "archive")
    members = _members(tmp_path / "archive")
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, COMMIT_TIME)}
    modes = {member.name: member.mode for member in members if not member.issym()}
    assert modes["node_modules/tool/cli.js"] == 0o755
    assert modes["build/index.js"] == 0o644
    assert modes["build"] == 0o755


def test_links_between_packages_stay_links(built_tree: Path, tmp_path: Path) -> None:
    _pack(built_tree, tmp_path / "archive")
    links = {m.name: m.linkname for m in _members(tmp_path / "archive") if m.issym()}
    assert links == {"node_modules/.bin/tool": "../tool/cli.js"}


def test_an_app_without_dependencies_still_gets_its_node_modules_folder(
    built_tree: Path, tmp_path: Path
) -> None:
    for path in sorted((built_tree / "node_modules").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    (built_tree / "node_modules").rmdir()
    _pack(built_tree, tmp_path / "archive")
    assert "node_modules" in [member.name for member in _members(tmp_path / "archive")]


def test_a_tree_that_was_not_built_is_refused(built_tree: Path, tmp_path: Path) -> None:
    (built_tree / "package.json").unlink()
    with pytest.raises(ArchiveError, match="lacks a part"):
        _pack(built_tree, tmp_path / "archive")


def test_a_socket_in_the_tree_is_refused(built_tree: Path, tmp_path: Path) -> None:
    os.mkfifo(built_tree / "build" / "pipe")
    with pytest.raises(ArchiveError, match="sockets, pipes or devices"):
        _pack(built_tree, tmp_path / "archive")


def test_the_noted_hash_and_size_are_those_of_the_file(built_tree: Path, tmp_path: Path) -> None:
    packed = _pack(built_tree, tmp_path / "archive")
    assert packed.sha256 == file_sha256(tmp_path / "archive")
    assert packed.size == (tmp_path / "archive").stat().st_size
    with zstandard.open(tmp_path / "archive", "rb") as stream:
        assert packed.unpacked_size < len(io.BytesIO(stream.read()).getvalue())

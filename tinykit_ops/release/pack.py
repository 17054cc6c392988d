"""From a built tree to one archive, the same bytes every time.

Names are sorted, owners are 0/0, times are the commit's, modes are 0755 or 0644, and zstd runs
in one thread at a fixed level. Links stay links.
"""

from __future__ import annotations

import io
import json
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import zstandard

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.release.model import ArchiveError

ZSTD_LEVEL = 12
#: What a host needs to run the app, and nothing else.
CONTENTS = ("build", "node_modules", "package.json", "pocketbase/pb_migrations")
METADATA = "release.json"
# Tools leave scratch files there that differ from build to build.
_SCRATCH = ("node_modules/.cache", "node_modules/.vite", "node_modules/.package-lock.json")


@dataclass(frozen=True)
class Packed:
    """A written archive; sizes in bytes."""

    sha256: str
    size: int
    unpacked_size: int


def pack(tree: Path, archive: Path, *, mtime: int, metadata: Mapping[str, object]) -> Packed:
    """Write `archive` (tar.zst) from the built `tree`.

    Args:
        tree: a folder that holds all of CONTENTS; node_modules may be missing or empty.
        archive: the file to write; replaced if it exists.
        mtime: modification time of every member, seconds since the epoch.
        metadata: becomes release.json inside; must not hold anything that changes between runs.

    Raises ArchiveError when a needed part is missing or is neither file, folder nor link.
    """
    unpacked = 0
    with archive.open("wb") as file:
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True, threads=0)
        with (
            compressor.stream_writer(file, closefd=False) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name in _members(tree):
                unpacked += _add(tar, tree / name, name, mtime)
            text = json.dumps(dict(metadata), indent=2, sort_keys=True) + "\n"
            info = _entry(METADATA, mtime)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return Packed(file_sha256(archive), archive.stat().st_size, unpacked + info.size)


def _members(tree: Path) -> Iterator[str]:
    """Names relative to the tree, parents before children, sorted by their bytes."""
    names = {"node_modules", "pocketbase"}
    for top in CONTENTS:
        path = tree / top
        if not path.exists() and top != "node_modules":
            raise ArchiveError("The built tree lacks a part of a release.", where=str(path))
        names.add(top)
        if path.is_dir():
            names.update(str(child.relative_to(tree)) for child in path.rglob("*"))
    for name in sorted(names, key=lambda name: name.encode(errors="surrogateescape")):
        if not any(name == scratch or name.startswith(scratch + "/") for scratch in _SCRATCH):
            yield name


def _entry(name: str, mtime: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime = mtime
    info.mode = 0o644
    return info


def _add(tar: tarfile.TarFile, path: Path, name: str, mtime: int) -> int:
    info = _entry(name, mtime)
    if path.is_symlink():
        info.type = tarfile.SYMTYPE
        info.linkname = str(path.readlink())
        info.mode = 0o777
        tar.addfile(info)
    elif path.is_dir() or not path.exists():
        info.type = tarfile.DIRTYPE
        info.mode = 0o755
        tar.addfile(info)
    elif path.is_file():
        mode = path.stat()
        info.size = mode.st_size
        info.mode = 0o755 if mode.st_mode & stat.S_IXUSR else 0o644
        with path.open("rb") as file:
            tar.addfile(info, file)
    else:
        raise ArchiveError("A release cannot hold sockets, pipes or devices.", where=str(path))
    return info.size

"""Looking into an archive before anything trusts it."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

from tinykit_ops.release.model import ArchiveError, ReleaseInfo
from tinykit_ops.release.pack import METADATA

NEEDED = ("build/index.js", "package.json")
MIGRATIONS = "pocketbase/pb_migrations/"
MAX_UNPACKED = 4 * 1024**3  #: bytes; tinykit unpacks to 0.25 GB
_MAX_TEXT = 1024 * 1024


def inspect_archive(path: Path) -> ReleaseInfo:
    """Read a release archive from end to end and tell what it is.

    Returns its hash, sizes, app name and, if it carries release.json, commit and node version.

    Raises ArchiveError if it cannot be read, is not zstd, is truncated or damaged, lacks a part
    that a host needs, or holds a member that could write outside of its folder.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            stream = _ZstdStream(file, path)
            found = _Contents(path)
            try:
                with tarfile.open(fileobj=io.BufferedReader(stream), mode="r|") as tar:
                    for member in tar:
                        found.look_at(tar, member)
                stream.drain()
            except tarfile.TarError as error:
                raise _damaged(path, f"its tar stream ends or breaks ({error})") from None
    except OSError as error:
        raise ArchiveError(
            f"The archive cannot be read: {error.strerror}.", where=str(path)
        ) from None
    found.require_a_release()
    return ReleaseInfo(
        archive=path,
        sha256=stream.sha256.hexdigest(),
        commit=str(found.metadata.get("commit", "")),
        app=str(found.package.get("name", "")),
        node=str(found.metadata.get("node", "")),
        size=size,
        unpacked_size=found.unpacked_size,
        dirty=bool(found.metadata.get("dirty", False)),
    )


class _Contents:
    """What was seen of an archive so far."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.names: set[str] = set()
        self.links: set[str] = set()
        self.package: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.unpacked_size = 0

    def look_at(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = posixpath.normpath(member.name)
        self._refuse_unsafe(member, name)
        self.unpacked_size += member.size
        if self.unpacked_size > MAX_UNPACKED:
            raise self._unsafe(member, f"unpacks to more than {MAX_UNPACKED // 1024**3} GB")
        self.names.add(name)
        if member.issym():
            self.links.add(name)
        if name == "package.json":
            self.package = self._json(tar, member)
        elif name == METADATA:
            self.metadata = self._json(tar, member)

    def require_a_release(self) -> None:
        lacking = [name for name in NEEDED if name not in self.names]
        if not any(name.startswith("node_modules") for name in self.names):
            lacking.append("node_modules/")
        if not any(name.startswith(MIGRATIONS) and name.endswith(".js") for name in self.names):
            lacking.append(f"{MIGRATIONS}*.js")
        if lacking:
            raise ArchiveError(
                f"The archive is not a tinykit release: it lacks {', '.join(lacking)}.",
                where=str(self.archive),
                hint="Make one with `tinykit-ops release build`; these names must be at the top "
                "of the archive, in no folder of their own.",
            )

    def _refuse_unsafe(self, member: tarfile.TarInfo, name: str) -> None:
        if member.name.startswith("/") or name == ".." or name.startswith("../"):
            raise self._unsafe(member, "would be written outside of the release folder")
        if ".." in member.name.split("/"):
            raise self._unsafe(member, "has '..' in its path")
        if any(parent in self.links for parent in _parents(name)):
            raise self._unsafe(member, "would be written through a link")
        if member.issym():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
            if member.linkname.startswith("/") or target == ".." or target.startswith("../"):
                raise self._unsafe(member, f"links outside of the release ({member.linkname})")
        elif member.islnk():
            if posixpath.normpath(member.linkname) not in self.names:
                raise self._unsafe(member, "is a hard link to something outside of the archive")
        elif not (member.isfile() or member.isdir()):
            raise self._unsafe(member, "is neither file, folder nor link")
        if member.mode & 0o7000 and not member.isdir():
            raise self._unsafe(member, "has setuid, setgid or sticky bits")

    def _unsafe(self, member: tarfile.TarInfo, why: str) -> ArchiveError:
        return ArchiveError(
            f"The archive is refused: its member {member.name!r} {why}.",
            where=str(self.archive),
            hint="`tinykit-ops release build` does not make such archives; do not trust this one.",
        )

    def _json(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
        file = tar.extractfile(member)
        try:
            value = json.loads(file.read(_MAX_TEXT)) if file else None
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise _damaged(self.archive, f"its {member.name} is not JSON")
        return value


class _ZstdStream(io.RawIOBase):
    """Decompresses a file, hashing what it reads; unlike zstandard's reader it sees truncation."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.sha256 = hashlib.sha256()
        self._file = file
        self._path = path
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            chunk = self._file.read(1 << 18)
            if not chunk:
                if not self._frame.eof:
                    raise _damaged(self._path, "it is cut short")
                return 0
            self.sha256.update(chunk)
            self._ready = self._decompress(chunk)
        length = min(len(buffer), len(self._ready))
        buffer[:length] = self._ready[:length]
        self._ready = self._ready[length:]
        return length

    def drain(self) -> None:
        """Read the rest, so that the hash covers the whole file and its end is checked."""
        scratch = bytearray(1 << 18)
        while self.readinto(scratch):
            pass

    def _decompress(self, chunk: bytes) -> bytes:
        out = b""
        try:
            while chunk:
                if self._frame.eof:
                    self._frame = zstandard.ZstdDecompressor().decompressobj()
                out += self._frame.decompress(chunk)
                self._begun = True
                chunk = self._frame.unused_data if self._frame.eof else b""
        except zstandard.ZstdError as error:
            if not self._begun:
                raise ArchiveError(
                    "The archive is not zstd-compressed.",
                    where=str(self._path),
                    hint="A release is a .tar.zst file made by `tinykit-ops release build`.",
                ) from None
            raise _damaged(self._path, f"zstd says: {error}") from None
        return out


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(
        f"The archive is damaged: {why}.",
        where=str(path),
        hint="Copy or build it again, and compare its sha256 with the one noted beside it.",
    )

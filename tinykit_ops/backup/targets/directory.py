"""A folder on another disk or mount as a target."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from tinykit_ops.backup.errors import (
    BackupError,
    NotStoredError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)
from tinykit_ops.backup.files import sync_folder
from tinykit_ops.backup.targets import Readable, StoredObject, recipients_of
from tinykit_ops.settings.backup_targets import DirectoryTarget

CHUNK = 1 << 20
PARTIAL = ".partial-"  #: files that begin so were never finished


class DirectoryStore:
    """Objects are files; a new one appears by rename, after its bytes are on the disk.

    The folder itself is not made here: when its disk is not mounted, it must not be mistaken for
    an empty one on the disk that holds the data.
    """

    resumes = False

    def __init__(self, settings: DirectoryTarget) -> None:
        self.name = settings.name
        self.encryption = recipients_of(settings)
        self._root = Path(settings.path)
        self._must_be_mount = settings.must_be_mount

    def check_writable(self) -> None:
        """Prove that an object can be stored."""
        self.put("write-test", _Bytes(datetime.now(UTC).isoformat().encode()))

    def put(self, key: str, stream: Readable) -> None:
        """Store all that the stream gives under that key, or nothing."""
        self._look_for_disk()
        path = self._root / key
        partial = path.with_name(f"{PARTIAL}{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                while chunk := stream.read(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            self._forget(partial)
            self._fail("write", key, error)
        except BaseException:
            self._forget(partial)
            raise

    def _look_for_disk(self) -> None:
        """At every `put`: a disk can go away in the middle of a run."""
        if not self._root.is_dir():
            raise TargetUnreachableError(
                f"The folder of target {self.name!r} is not there",
                where=str(self._root),
                hint="is the disk mounted? make the folder once it is",
            )
        if self._must_be_mount and self._root.stat().st_dev == Path("/").stat().st_dev:
            raise TargetUnreachableError(
                f"The folder of target {self.name!r} is not on a disk of its own",
                where=str(self._root),
                hint="mount its disk; nothing was written to the root file system",
            )

    @contextmanager
    def get(self, key: str) -> Iterator[Readable]:
        """Open an object."""
        try:
            file = (self._root / key).open("rb")
        except OSError as error:
            self._fail("read", key, error)
        with file:
            yield file

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key starts so."""
        folder = self._root / prefix.rpartition("/")[0]
        if not self._root.is_dir():
            self._fail("list", "", FileNotFoundError(errno.ENOENT, "no such folder"))
        for path in sorted(folder.rglob("*")):
            key = path.relative_to(self._root).as_posix()
            if path.name.startswith(PARTIAL) or not key.startswith(prefix):
                continue
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue  # deleted while we looked
            if path.is_file():
                yield StoredObject(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, key: str) -> None:
        """Remove an object, and its folder when that is empty then."""
        path = self._root / key
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._fail("delete", key, error)
        if path.parent != self._root:
            try:
                path.parent.rmdir()
            except OSError:
                return  # not empty

    def tidy(self) -> None:
        """Remove files that were never finished."""
        for path in self._root.rglob(f"{PARTIAL}*"):
            self._forget(path)

    @staticmethod
    def _forget(partial: Path) -> None:
        try:
            partial.unlink(missing_ok=True)
        except OSError:
            return  # it does not look like an object, and the next run tries again

    def _fail(self, action: str, key: str, error: OSError) -> NoReturn:
        where = str(self._root / key)
        what = f"Target {self.name!r} could not {action} ({error.strerror or error})"
        raise _KINDS.get(error.errno or 0, TargetError)(
            what, where=where, hint=_HINTS.get(error.errno or 0, "see `dmesg` for disk errors")
        ) from None


class _Bytes:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1, /) -> bytes:
        content, self._content = self._content, b""
        return content


_KINDS: dict[int, type[BackupError]] = {
    errno.ENOENT: NotStoredError,
    errno.EACCES: TargetAccessError,
    errno.EPERM: TargetAccessError,
    errno.EROFS: TargetAccessError,
}
_HINTS = {
    errno.ENOENT: "was it deleted by hand? `tinykit-ops backup verify --all` finds all that lack",
    errno.ENOSPC: "the target's disk is full: free space there, or keep fewer snapshots",
    errno.EDQUOT: "the target's quota is used up: free space there, or keep fewer snapshots",
    errno.EACCES: "let root write to that folder",
    errno.EPERM: "let root write to that folder",
    errno.EROFS: "the target is mounted read-only",
}

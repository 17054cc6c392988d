"""Hashes of uploads, remembered on the host, so that a run reads only files that it does not know.

PocketBase never changes a stored file. All the same a hash is taken only for a file with the same
size, inode and times; the time of the last change of the inode is among them, which nobody but
the kernel sets.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

#: A file that changed so shortly before it was read may change again within the same tick.
SETTLED_NS = 2_000_000_000
_TABLE = """
CREATE TABLE IF NOT EXISTS hashes (
    path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER, sha256 TEXT
) WITHOUT ROWID
"""


class UploadHashes:
    """A small database of ours; a broken or lost one only costs reading everything again.

    Args:
        file: made when it is not there, for root alone.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = _open(file) or _open_anew(file) or _connect(":memory:")

    def get(self, path: str, found: os.stat_result) -> str | None:
        """The SHA-256 (hex) of that upload when it is unchanged since it was remembered."""
        query = (
            "SELECT sha256 FROM hashes"
            " WHERE path = ? AND size = ? AND mtime = ? AND ctime = ? AND inode = ?"
        )
        with self._lock:
            row = self._db.execute(query, (path, *_marks(found))).fetchone()
        return str(row[0]) if row else None

    def remember(self, path: str, found: os.stat_result, sha256: str) -> None:
        """Note a hash; `found` is from before the file was read."""
        if time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < SETTLED_NS:
            return
        row = (path, *_marks(found), sha256)
        with self._lock, suppress(sqlite3.Error):  # a full disk: then it is read again
            self._db.execute("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget(self, path: str) -> None:
        """The hash turned out wrong."""
        with self._lock:
            self._db.execute("DELETE FROM hashes WHERE path = ?", (path,))

    def keep_only(self, paths: Sequence[str]) -> None:
        """Forget the files that are gone."""
        with self._lock, suppress(sqlite3.Error):  # a full disk: then they are remembered
            self._db.execute("CREATE TEMP TABLE present (path TEXT PRIMARY KEY) WITHOUT ROWID")
            self._db.executemany("INSERT INTO present VALUES (?)", ((path,) for path in paths))
            self._db.execute("DELETE FROM hashes WHERE path NOT IN (SELECT path FROM present)")
            self._db.execute("DROP TABLE present")

    def __enter__(self) -> UploadHashes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """What was learned is kept also when the run failed."""
        try:
            self._db.commit()
        except sqlite3.Error:
            pass  # a full disk: the next run reads the files again
        finally:
            self._db.close()


def _open(file: Path) -> sqlite3.Connection | None:
    """None when it is broken, or the disk has no room for it."""
    try:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        return _connect(str(file))
    except (sqlite3.DatabaseError, OSError):
        return None


def _open_anew(file: Path) -> sqlite3.Connection | None:
    with suppress(OSError):
        file.unlink(missing_ok=True)
    return _open(file)


def _connect(name: str) -> sqlite3.Connection:
    db = sqlite3.connect(name, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(_TABLE)
        db.execute("SELECT count(*) FROM hashes WHERE inode < 0").fetchone()
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _marks(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino

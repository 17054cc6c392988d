"""Copies of the databases of a server that is about to be stopped, made in two passes.

    python -I -c SOURCE DATA COPIES

The first pass reads what is in use, and may get a torn picture; it takes as long as it takes. Then
a line `ready` is printed. When a line comes on stdin the server has ended, and the second pass
brings over only the blocks that changed since: for those two moments nobody is served. At the end
COPIES is there, whole and on the disk, or not at all.

Reads files as they are, which disturbs no SQLite: its locks belong to the process that took them.
Runs as PocketBase's user; a link that a broken-into PocketBase left is not followed.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 1 << 20
PARTS = ("*.db", "*.db-wal")
READY = "ready\n"


def main() -> int:
    """Exit code 0 when the copies are there."""
    data, copies = Path(sys.argv[1]), Path(sys.argv[2])
    partial = copies.with_name(f"{copies.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        bring_over(data, partial)
        print(READY, end="", flush=True)
        if not sys.stdin.readline():
            return 1  # whoever asked went away
        bring_over(data, partial)
        partial.rename(copies)
        _to_disk(copies.parent)
    except OSError as error:
        print(f"{error.strerror}: {error.filename or data}", file=sys.stderr)
        return 1
    return 0


def bring_over(data: Path, copies: Path) -> None:
    """Make `copies` hold what `data` holds now, and write only what differs.

    Raises: OSError.
    """
    names = {path.name for part in PARTS for path in data.glob(part)}
    for path in copies.iterdir():
        if path.name not in names:
            path.unlink()
    for name in sorted(names):
        _file(data / name, copies / name)
    _to_disk(copies)


def _file(source: Path, target: Path) -> None:
    try:
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if source.is_symlink() or not source.exists():  # SQLite removes a -wal by itself
            return
        raise
    try:
        found = os.fstat(reading)
        if not stat.S_ISREG(found.st_mode):
            return
        writing = os.open(
            target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, stat.S_IMODE(found.st_mode)
        )
        try:
            _blocks(reading, writing)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _blocks(reading: int, writing: int) -> None:
    """What is not the same is written. The end of the file is wherever reading ends."""
    place = 0
    for block in _read(reading):
        if os.pread(writing, len(block), place) != block:
            _write(writing, block, place)
        place += len(block)
    os.ftruncate(writing, place)
    os.fsync(writing)


def _read(reading: int) -> Iterator[bytes]:
    while block := os.read(reading, BLOCK_BYTES):
        yield block


def _write(writing: int, block: bytes, place: int) -> None:
    done = 0
    while done < len(block):
        done += os.pwrite(writing, block[done:], place + done)


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())

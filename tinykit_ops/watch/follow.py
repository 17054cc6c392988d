"""Reading a log that grows, from where the last reading ended.

The log may have been renamed, compressed, emptied or removed since. A file is known again by its
first bytes, which neither a new name nor gzip changes, and an inode's number may come back.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import BaseModel

from tinykit_ops.backup.beneath import PlantedLinkError, open_file

HEAD = 512  #: bytes that a file is known by
CHUNK = 1 << 20
_UNREADABLE = (OSError, EOFError, zlib.error, PlantedLinkError)
LONGEST = 1 << 20  #: a longer line is not kept in memory, and not understood


class Position(BaseModel):
    """How far a log was read: `offset` bytes of the file that begins with `head`.

    `head_bytes` is the number of bytes that the hash `head` is of: a young file has fewer.
    """

    head: str = ""
    head_bytes: int = 0
    offset: int = 0


@dataclass
class Follower:
    """Reads what is new; `position` moves on as its lines are taken.

    Attributes:
        gap: lines were lost: the file that was read last has gone.
    """

    log: Path
    position: Position
    gap: bool = False

    def lines(self) -> Iterator[bytes]:
        """The complete lines that are new, oldest first; a last half one is left for next time."""
        if not self._goes_on(self.log):
            yield from self._rest_of_rolled()
            self.position = Position()
        if self.log.exists():
            yield from self._read(self.log)

    def _rest_of_rolled(self) -> Iterator[bytes]:
        """What is left of the file that was read last, and of those that came and went since."""
        rolled = self._rolled()
        known = next((number for number, one in enumerate(rolled) if self._goes_on(one)), None)
        if known is None:
            # An empty file that was emptied again has lost nothing.
            self.gap = self.position.offset > 0
            return
        yield from self._read(rolled[known])
        for path in rolled[known + 1 :]:
            self.position = Position()
            yield from self._read(path)

    def _rolled(self) -> list[Path]:
        """Older files of this log, oldest first: access.log.1, access-2026….log.gz and such.

        While a file is compressed it is there twice; the plain one is whole.
        """
        found = {
            path
            for path in self.log.parent.glob(f"{self.log.stem}*")
            if path != self.log and path.is_file() and ".log" in path.name
        }
        twice = {path for path in found if path.suffix == ".gz" and path.with_suffix("") in found}
        return sorted(found - twice, key=_age)

    def _goes_on(self, path: Path) -> bool:
        """Whether this is the file that was read last, and at least as long as it was then."""
        if self.position.head_bytes == 0:
            return path == self.log
        try:
            with _opened(path) as file:
                head = file.read(self.position.head_bytes)
                longer = path.suffix == ".gz" or path.stat().st_size >= self.position.offset
        except _UNREADABLE:
            return False
        return longer and _hash(head) == self.position.head

    def _read(self, path: Path) -> Iterator[bytes]:
        try:
            with _opened(path) as file:
                if self.position.head_bytes < HEAD:
                    head = file.read(HEAD)
                    self.position.head, self.position.head_bytes = _hash(head), len(head)
                file.seek(self.position.offset)
                yield from self._complete(file)
        except _UNREADABLE:
            # It goes on with what can be read; a damaged archive is lost lines.
            self.gap = True

    def _complete(self, file: BinaryIO) -> Iterator[bytes]:
        rest, skipping = b"", False
        while chunk := file.read(CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self.position.offset += len(line) + 1
                if not skipping:
                    yield line
                skipping = False
            if len(rest) > LONGEST:
                self.position.offset += len(rest)
                rest, skipping = b"", True


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The folder is the edge's user's: a pipe planted there would be waited for for ever."""
    with open_file(path) as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile(fileobj=file) as plain:
            yield cast("BinaryIO", plain)


def _age(path: Path) -> tuple[int, str]:
    """Sorts the oldest first: logrotate counts up from the newest, Caddy writes the time."""
    number = re.search(r"\.log\.(\d+)", path.name)
    return (-int(number[1]) if number else 0, path.name.removesuffix(".gz"))


def _hash(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()

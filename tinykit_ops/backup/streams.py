"""Streams that measure what passes, or remember what failed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO

from tinykit_ops.backup.targets import Readable


@dataclass(frozen=True)
class Measure:
    """SHA-256 (hex) and length (bytes) of a stream."""

    sha256: str
    size: int


class Whole:
    """Bytes that are all in memory and were hashed once: a stream that nobody has to hash again.

    Attributes:
        measure: of all of it; it stays after `drop`.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.measure = Measure(hashlib.sha256(content).hexdigest(), len(content))
        self._read = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        end = len(self.content) if size < 0 else self._read + size
        piece = self.content[self._read : end]
        self._read += len(piece)
        return piece

    @property
    def sha256(self) -> str:
        """Of all of it (hex)."""
        return self.measure.sha256

    def drop(self) -> None:
        """Nobody needs the bytes any more; others may still hold this object."""
        self.content = b""


class Meter:
    """Hashes and counts what is read or written through it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Read from the stream."""
        content: bytes = self._stream.read(size)
        self._count(content)
        return content

    def write(self, content: bytes, /) -> int:
        """Write to the stream, all of it."""
        self._stream.write(content)
        self._count(content)
        return len(content)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def _count(self, content: bytes) -> None:
        self._hash.update(content)
        self._size += len(content)

    @property
    def measure(self) -> Measure:
        """What went through so far."""
        return Measure(self._hash.hexdigest(), self._size)


class Kept:
    """A reader and a writer that remember the first error of either.

    pyrage loses some errors of the streams that it is given, or tells them as its own.
    """

    def __init__(self, source: Readable, into: BinaryIO) -> None:
        self._source = source
        self._into = into
        self.error: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._source.read(size)
        except BaseException as error:
            self.error = self.error or error
            raise

    def write(self, content: bytes, /) -> int:
        try:
            return self._into.write(content)
        except BaseException as error:
            self.error = self.error or error
            raise

    def flush(self) -> None:
        self._into.flush()

"""Sealing: plain bytes → zstd → age, as a stream with bounded memory.

A sealed object is a zstd frame, inside an age file when there are recipients: `age --decrypt |
zstd -d` opens it without this program.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

import pyrage
import zstandard

from tinykit_ops.backup.errors import BackupError, SealError
from tinykit_ops.backup.keys import parse_recipients
from tinykit_ops.backup.streams import Kept, Measure, Meter, Whole
from tinykit_ops.backup.targets import Readable

CHUNK = 1 << 18
LEVEL = 3  #: of zstd: its default, and what `tar | zstd` is compared with
JOB_BYTES = 1 << 20  #: what one worker takes at a time; zstd's own 8 MiB would cost 40 MB of memory
WORKERS = 2  #: threads that compress something big that nothing else is done beside


class Sealed:
    """The sealed form of a plain stream, made while it is read.

    Read it to its end, then ask for `plain` and `sealed`. Raises SealError while reading when
    the source cannot be read. Close it.

    Args:
        workers: threads that compress; 0: the one that reads.
    """

    def __init__(self, source: Readable, recipients: Sequence[str], workers: int = 0) -> None:
        self._plain = Meter(_Source(source))
        how = zstandard.ZstdCompressionParameters.from_level(
            LEVEL, write_checksum=True, threads=workers, job_size=JOB_BYTES if workers else 0
        )
        packer = zstandard.ZstdCompressor(compression_params=how)
        packed = packer.stream_reader(cast(BinaryIO, self._plain), read_size=CHUNK)
        self._encrypted = _Encrypted(packed, recipients) if recipients else None
        self._sealed = Meter(self._encrypted or packed)

    def read(self, size: int = -1, /) -> bytes:
        """The next sealed bytes."""
        return self._sealed.read(size if size >= 0 else -1)

    def close(self) -> None:
        """Nothing more is read."""
        if self._encrypted is not None:
            self._encrypted.close()

    @property
    def plain(self) -> Measure:
        """Of the bytes that went in."""
        return self._plain.measure

    @property
    def sealed(self) -> Measure:
        """Of the bytes that came out."""
        return self._sealed.measure


def seal_whole(plain: Whole, recipients: Sequence[str]) -> Whole:
    """The sealed form of bytes that are in memory: quicker than a stream, and opened like one.

    The plain bytes are dropped as soon as they are packed: they may be as many as the others.

    Raises: SealError.
    """
    packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(plain.content)
    plain.drop()
    if not recipients:
        return Whole(packed)
    try:
        return Whole(pyrage.encrypt(packed, parse_recipients(recipients)))
    except pyrage.EncryptError as error:
        raise _not_sealed(error) from None


class _Source:
    """Turns the system's read errors into ours, so that no target takes them for its own."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise SealError(
                f"A file could not be read ({error.strerror or error})",
                where=str(getattr(self._stream, "name", "")),
                hint="see `dmesg` for disk errors",
            ) from error


class _Encrypted:
    """age pushes its output; this turns it into something to read, with a thread and a pipe."""

    def __init__(self, source: Readable, recipients: Sequence[str]) -> None:
        self._error: BaseException | None = None
        parsed = parse_recipients(recipients)
        output, into = os.pipe()
        self._output = os.fdopen(output, "rb", buffering=0)
        self._into = os.fdopen(into, "wb", buffering=CHUNK)
        self._thread = threading.Thread(
            target=self._encrypt, args=(source, self._into, parsed), daemon=True
        )
        self._started = False

    def _encrypt(self, source: Readable, into: BinaryIO, recipients: list[Any]) -> None:
        # pyrage loses some errors of the streams it is given, so they are kept here.
        kept = Kept(source, into)
        try:
            with into:
                pyrage.encrypt_io(kept, kept, recipients)
        except BaseException as error:
            self._error = kept.error or error
        self._error = self._error or kept.error

    def read(self, size: int = -1, /) -> bytes:
        if not self._started:
            self._started = True
            self._thread.start()
        pieces: list[bytes] = []
        missing = size
        while size < 0 or missing > 0:
            piece = self._output.read(CHUNK if size < 0 else missing)
            if not piece:
                self._finish()
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """End the thread, which waits for a reader when not all was read."""
        self._output.close()
        if self._started:
            self._thread.join()
        else:
            self._into.close()

    def _finish(self) -> None:
        """The end of the pipe is the end of the data only when nothing failed."""
        self._thread.join()
        if isinstance(self._error, BackupError):
            raise self._error
        if self._error is not None:
            raise _not_sealed(self._error)


def _not_sealed(error: BaseException) -> SealError:
    return SealError(f"Encrypting failed ({error})", hint="run the backup again")

"""Opening what was sealed: age → zstd → plain bytes, as a stream with bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, cast

import pyrage
import zstandard

from tinykit_ops.backup.errors import BackupError, SealError, WrongKeyError
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.streams import Kept, Measure, Meter
from tinykit_ops.backup.targets import Readable

CHUNK = 1 << 18
SLICE = 1 << 13  #: bytes unpacked at once: empty pages of a database swell to thousands of times


def unseal(source: Readable, into: BinaryIO, identities: Sequence[Identity]) -> Measure:
    """Write the plain bytes of a sealed stream. Returns their measure.

    Args:
        identities: private keys; none when the archive is not encrypted.

    Raises:
        WrongKeyError: it is encrypted to other keys.
        SealError: it is damaged or cut off.
        OSError: the plain bytes could not be written.
    """
    out = Meter(into)
    unpacker = _Unpacker(out)
    kept = Kept(source, cast(BinaryIO, unpacker))
    try:
        if identities:
            pyrage.decrypt_io(kept, kept, list(identities))
        else:
            while chunk := kept.read(CHUNK):
                kept.write(chunk)
    except zstandard.ZstdError as error:
        raise SealError(f"What is stored is no zstd data ({error})", hint=_DAMAGED) from None
    except pyrage.DecryptError as error:
        if kept.error is None and "No matching keys" in str(error):
            raise WrongKeyError(
                "This key does not open the archive",
                hint="give the private key of one of the recipients it was encrypted to",
            ) from None
        raise _unsealing(kept.error, error) from None
    except (OSError, ValueError) as error:
        raise _unsealing(kept.error, error) from None
    if kept.error is not None:
        raise _unsealing(kept.error, kept.error)
    unpacker.finish()
    return out.measure


class _Unpacker:
    """Decompresses one zstd frame, and knows whether it came to its end."""

    def __init__(self, into: Meter) -> None:
        self._into = into
        self._object = zstandard.ZstdDecompressor().decompressobj()

    def write(self, content: bytes, /) -> int:
        if self._object.eof:
            raise zstandard.ZstdError("something follows the end of the frame")
        for start in range(0, len(content), SLICE):
            self._into.write(self._object.decompress(content[start : start + SLICE]))
        if self._object.unused_data:
            raise zstandard.ZstdError("something follows the end of the frame")
        return len(content)

    def flush(self) -> None:
        self._into.flush()

    def finish(self) -> None:
        if not self._object.eof:
            raise SealError("What is stored was cut off", hint=_DAMAGED)


_DAMAGED = "restore another snapshot; `tinykit-ops backup verify --all` tells which are sound"


def _unsealing(kept: BaseException | None, error: BaseException) -> BaseException:
    """What to raise: our own errors and the system's as they are, all else as damage."""
    cause = kept or error
    if isinstance(cause, BackupError) or (kept is not None and isinstance(cause, OSError)):
        return cause
    return SealError(f"What is stored could not be opened ({cause})", hint=_DAMAGED)

"""Reports in files: whole or not there, and for nobody else's eyes."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from tinykit_ops.errors import Exit, TinykitOpsError


class CannotWriteReportError(TinykitOpsError):
    """The file of a report cannot be made."""

    exit_code = Exit.CANNOT_CREATE


def see_that_it_can_be_written(path: Path) -> None:
    """Try the folder before an instance is looked at. Raises CannotWriteReportError."""
    if path.exists() and not path.is_file():
        raise _cannot(path, "it is there and is no file")
    handle, name = _temporary(path)
    os.close(handle)
    Path(name).unlink()


def write_private(path: Path, text: str) -> None:
    """Put a file of mode 0600 in the place of an old one, by rename.

    Raises:
        CannotWriteReportError: the old file, if any, is still there then.
    """
    handle, name = _temporary(path)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        with suppress(OSError):
            Path(name).unlink()
        raise _cannot(path, error.strerror or str(error)) from None


def _temporary(path: Path) -> tuple[int, str]:
    """An open, new file of mode 0600 beside `path`; its name cannot be guessed."""
    try:
        return tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise _cannot(path, error.strerror or str(error)) from None


def _cannot(path: Path, why: str) -> CannotWriteReportError:
    hint = "name a file in a folder that is there, and that this user may write to"
    return CannotWriteReportError(
        f"The report cannot be written: {why}", where=str(path), hint=hint
    )

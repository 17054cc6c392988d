"""Writing files on the host: whole or not at all, and never readable too early."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write(path: Path, content: str, *, mode: int = 0o644) -> None:
    """Replace `path` by `content` in one step; the file has `mode` from its first byte on.

    Args:
        mode: permission bits of the new file, whatever the umask is.

    Raises:
        OSError: the folder is missing, or the disk is full; the old file is then untouched.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o600 or 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            os.fchmod(stream.fileno(), mode)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def read(path: Path) -> str | None:
    """The text of a file, or None when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None

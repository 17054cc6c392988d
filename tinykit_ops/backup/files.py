"""Files that a reader sees in their old state or the new, also after a power cut."""

from __future__ import annotations

import ctypes
import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file by rename, with its permissions set before it has content.

    When it returns, the new file outlives a power cut: what is done next may rely on it, also when
    that lies on another file system. In a folder of somebody else's, no link that stands there is
    followed.

    Raises:
        OSError: as the system says; the old file or the new one is there then, whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Let names that were given or taken in a folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file, if it is there, so that it does not come back with a power cut."""
    if path.exists():
        path.unlink()
        sync_folder(path.parent)


def flush_file_system(folder: Path) -> None:
    """Bring all that was written to the file system of a folder to its disk, cheaper than each file
    by itself when there are many."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(handle)

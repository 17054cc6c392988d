"""Room for copies of an instance's data, looked for before anything is changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinykit_ops.backup.errors import NoSpaceError


def databases_size(data: Path) -> int:
    """Bytes of PocketBase's databases in a data folder, with what SQLite keeps beside them."""
    return sum(file.stat().st_size for file in data.glob("*.db*") if file.is_file())


def need_room(
    folder: Path, needed: int, purpose: str, hint: str, where: Path | None = None
) -> None:
    """See that a file system has room.

    Args:
        folder: on that file system.
        needed: bytes.
        purpose: what for, as in "Not enough room PURPOSE".
        where: what the error names; the folder itself when left out.

    Raises:
        NoSpaceError: it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpaceError(
            f"Not enough room {purpose}: {free >> 20} MiB are free, {needed >> 20} MiB are needed",
            where=str(where or folder),
            hint=hint,
        )

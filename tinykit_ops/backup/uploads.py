"""Uploaded files: PocketBase's `storage/`, read as root without following a single link.

PocketBase's user owns this folder, so what lies there must never lead us to a file elsewhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tinykit_ops.backup.beneath import open_folder
from tinykit_ops.backup.errors import BackupError, MissingUploadsError

THUMBS = "thumbs_"  #: PocketBase makes thumbnails again when they are asked for
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def list_uploads(storage: Path) -> list[str]:
    """Paths of all uploads with their `.attrs` files, relative to `storage`, sorted.

    Raises:
        BackupError: the folder cannot be read.
    """
    try:
        root = open_folder(storage)
    except FileNotFoundError:
        return []  # nothing was ever uploaded
    except OSError as error:
        raise BackupError(
            f"The folder of uploads cannot be read ({error.strerror})",
            where=str(storage),
            hint="it must be a folder, not a link: mount another disk there instead",
        ) from None
    try:
        return sorted(_walk(root))
    finally:
        os.close(root)


def _walk(root: int) -> Iterator[str]:
    for folder, folders, names, handle in os.fwalk(".", dir_fd=root, follow_symlinks=False):
        folders[:] = [name for name in folders if not name.startswith(THUMBS)]
        for name in names:
            if _is_file(name, handle):
                yield os.path.normpath(f"{folder}/{name}")


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False  # its record was deleted just now


def open_upload(storage: Path, path: str) -> BinaryIO:
    """Open one upload.

    Raises:
        MissingUploadsError: it is gone, or is not a regular file.
    """
    handles: list[int] = []
    try:
        handles.append(open_folder(storage))
        *folders, name = path.split("/")
        for folder in folders:
            handles.append(os.open(folder, _FOLDER, dir_fd=handles[-1]))
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.fdopen(os.open(name, flags, dir_fd=handles[-1]), "rb")
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file
        file.close()
        raise missing([path], storage)
    except OSError:
        raise missing([path], storage) from None
    finally:
        for handle in handles:
            os.close(handle)


def missing(paths: list[str], storage: Path) -> MissingUploadsError:
    """The error for uploads that the database names and the folder lacks."""
    shown = ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    return MissingUploadsError(
        f"{len(paths)} upload(s) that the database names are not there: {shown}",
        where=str(storage),
        hint="restore them, or empty those fields in the dashboard; no snapshot was made",
    )

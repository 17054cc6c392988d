"""Taking over the copy that PocketBase wrote, out of a folder that its user may change."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from tinykit_ops.backup.beneath import open_file_in, opened_folder
from tinykit_ops.backup.errors import SnapshotError


def take_over(offered: Path, copy: Path) -> None:
    """Move PocketBase's file into our folder, where nobody but us can swap it for another.

    Args:
        offered: in the folder of PocketBase's user, which is not trusted.

    Raises:
        SnapshotError: it is not there, or is not a file that PocketBase wrote.
        PlantedLinkError, OSError.
    """
    try:
        with opened_folder(offered.parent) as folder:
            _refuse_foreign(offered, folder)
            try:
                os.rename(offered.name, copy, src_dir_fd=folder)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                with open_file_in(folder, offered.name) as reader:
                    copy_stream(reader, copy)
                os.unlink(offered.name, dir_fd=folder)
    except FileNotFoundError:
        raise SnapshotError(
            "PocketBase says it wrote a copy, but it is not there",
            where=str(offered),
            hint="PocketBase's TINYKIT_OPS_SNAPSHOTS and our snapshot folder differ: redeploy",
        ) from None
    if not stat.S_ISREG(copy.lstat().st_mode):
        copy.unlink()
        raise _not_a_copy(offered)


def _refuse_foreign(offered: Path, folder: int) -> None:
    """A file of another user, or one with a second name, was not written by PocketBase."""
    found = os.stat(offered.name, dir_fd=folder, follow_symlinks=False)
    owner = os.fstat(folder).st_uid
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != owner:
        raise _not_a_copy(offered)


def _not_a_copy(offered: Path) -> SnapshotError:
    return SnapshotError(
        "PocketBase's copy is not a regular file of its own",
        where=str(offered),
        hint="somebody put another file or a link there: look into who can act as PocketBase's "
        "user",
    )


def copy_stream(reader: BinaryIO, destination: Path) -> None:
    """Write all of it to a file that only we can read."""
    with destination.open("wb") as writer:
        os.fchmod(writer.fileno(), 0o600)
        shutil.copyfileobj(reader, writer, 1 << 20)

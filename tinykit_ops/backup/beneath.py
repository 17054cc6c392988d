"""Opening what lies in folders of PocketBase's user, as root, without being led elsewhere.

Who breaks into PocketBase owns its folders: a link planted there, as a file or as a folder on the
way, must not bring /etc/shadow into a backup, or let a clean-up remove it. So every step of a path
is opened on its own, and a link is followed only where nobody but root could have made it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tinykit_ops.backup.errors import BackupError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would be waited for
_MOST_LINKS = 8


class PlantedLinkError(BackupError):
    """Something on the way is not what root put there."""


@contextmanager
def opened_folder(path: Path) -> Iterator[int]:
    """A handle of a folder, for the `dir_fd` of the os module.

    Raises:
        PlantedLinkError: a link stands on the way that another than root may have made.
        OSError: as the system says, such as FileNotFoundError.
    """
    handle = open_folder(path)
    try:
        yield handle
    finally:
        os.close(handle)


def open_folder(path: Path) -> int:
    """The same, to be closed by the caller."""
    return _walk(path.absolute(), _MOST_LINKS)


def open_file(path: Path) -> BinaryIO:
    """A regular file for reading.

    Raises:
        PlantedLinkError: it is a link or something else, or a link stands on the way.
        OSError: as the system says.
    """
    with opened_folder(path.parent) as folder:
        return open_file_in(folder, path.name)


def open_file_in(folder: int, name: str) -> BinaryIO:
    """A regular file of an opened folder. Raises as open_file does."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise _planted(name, "is not a regular file")
    file = os.fdopen(os.open(name, _FILE, dir_fd=folder), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # swapped in between
        file.close()
        raise _planted(name, "is not a regular file")
    return file


def _walk(path: Path, links_left: int) -> int:
    handle = os.open("/", _FOLDER)
    walked = Path("/")
    try:
        for place, step in enumerate(path.parts[1:], start=2):
            here = os.stat(step, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISLNK(here.st_mode):
                _refuse_foreign_link(walked / step, os.fstat(handle), here, links_left)
                meant = os.readlink(step, dir_fd=handle)
                rest = path.parts[place:]
                straight = Path(os.path.normpath(walked / meant)).joinpath(*rest)
                os.close(handle)
                handle = -1
                return _walk(straight, links_left - 1)
            following = os.open(step, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle, walked = following, walked / step
        taken, handle = handle, -1
        return taken
    finally:
        if handle >= 0:
            os.close(handle)


def _refuse_foreign_link(
    path: Path, folder: os.stat_result, link: os.stat_result, links_left: int
) -> None:
    ours = (0, os.geteuid())
    writable = folder.st_mode & 0o022
    if folder.st_uid not in ours or link.st_uid not in ours or writable or not links_left:
        raise _planted(str(path), "is a link where a folder should be")


def _planted(where: str, what: str) -> PlantedLinkError:
    return PlantedLinkError(
        f"Something in PocketBase's folders {what}, so it was not read",
        where=where,
        hint="if it was you, mount the other disk there instead; if not, find out who can act as "
        "PocketBase's user",
    )

"""Folders for decrypted copies: gone when their block ends, at the latest when the next one begins.

A killed run, or a power cut, leaves its folder behind. Each is locked while it is in use, by the
kernel, which lets go whatever the end is: so one whose lock is free belongs to nobody any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "tinykit-ops-verifying-"  #: not that of versions which locked none
_NOT_LOCKED_YET = "."  #: begins its name: nobody takes it for one that was left
NOBODY = 65534  #: gets the copy that is booted (`boot_inside`)


@contextmanager
def copy_folder(place: str | None) -> Iterator[Path]:
    """A folder that only this user may enter. What killed runs left beside it is removed first.

    Args:
        place: the folder to make it in; the system's for temporary files when None.

    Raises:
        OSError: it cannot be made, or not be removed.
    """
    clear_abandoned(Path(place or tempfile.gettempdir()))
    made = Path(tempfile.mkdtemp(prefix=_NOT_LOCKED_YET + PREFIX, dir=place))
    handle = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    folder = made.with_name(made.name.removeprefix(_NOT_LOCKED_YET))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        made.rename(folder)
        yield folder
    finally:
        shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(folder)  # a program in it was about to end; or it says what is wrong
        os.close(handle)


def clear_abandoned(place: Path) -> None:
    """Remove the folders that nobody uses any more; those of other users are left alone."""
    for path in place.glob(f"{PREFIX}*"):
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or no folder of ours
        try:
            if _is_ours(handle):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue  # in use
        finally:
            os.close(handle)


def _is_ours(handle: int) -> bool:
    owner, user = os.fstat(handle).st_uid, os.geteuid()
    return owner == user or (user == 0 and owner == NOBODY)

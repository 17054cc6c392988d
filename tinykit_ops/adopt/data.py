"""The old data, copied to where an instance has its own; the old folder stays as it is.

It is read as the user who owns it, and not as root: a link in it could lead elsewhere. Uploads are
copied while the old server runs, because a stored name never changes its content; the databases
when it has stopped.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import nullcontext, suppress
from pathlib import Path

from tinykit_ops.backup.database import find_faults, read_contents, take_in_wal
from tinykit_ops.backup.room import databases_size, need_room
from tinykit_ops.errors import StorageError

DATABASES = ("data.db", "data.db-wal", "auxiliary.db", "auxiliary.db-wal")
STORAGE = "storage"
MARGIN_BYTES = 128 << 20
SECONDS = 6 * 3600
_CHANGED = 1  #: how tar ends when a file changed while it was read


class OldData:
    """The data of the old install, and our copy of it on the way to its place.

    Args:
        source: the old folder.
        folder: root's; the copy is made in it.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = source
        self._copy = folder / "pb_data"
        #: The database as it was when the old server stopped; what came later is told from it.
        self.stopped = folder / "stopped" / "data.db"

    def need_space(self) -> None:
        """Raises NoSpaceError when there is no room for the copies."""
        uploads = sum(_sizes(self._source / STORAGE).values())
        needed = uploads + 2 * databases_size(self._source) + MARGIN_BYTES
        hint = "free some space; nothing was changed"
        need_room(self._copy.parent, needed, "for a copy of the data", hint)

    def copy_uploads(self, *, still: bool) -> None:
        """Those that are not there yet, or not whole.

        Args:
            still: the old server is stopped; what it deleted meanwhile goes here, too.
        """
        self._copy.mkdir(mode=0o700, parents=True, exist_ok=True)
        here = _sizes(self._copy / STORAGE)
        there = _sizes(self._source / STORAGE)
        wanted = [f"{STORAGE}/{name}" for name in there if here.get(name) != there[name]]
        self._take(wanted, self._copy, still=still)
        if still:
            for name in here.keys() - there.keys():
                (self._copy / STORAGE / name).unlink()

    def copy_databases(self) -> dict[str, int]:
        """Those of a stopped server. Returns the rows of each collection.

        Raises:
            StorageError, DamagedError: they are not sound.
        """
        folder = self.stopped.parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        self._take([name for name in DATABASES if (self._source / name).is_file()], folder)
        for name in ("data.db", "auxiliary.db"):
            if (folder / name).is_file():
                _take_in_wal(folder / name)
                shutil.copyfile(folder / name, self._copy / name)
        if faults := find_faults(self.stopped):
            raise StorageError(
                f"The database is damaged: {faults[0]}",
                where=str(self._source),
                hint="the old install serves it as it is; repair it there",
            )
        return read_contents(self.stopped).rows

    def place(self, at: Path, user: str) -> None:
        """Give the copy to PocketBase's user, and move it to its place in one step.

        Raises:
            StorageError: something else is there.
        """
        if not self._copy.is_dir():
            return  # a killed run had done so
        if at.is_dir() and any(at.iterdir()):
            raise StorageError(
                "The place of the data is taken",
                where=str(at),
                hint="move this folder away if nobody needs it",
            )
        _give(self._copy, user)
        subprocess.run(["sync", "-f", str(self._copy)], check=False)
        at.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.chown(at.parent, user, user)
        if at.is_dir():
            at.rmdir()
        shutil.move(self._copy, at)

    def _take(self, names: list[str], into: Path, *, still: bool = True) -> None:
        """A tar from the owner's hand into ours; links are taken as links, and none is listed.

        Args:
            still: nobody changes them meanwhile; else one may go, or grow, while it is read.
        """
        if not names:
            return
        owner = self._source.stat()
        words = ["tar", "--create", "--null", "--no-recursion", "--verbatim-files-from"]
        if not still:
            words.append("--ignore-failed-read")
        reader = subprocess.Popen(
            [*words, "--files-from=-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            user=owner.st_uid,
            group=owner.st_gid,
            extra_groups=[],
            cwd=self._source,  # entered as root: the way there may be closed to the owner
        )
        writer = subprocess.Popen(
            ["tar", "--extract", "--no-same-owner", "--directory", str(into)],
            stdin=reader.stdout,
            stderr=subprocess.PIPE,
        )
        if reader.stdout:
            reader.stdout.close()  # or the reader would not notice that the writer has gone
        with suppress(BrokenPipeError), reader.stdin or nullcontext() as stdin:
            if stdin:
                stdin.write(b"".join(os.fsencode(name) + b"\0" for name in names))
        ends = [writer.wait(SECONDS), reader.wait(SECONDS)]
        if ends[0] or ends[1] > (0 if still else _CHANGED):
            said = b"".join(one.stderr.read() for one in (reader, writer) if one.stderr)
            raise StorageError(
                f"The data could not be copied: {said.decode(errors='replace').strip()[-300:]}",
                where=str(self._source),
                hint="is the disk full, or something unreadable for its owner?",
            )


def _sizes(folder: Path) -> dict[str, int]:
    """Size of each regular file, by its path below the folder; links are not followed."""
    found = {}
    for root, _, names in os.walk(folder):
        for path in (Path(root) / name for name in names):
            with suppress(FileNotFoundError):  # it was deleted just now
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode):
                    found[str(path.relative_to(folder))] = facts.st_size
    return found


def _take_in_wal(copy: Path) -> None:
    try:
        take_in_wal(copy)
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"The database of the stopped server cannot be read ({error})", where=str(copy)
        ) from None


def _give(folder: Path, user: str) -> None:
    shutil.chown(folder, user, user)
    folder.chmod(0o700)
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root) / name
            shutil.chown(path, user, user)
            path.chmod(0o700 if name in folders else 0o600)

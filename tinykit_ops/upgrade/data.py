"""The databases as they were when the old version stopped, beside the data folder.

Everything is done as PocketBase's user, who owns all of it: as root, a link that a broken-into
PocketBase left there could lead elsewhere. Uploads stay where they are: PocketBase changes none.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

from tinykit_ops.backup.beside import free
from tinykit_ops.backup.room import databases_size, need_room
from tinykit_ops.errors import StorageError
from tinykit_ops.upgrade import copies

MARGIN_BYTES = 64 << 20
SECONDS = 1800
_PIPES: dict[str, Any] = {
    **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
    "text": True,
}
#: The copies come onto this file system first. Then the new version's files get a second name
#: aside, so that a full disk is no obstacle to that. At last the copies take the place of those
#: files, one rename each: at no moment is no database there, and a boot begins no empty one.
_RETURN = """\
set -eu
back=$1/.back
rm -rf -- "$back" "$3.partial"
mkdir -m 700 -- "$back" "$3.partial"
cp --reflink=auto --preserve=all -- "$2"/* "$back/"
for file in "$1"/*.db "$1"/*.db-wal "$1"/*.db-shm; do
  [ -e "$file" ] || continue
  ln -P -- "$file" "$3.partial/" 2>/dev/null ||
    cp --no-dereference --preserve=all -- "$file" "$3.partial/"
done
mv -T -- "$3.partial" "$3"
sync -f -- "$back" "$3"
rm -f -- "$1"/*.db-wal "$1"/*.db-shm
for file in "$back"/*; do mv -f -T -- "$file" "$1/${file##*/}"; done
for file in "$1"/*.db; do [ -e "$2/${file##*/}" ] || rm -f -- "$file"; done
rmdir -- "$back"
sync -f -- "$1"
"""


class KeptData:
    """The databases of a data folder, kept while its server is replaced.

    Args:
        data: PocketBase's data folder.
        user: owns it; None for whoever runs this.
    """

    def __init__(self, data: Path, user: str | None) -> None:
        self._data = data
        self._user = user
        self.kept = data.with_name(f"{data.name}.before-upgrade")
        #: Where `put_back` put what a version that did not stay well left; nothing removes it.
        self.failed: Path | None = None
        self._copying: subprocess.Popen[str] | None = None  #: between the two passes

    def need_space(self) -> None:
        """Raises NoSpaceError when there is no room for the copies."""
        needed = 2 * databases_size(self._data) + MARGIN_BYTES
        hint = "free some space on that file system; nothing was changed"
        need_room(self._data, needed, "to upgrade PocketBase", hint, where=self._data.parent)

    def drop(self) -> None:
        """Remove the copies; what a failed version left stays, whenever that was."""
        self._run('rm -rf -- "$2" "$2.partial" "$1/.back"')

    def prepare(self) -> None:
        """Copy the databases of a server that still serves; `keep` brings over the rest.

        Raises:
            StorageError: they could not be copied.
        """
        # As text, because its user may see nothing of the agent's folders.
        program = inspect.getsource(copies)
        words = [sys.executable, "-I", "-c", program, str(self._data), str(self.kept)]
        self._copying = copying = subprocess.Popen(words, **_PIPES, **self._as_its_user())
        if copying.stdout is None or copying.stdout.readline() != copies.READY:
            try:
                self._finish_copying()
            finally:
                self.drop()

    def keep(self) -> None:
        """Keep the databases of a stopped server; they are there whole, or not at all.

        Raises:
            StorageError: they could not be copied.
        """
        if self._copying is None:
            self.prepare()
        self._finish_copying()

    def _finish_copying(self) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            _, said = copying.communicate("stopped\n", timeout=SECONDS)
            self._need(copying.returncode, said)

    def put_back(self) -> Path | None:
        """Give a stopped server its databases of before. Returns where those are that it had.

        Nothing happens when none were kept.
        """
        if self.kept.is_dir():
            # Never where an earlier one's is: what that left may be weeks of people's work.
            aside = free(self._data.with_name(f"{self._data.name}.failed-upgrade"))
            self._run(_RETURN, aside)
            self.failed = aside
        return self.failed

    def _run(self, script: str, *more: Path) -> None:
        words = ["sh", "-c", script, "sh", *map(str, (self._data, self.kept, *more))]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            **self._as_its_user(),
        )
        self._need(done.returncode, done.stderr)

    def _as_its_user(self) -> dict[str, Any]:
        groups: list[str] | None = None if self._user is None else []
        return {"user": self._user, "group": self._user, "extra_groups": groups, "cwd": "/"}

    def _need(self, code: int, said: str) -> None:
        if code != 0:
            raise StorageError(
                f"The databases could not be copied: {said.strip()[-300:]}",
                where=str(self._data.parent),
                hint="is the disk full? the server runs on, or comes back, as it was",
            )

"""Restoring over the running instance: the old data stays beside it, and comes back when needed.

The restored folder and the old one change places in one step of the kernel, so PocketBase never
sees half of either, nor an empty folder in which it would begin anew. A small journal says how far
a run came; the next one goes on, or back, from there. Data that PocketBase may have written to is
never removed: what a run that was cut off left may have served for weeks by then.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Protocol

from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.errors import BackupSettingsError, local_failure
from tinykit_ops.backup.fetch import fetch_manifest
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.keys import Identity
from tinykit_ops.backup.manifest import Manifest
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.restore import DATA, restore
from tinykit_ops.backup.targets import Target
from tinykit_ops.host.versions import numbers

_RENAME_EXCHANGE = 2  #: linux/fs.h
_AT_FDCWD = -100  #: fcntl.h


class Services(Protocol):
    """The instance's programs."""

    def stop(self) -> None:
        """Stop tinykit, then PocketBase."""

    def start(self, rows: dict[str, int]) -> None:
        """Start PocketBase, see that it is healthy and holds these rows, then start tinykit.

        Raises: TinykitOpsError when it is not, or does not.
        """


@dataclass(frozen=True)
class Replaced:
    """What a restore in place did.

    Attributes:
        kept: where the data from before is now; nothing removes it by itself.
    """

    snapshot: str
    manifest: Manifest
    kept: Path


@dataclass(frozen=True)
class _Begun:
    """How far a run came.

    Attributes:
        old: the inode of the data folder before anything changed.
        is_back: the folders have changed places, and are about to do so again.
    """

    snapshot: str
    old: int
    is_back: bool = False


@dataclass(frozen=True)
class _Journal:
    path: Path

    def write(self, begun: _Begun) -> None:
        write_atomically(self.path, json.dumps(asdict(begun)).encode(), mode=0o600)

    def read(self) -> _Begun | None:
        try:
            return _Begun(**json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None

    def end(self) -> None:
        self.path.unlink(missing_ok=True)


class InPlace:
    """A restore over an instance's data.

    Args:
        places: of the instance.
        services: its programs.
    """

    def __init__(self, places: Places, services: Services) -> None:
        self.places = places
        self.services = services
        self.data = places.data
        self._staged = places.data.with_name(f".{places.data.name}.restoring")
        self._journal = _journal(places)

    def check(self, target: Target, snapshot: str, identities: Sequence[Identity]) -> Manifest:
        """Look at everything that would stop it, and change nothing.

        Raises:
            BackupSettingsError: the snapshot is of a newer PocketBase, the data folder is a mount
                point, or the snapshot or its key is missing.
        """
        manifest = fetch_manifest(target, read_index(target, snapshot), identities)
        ours = pocketbase_version(self.places.pocketbase)
        if numbers(manifest.pocketbase) > numbers(ours):
            raise BackupSettingsError(
                f"The snapshot is of PocketBase {manifest.pocketbase}, and {ours} is installed",
                where="pocketbase.version",
                hint="an older PocketBase cannot read it: deploy the newer one first",
            )
        if not self.data.is_dir() or os.path.ismount(self.data) or self.data.is_symlink():
            raise BackupSettingsError(
                "The data folder cannot be replaced: it is missing, a mount or a link",
                where=str(self.data),
                hint="restore with --to DIR, stop PocketBase, and copy the folder's content",
            )
        return manifest

    def run(
        self,
        target: Target,
        snapshot: str,
        identities: Sequence[Identity],
        safety: Callable[[], None] | None,
        say: Callable[[str], None],
    ) -> Replaced:
        """Replace the data; on any failure the old data serves again.

        Args:
            safety: makes a snapshot of the data as it is now, or raises; None when nobody wants
                one, or has it.
            say: tells a person what happens.

        Raises:
            TinykitOpsError: why it failed; the instance runs on its old data then.
        """
        self.recover(say)
        manifest = self.check(target, snapshot, identities)
        if safety is not None:
            say("a snapshot of the data as it is now, to be safe ...")
            safety()
        say(f"fetching {snapshot}, with every hash checked ...")
        restore(target, snapshot, self._staged, identities)
        self._give_to_owner(self._staged / DATA)
        self._journal.write(_Begun(snapshot, self.data.stat().st_ino))
        say("stopping tinykit and PocketBase ...")
        try:
            self.services.stop()
            exchange(self.data, self._staged / DATA)
            say("starting on the restored data ...")
            self.services.start(manifest.rows)
        except BaseException:
            # Whoever gave up may have closed the terminal; that must not keep the old data away.
            with suppress(OSError):
                say("that did not work: the old data comes back ...")
            self._return(say)
            raise
        return Replaced(snapshot, manifest, self._keep(snapshot))

    def interrupted(self) -> bool:
        """Whether a run ended half-way."""
        return self._journal.read() is not None

    def recover(self, say: Callable[[str], None]) -> None:
        """Undo what an interrupted run left; nothing happens when there was none."""
        if self.interrupted():
            say("an earlier restore was interrupted: the data from before it comes back ...")
            self._return(say)
        elif self._staged.exists():
            shutil.rmtree(self._staged)

    def _return(self, say: Callable[[str], None]) -> None:
        begun = self._journal.read()
        restored = self._staged / DATA
        if begun is not None and restored.is_dir():
            if self.data.stat().st_ino != begun.old:
                begun = replace(begun, is_back=True)
                self._journal.write(begun)
                self.services.stop()
                exchange(self.data, restored)
            if begun.is_back:
                served = self._free(f"interrupted-{begun.snapshot}")
                restored.rename(served)
                with suppress(OSError):
                    say(f"what was written to the restored data meanwhile is in {served}")
        self.services.start({})
        self._journal.end()
        shutil.rmtree(self._staged, ignore_errors=True)

    def _keep(self, snapshot: str) -> Path:
        kept = self._free(f"before-{snapshot}")
        (self._staged / DATA).rename(kept)
        self._journal.end()
        shutil.rmtree(self._staged, ignore_errors=True)
        return kept

    def _free(self, what: str) -> Path:
        """A path beside the data that nothing has yet."""
        name = f"{self.data.name}.{what}"
        more = (f"{name}-{number}" for number in count(2))
        paths = map(self.data.with_name, chain([name], more))
        return next(path for path in paths if not path.exists())

    def _give_to_owner(self, folder: Path) -> None:
        """The restored files belong to whom the old ones did."""
        owner = self.data.stat()
        folder.chmod(owner.st_mode & 0o7777)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def unfinished(places: Places) -> str:
    """The snapshot that a restore was at when it was cut off; empty when none was."""
    begun = _journal(places).read()
    return begun.snapshot if begun else ""


def _journal(places: Places) -> _Journal:
    return _Journal(places.state / "restore.json")


def exchange(one: Path, other: Path) -> None:
    """Let two paths of one file system change places, in one step (renameat2(2)).

    Raises:
        TinykitOpsError: the file system cannot; nothing was changed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    words = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if libc.renameat2(*words) != 0:
        number = ctypes.get_errno()
        raise local_failure(OSError(number, os.strerror(number), str(one)))

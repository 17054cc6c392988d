"""Restoring over the running instance: the old data stays beside it, and comes back when needed.

The restored folder and the old one change places in one step of the kernel, so PocketBase never
sees half of either, nor an empty folder in which it would begin anew. A small journal says how far
a run came; the next one goes on, or back, from there. Data that PocketBase may have written to is
never removed: what a run that was cut off left may have served for weeks by then.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.beside import free
from tinykit_ops.backup.catalog import read_index
from tinykit_ops.backup.errors import BackupSettingsError, local_failure
from tinykit_ops.backup.fetch import fetch_manifest
from tinykit_ops.backup.files import sync_folder
from tinykit_ops.backup.in_place_journal import RESTORE, Begun, Journal
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


class InPlace:
    """A restore over an instance's data.

    Args:
        places: of the instance.
        services: its programs.
        by: the command that does it; what another one was cut off at is not touched.
    """

    def __init__(self, places: Places, services: Services, by: str = RESTORE) -> None:
        self.places = places
        self.services = services
        self.data = places.data
        self._staged = places.data.with_name(f".{places.data.name}.restoring")
        self._journal = Journal(places)
        self._by = by

    def check(self, target: Target, snapshot: str, identities: Sequence[Identity]) -> Manifest:
        """Look at everything that would stop it, and change nothing.

        Raises:
            BackupSettingsError: the snapshot is of a newer PocketBase, the data folder is a mount
                point, or the snapshot or its key is missing.
            UsageError: another command that does this was cut off.
        """
        self._journal.refuse_others(self._by)
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
        self._journal.write(Begun(snapshot, self.data.stat().st_ino, by=self._by))
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
        """Whether a run of this command ended half-way."""
        begun = self._journal.read()
        return begun is not None and begun.by == self._by

    def recover(self, say: Callable[[str], None]) -> None:
        """Undo what an interrupted run left; nothing happens when there was none.

        Raises:
            UsageError: another command was cut off, and only that one can go on.
        """
        self._journal.refuse_others(self._by)
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
                _move(restored, served)
                with suppress(OSError):
                    say(f"what was written to the restored data meanwhile is in {served}")
        self.services.start({})
        self._journal.end()
        shutil.rmtree(self._staged, ignore_errors=True)

    def _keep(self, snapshot: str) -> Path:
        kept = self._free(f"before-{snapshot}")
        _move(self._staged / DATA, kept)
        self._journal.end()
        shutil.rmtree(self._staged, ignore_errors=True)
        return kept

    def _free(self, what: str) -> Path:
        """A path beside the data that nothing has yet."""
        return free(self.data.with_name(f"{self.data.name}.{what}"))

    def _give_to_owner(self, folder: Path) -> None:
        """The restored files belong to whom the old ones did."""
        owner = self.data.stat()
        folder.chmod(owner.st_mode & 0o7777)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def unfinished(places: Places) -> str:
    """What was cut off, and what to do about it, in a sentence; empty when nothing was."""
    begun = Journal(places).read()
    return str(begun) if begun else ""


def _move(folder: Path, to: Path) -> None:
    """On the disk at once: what is still in the staging folder afterwards is rubbish."""
    folder.rename(to)
    sync_folder(to.parent)
    sync_folder(folder.parent)


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
    for folder in {one.parent, other.parent}:
        sync_folder(folder)

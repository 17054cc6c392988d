"""Read-only snapshots of the btrfs subvolume that holds the data."""

from __future__ import annotations

import builtins
import os
import subprocess
from pathlib import Path

from tinykit_ops.backup.errors import (
    BackupSettingsError,
    TargetError,
    TargetUnreachableError,
    VolumeLayoutError,
)
from tinykit_ops.backup.files import write_atomically
from tinykit_ops.backup.targets.one_volume import mount_of, refuse_spanning
from tinykit_ops.backup.targets.volume import VolumeSnapshot, is_id
from tinykit_ops.backup.verified import Verified
from tinykit_ops.settings.backup_targets import BtrfsTarget

VERIFIED = "verified"  #: folder beside the snapshots: a file with the last word on each
ROOT_INODE = 256  #: of every subvolume (BTRFS_FIRST_FREE_OBJECTID)
SECONDS = 600  #: a commit on a busy, slow disk takes a while; a hanging one is told


class BtrfsStore:
    """Snapshots are subvolumes in a folder of the same file system, named by our ids.

    A snapshot appears at once and whole; the kernel writes out what was in memory before. It
    shares its blocks with the data, so it survives a mistake, not a dead disk.
    """

    def __init__(self, settings: BtrfsTarget) -> None:
        self.name = settings.name
        self._folder = Path(settings.path)

    def take(self, snapshot: str, data: Path) -> VolumeSnapshot:
        """Snapshot the subvolume that holds `data`."""
        data = data.resolve()
        subvolume = self._subvolume_of(data)
        refuse_spanning(data)
        self._make_folder(subvolume)
        place = self._folder / snapshot
        self._btrfs("subvolume", "snapshot", "-r", str(subvolume), str(place))
        return VolumeSnapshot(snapshot, str(place))

    def list(self) -> list[VolumeSnapshot]:
        """Every snapshot in the folder, oldest first."""
        try:
            with os.scandir(self._folder) as entries:
                ours = sorted(entry.name for entry in entries if is_id(entry.name))
        except FileNotFoundError:
            return []  # none was ever taken
        except OSError as error:
            raise TargetError(
                f"Target {self.name!r} could not list ({error.strerror})", where=str(self._folder)
            ) from None
        return [
            VolumeSnapshot(one, str(self._folder / one), verified=self._verified(one))
            for one in ours
        ]

    def _verified(self, snapshot: str) -> Verified | None:
        try:
            return Verified.from_text((self._folder / VERIFIED / snapshot).read_text())
        except (OSError, ValueError):
            return None

    def sign_off(self, snapshot: str, result: Verified) -> None:
        """A file beside the snapshots, which themselves are read-only."""
        place = self._folder / VERIFIED / snapshot
        try:
            place.parent.mkdir(exist_ok=True, mode=0o700)
            write_atomically(place, f"{result.as_text()}\n".encode())
        except OSError as error:
            raise TargetError(
                f"Target {self.name!r} could not note what was found ({error.strerror})",
                where=str(place),
            ) from None

    def delete(self, snapshot: str) -> None:
        """Remove a snapshot; its blocks come back in the background."""
        place = self._folder / snapshot
        if is_id(snapshot) and place.exists():
            self._btrfs("subvolume", "delete", str(place))
            (self._folder / VERIFIED / snapshot).unlink(missing_ok=True)

    def folder_of(self, snapshot: str, data: Path) -> Path:
        """The data inside a snapshot."""
        place = self._folder / snapshot
        if not place.is_dir():
            raise BackupSettingsError(
                f"There is no snapshot {snapshot!r} in target {self.name!r}",
                where=str(self._folder),
                hint="`tinykit-ops backup list` shows all of them",
            )
        data = data.resolve()
        return place / data.relative_to(self._subvolume_of(data))

    def _subvolume_of(self, data: Path) -> Path:
        mount = mount_of(data)
        if mount.kind != "btrfs":
            raise VolumeLayoutError(
                f"The data is on a file system of the kind {mount.kind}, not on btrfs",
                where=str(data),
                hint="use another kind of target, or move the data to a btrfs subvolume",
            )
        for folder in (data, *data.parents):
            if folder.stat().st_ino == ROOT_INODE:
                return folder
        raise VolumeLayoutError("No subvolume holds the data", where=str(data))

    def _make_folder(self, subvolume: Path) -> None:
        """Snapshots cannot leave their file system, and nobody but root may walk in them."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise TargetUnreachableError(
                f"The folder of target {self.name!r} cannot be made ({error.strerror})",
                where=str(self._folder),
            ) from None
        ours, theirs = mount_of(self._folder.resolve()), mount_of(subvolume)
        if ours.kind != "btrfs" or ours.source != theirs.source:
            raise VolumeLayoutError(
                f"The folder of target {self.name!r} is on another file system than the data",
                where=str(self._folder),
                hint=f"choose a folder on the file system of {subvolume}",
            )

    def _btrfs(self, *words: str) -> None:
        try:
            done = subprocess.run(
                ["btrfs", *words],
                check=False,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            )
        except FileNotFoundError:
            raise TargetUnreachableError(
                "The program `btrfs` is not installed", hint="`apt install btrfs-progs`"
            ) from None
        except subprocess.TimeoutExpired:
            raise TargetUnreachableError(
                f"btrfs did not finish within {SECONDS} s",
                where=words[-1],
                hint="see `dmesg` for disk errors",
            ) from None
        if done.returncode != 0:
            lines: builtins.list[str] = (done.stderr or done.stdout).strip().splitlines()
            raise TargetError(
                f"Target {self.name!r}: {lines[-1] if lines else f'btrfs ended {done.returncode}'}",
                where=words[-1],
                hint="is the file system full or read-only? see `btrfs filesystem usage`",
            )

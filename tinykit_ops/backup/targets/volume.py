"""Targets that snapshot the disk itself, where it is: a second, smaller protocol.

Nothing is sent, so there is no manifest and no index: the volume's own service or file system
keeps the snapshots and lists them. SQLite's WAL makes a copy of one point in time sound, without
stopping PocketBase, as long as all data lies on that one volume.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.backup.targets import target_settings
from tinykit_ops.backup.verified import Verified
from tinykit_ops.settings.backup_targets import BtrfsTarget, EbsTarget

_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


@dataclass(frozen=True)
class VolumeSnapshot:
    """One snapshot of a volume.

    Attributes:
        id: ours, such as 20261123T191255Z-0f3a9c.
        place: where it is for its own tools: a path, or the service's ids.
        complete: whether it can be used.
        size: of the volume, in bytes; 0 when not known.
        fault: why it will never be complete.
        verified: the last word on whether it comes back; None when nobody looked.
    """

    id: str
    place: str
    complete: bool = True
    size: int = 0
    fault: str = ""
    verified: Verified | None = None

    @property
    def created(self) -> datetime:
        """When it was asked for: it holds all that was written before."""
        return datetime.strptime(self.id[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


class VolumeStore(Protocol):
    """Snapshots of one volume. Every method raises TargetError or one of its subclasses."""

    @property
    def name(self) -> str:
        """What the inventory calls it."""
        ...

    def take(self, snapshot: str, data: Path) -> VolumeSnapshot:
        """Snapshot the volume that holds `data`, and wait until it can be used.

        Raises:
            VolumeLayoutError: the data is not on one volume of this kind; nothing was made.
        """
        ...

    def list(self) -> list[VolumeSnapshot]:
        """Every snapshot of this instance and target, oldest first."""
        ...

    def delete(self, snapshot: str) -> None:
        """Remove it with its copies; nothing happens when it is gone already."""
        ...

    def sign_off(self, snapshot: str, result: Verified) -> None:
        """Note beside a snapshot what was found."""
        ...

    def folder_of(self, snapshot: str, data: Path) -> Path:
        """Where this host sees the data of a snapshot.

        Raises:
            BackupSettingsError: it has to be attached first; the hint says how.
        """
        ...


def is_volume_target(config: AgentConfig, name: str) -> bool:
    """Whether that target holds snapshots of a volume. Raises BackupSettingsError for no target."""
    return isinstance(target_settings(config, name), EbsTarget | BtrfsTarget)


def open_volume(config: AgentConfig, name: str) -> VolumeStore:
    """The volume target of that name.

    Raises:
        BackupSettingsError: there is none, or it is one for archives.
        UsageError, AccessError: its credentials are missing or cannot be read.
    """
    target = target_settings(config, name)
    if isinstance(target, BtrfsTarget):
        from tinykit_ops.backup.targets.btrfs import BtrfsStore

        return BtrfsStore(target)
    if isinstance(target, EbsTarget):
        from tinykit_ops.backup.targets.ebs import EbsStore

        keys = None
        if target.access_key_id is not None:
            keys = (
                config.secret(f"backup-{name}-access-key-id"),
                config.secret(f"backup-{name}-secret-access-key"),
            )
        return EbsStore(target, instance=config.settings.domains[0], keys=keys)
    raise BackupSettingsError(
        f"Target {name!r} holds archives, not snapshots of a volume", where="backup.targets"
    )


def is_id(text: str) -> bool:
    """Whether it is an id of ours; other snapshots are never touched."""
    return _ID.fullmatch(text) is not None

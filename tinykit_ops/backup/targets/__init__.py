"""Where snapshots go: one small protocol, one module a kind of target.

A target keeps objects: bytes under a key such as `snapshots/ID/index.json`. It knows nothing of
snapshots. Its promise: an object is there with all its bytes, or it is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.errors import BackupSettingsError
from tinykit_ops.settings.backup_targets import (
    ArchiveTarget,
    BtrfsTarget,
    DirectoryTarget,
    EbsTarget,
    VolumeTarget,
)


class Readable(Protocol):
    """Bytes that are made while they are read."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, fewer only at the end, b"" at the end."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """One object of a target.

    Attributes:
        key: its name, without the target's own prefix.
        size: bytes.
        modified: when it was stored, by the target's clock.
    """

    key: str
    size: int
    modified: datetime


class Target(Protocol):
    """A place for objects. Every method raises TargetError or one of its subclasses."""

    @property
    def name(self) -> str:
        """What the inventory calls it."""
        ...

    @property
    def encryption(self) -> list[str]:
        """The age public keys that archives are sealed to; none means not encrypted."""
        ...

    @property
    def resumes(self) -> bool:
        """Whether a `put` of the same bytes goes on where a killed one of that key ended."""
        ...

    def check_writable(self) -> None:
        """Prove that an object can be stored."""
        ...

    def put(self, key: str, stream: Readable) -> None:
        """Store all that the stream gives under that key, or nothing.

        An error of the stream passes through unchanged.
        """
        ...

    def get(self, key: str) -> AbstractContextManager[Readable]:
        """Open an object. Raises NotStoredError when there is none."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key starts so, in the order of their keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when it is gone already."""
        ...

    def tidy(self) -> None:
        """Remove what an interrupted `put` left. Call it only while no other run writes here."""
        ...


def open_target(config: AgentConfig, name: str) -> Target:
    """The target of that name in the settings, with its credentials.

    Raises:
        BackupSettingsError: there is no such target, or it is a volume's (see `volumes`).
        UsageError, AccessError: its credentials are missing or cannot be read.
    """
    target = target_settings(config, name)
    if isinstance(target, EbsTarget | BtrfsTarget):
        raise BackupSettingsError(
            f"Target {name!r} holds snapshots of a volume, not archives",
            where="backup.targets",
            hint="name a target of the kind s3 or directory",
        )
    return _open(config, target)


def target_settings(config: AgentConfig, name: str) -> ArchiveTarget | VolumeTarget:
    """What the inventory says of that target. Raises BackupSettingsError when it says nothing."""
    known = {target.name: target for target in config.settings.backup.targets}
    if name not in known:
        raise BackupSettingsError(
            f"There is no backup target named {name!r}",
            where="backup.targets",
            hint=f"known are: {', '.join(known) or 'none; add one to the inventory'}",
        )
    return known[name]


def _open(config: AgentConfig, target: ArchiveTarget) -> Target:
    if isinstance(target, DirectoryTarget):
        from tinykit_ops.backup.targets.directory import DirectoryStore

        return DirectoryStore(target)
    from tinykit_ops.backup.targets.s3 import S3Store

    return S3Store(
        target,
        access_key_id=config.secret(f"backup-{target.name}-access-key-id"),
        secret_access_key=config.secret(f"backup-{target.name}-secret-access-key"),
    )


def recipients_of(target: ArchiveTarget) -> list[str]:
    """The public keys of a target's settings; an empty list when it says "none"."""
    return [] if target.encryption == "none" else list(target.encryption)

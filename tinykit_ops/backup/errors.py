"""What can go wrong with a backup, each with what to do about it."""

from __future__ import annotations

import errno

from tinykit_ops.errors import (
    AccessError,
    BusyError,
    StorageError,
    TinykitOpsError,
    UnavailableError,
    UsageError,
)


class BackupError(TinykitOpsError):
    """Base of everything that stops a backup, a restore or a verification."""


class BackupFailedError(BackupError):
    """At least one target did not get its snapshot; what went wrong was already told."""


class BackupBusyError(BackupError, BusyError):
    """Another run holds the lock."""


class BackupSettingsError(BackupError, UsageError):
    """What was asked for does not fit the settings or what is stored."""


class SnapshotError(BackupError, UnavailableError):
    """No consistent copy of the database could be had."""


class NoSpaceError(BackupError, StorageError):
    """A disk of this host is too full."""


class MissingUploadsError(BackupError, StorageError):
    """The database names files that are not there."""


class SealError(BackupError, StorageError):
    """Compressing or encrypting failed, or what came back could not be opened."""


class WrongKeyError(BackupError, AccessError):
    """No given key opens the archive."""


class DamagedError(BackupError, StorageError):
    """What is stored is not what was stored."""


class TargetError(BackupError, StorageError):
    """A target could not do what it was asked."""


class TargetAccessError(AccessError, TargetError):
    """The target refuses these credentials."""


class TargetUnreachableError(UnavailableError, TargetError):
    """The target does not answer, or its folder is not there."""


class VolumeLayoutError(TargetError):
    """The data does not lie on one volume of the kind that is to be snapshotted."""


class LockedError(TargetAccessError):
    """The object is locked in its target until a time, by object lock: it cannot go before."""


class NotStoredError(TargetError):
    """The target has no object of that name."""


def local_failure(error: OSError) -> TinykitOpsError:
    """A failure of this host's own disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NoSpaceError(
            "This host's disk is full",
            where=str(error.filename or ""),
            hint="free some space and run the backup again; nothing half-made was left",
        )
    return StorageError(
        f"This host's disk failed ({error.strerror or type(error).__name__})",
        where=str(error.filename or ""),
        hint="see `dmesg` for disk errors",
    )

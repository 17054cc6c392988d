"""What run, list, prune and restore do with a target that snapshots a volume."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops.backup.catalog import Summary
from tinykit_ops.backup.errors import (
    BackupSettingsError,
    LockedError,
    SnapshotError,
    TargetAccessError,
)
from tinykit_ops.backup.manifest import new_id
from tinykit_ops.backup.prune import Pruned
from tinykit_ops.backup.retention import decide
from tinykit_ops.backup.targets.volume import VolumeSnapshot, VolumeStore
from tinykit_ops.settings.retention import RetentionSettings


def snapshot_volume(store: VolumeStore, data: Path) -> VolumeSnapshot:
    """A snapshot now of the volume that holds PocketBase's data.

    Raises:
        SnapshotError: there is no database.
        TargetError: no snapshot was made, or it cannot be used yet.
    """
    if not (data / "data.db").is_file():
        raise SnapshotError(
            "There is no PocketBase database to back up",
            where=str(data),
            hint="has this host been provisioned?",
        )
    return store.take(new_id(datetime.now(UTC)), data)


def volume_summaries(store: VolumeStore) -> list[Summary]:
    """Every snapshot, oldest first, as `backup list` shows those of archives.

    The sizes are the volume's; what a snapshot takes of its own only its service knows.
    """
    return [
        Summary(
            one.id,
            one.created,
            data_bytes=one.size,
            fault=one.fault or _pending(one),
            verified=one.verified,
        )
        for one in store.list()
    ]


def newest_complete(store: VolumeStore) -> str:
    """The id of the newest snapshot that can be used. Raises BackupSettingsError without one."""
    complete = [one.id for one in store.list() if one.complete]
    if not complete:
        raise BackupSettingsError(
            f"Target {store.name!r} holds no snapshot yet",
            hint="`tinykit-ops backup run` makes one",
        )
    return complete[-1]


def _pending(one: VolumeSnapshot) -> str | None:
    return None if one.complete else "it is not complete yet"


def prune_volume(
    store: VolumeStore,
    retention: RetentionSettings,
    *,
    protected: Collection[str] = (),
    made: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Pruned:
    """Apply the retention to the complete snapshots, and remove those that failed for good.

    Unfinished ones neither count nor go, and `made`, which this host made last, stays. A refusal
    is told in the result.

    Raises:
        TargetError: the target failed otherwise.
    """
    found = store.list()
    times = [(one.id, one.created) for one in found if one.complete]
    stays = {*protected, *_verified_last(found)}
    pruned = Pruned(decide(times, retention, stays, now or datetime.now(UTC), made))
    going = [one.id for one in pruned.decisions if not one.stays]
    failed = [one.id for one in found if one.fault]
    for snapshot in [] if dry_run else [*reversed(going), *failed]:
        try:
            store.delete(snapshot)
        except LockedError as error:
            pruned.locked[snapshot] = error.what
        except TargetAccessError as error:
            pruned.locked[snapshot] = pruned.denied = error.what
            break
    return pruned


def _verified_last(found: Sequence[VolumeSnapshot]) -> set[str]:
    good = [(one.verified.when, one.id) for one in found if one.verified and one.verified.good]
    return {max(good)[1], max(one for _, one in good)} if good else set()


def restore_volume(store: VolumeStore, snapshot: str, data: Path, to: Path) -> Path:
    """Copy the data of a snapshot to the new folder `to/pb_data`. Returns that.

    Args:
        data: PocketBase's data folder of this host: where it lies on the volume.

    Raises:
        BackupSettingsError: there is no such snapshot, or it has to be attached first.
        SnapshotError: the copy failed; `to` is left as it is.
    """
    source = store.folder_of(snapshot, data)
    if not (source / "data.db").is_file():
        raise SnapshotError("The snapshot holds no PocketBase database", where=str(source))
    copy = to / "pb_data"
    if to.exists() and any(to.iterdir()):
        raise BackupSettingsError(f"{to} is not empty", hint="name a new folder")
    to.mkdir(parents=True, exist_ok=True, mode=0o700)
    # On the same file system the copy shares its blocks and takes no time.
    done = subprocess.run(
        ["cp", "-a", "--reflink=auto", "--", str(source), str(copy)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise SnapshotError(
            f"The copy failed: {done.stderr.strip().splitlines()[-1:]}", where=str(copy)
        )
    return copy

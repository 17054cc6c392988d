"""What a target for archives lets us do, tried with one probe object."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tinykit_ops.agent.config import AgentConfig
from tinykit_ops.backup.catalog import snapshot_ids
from tinykit_ops.backup.doctor.sign import Mark, Sign, from_error
from tinykit_ops.backup.errors import LockedError, TargetAccessError, TargetError
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.targets import Target, open_target
from tinykit_ops.settings.backup_targets import ArchiveTarget, DirectoryTarget

PROBE = "doctor/probe"
SKEW_NOTED, SKEW_BAD = 60, 300  #: seconds; S3 refuses 900
_LOW_SPACE = 0.1


def look_at_target(config: AgentConfig, settings: ArchiveTarget) -> Iterator[Sign]:
    """Put, get, list and delete, the clock, encryption, what is stored.

    Raises:
        TinykitOpsError: nothing can be stored, so nothing else was tried.
    """
    yield _encryption(settings)
    target = open_target(config, settings.name)
    content = f"tinykit-ops backup doctor, {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode()
    target.put(PROBE, io.BytesIO(content))
    yield Sign(Mark.GOOD, "put", f"an object can be stored ({PROBE})")
    yield _got_back(target, content)
    yield from _listed(target)
    yield _deleted(target)


def _encryption(settings: ArchiveTarget) -> Sign:
    if settings.encryption != "none":
        count = len(settings.encryption)
        return Sign(Mark.GOOD, "encryption", f"archives are sealed to {count} age key(s)")
    if settings.kind == "directory":
        return Sign(Mark.NOTE, "encryption", "archives are not encrypted on this disk")
    return Sign(
        Mark.NOTE,
        "encryption",
        "archives are not encrypted: who can read the bucket can read all data",
        "name an age public key as `encryption` of the target",
    )


def _got_back(target: Target, content: bytes) -> Sign:
    try:
        with target.get(PROBE) as stream:
            found = stream.read()
    except TargetError as error:
        return from_error("get", error)
    if found != content:
        return Sign(Mark.BAD, "get", "what comes back is not what was stored")
    return Sign(Mark.GOOD, "get", "it comes back as it was stored")


def _listed(target: Target) -> Iterator[Sign]:
    try:
        found = next((one for one in target.list(PROBE) if one.key == PROBE), None)
        count = len(snapshot_ids(target))
    except TargetError as error:
        yield from_error("list", error)
        return
    if found is None:
        yield Sign(Mark.BAD, "list", "what was just stored is not listed")
        return
    yield Sign(Mark.GOOD, "list", f"it is listed; the target holds {count} snapshot(s)")
    yield _clock((datetime.now(UTC) - found.modified).total_seconds())


def _clock(skew: float) -> Sign:
    said = f"this host's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} its own"
    if abs(skew) > SKEW_BAD:
        return Sign(Mark.BAD, "clock", said, "set this host's clock: see `timedatectl`")
    if abs(skew) > SKEW_NOTED:
        return Sign(Mark.NOTE, "clock", said, "see `timedatectl`")
    return Sign(Mark.GOOD, "clock", "the target's clock and this host's agree")


def _deleted(target: Target) -> Sign:
    try:
        target.delete(PROBE)
    except LockedError as error:
        said = f"{error.what}: the probe object {PROBE} stays until then"
        return Sign(Mark.NOTE, "delete", said)
    except TargetAccessError:
        return Sign(
            Mark.NOTE,
            "delete",
            f"these credentials may not delete, so the probe object {PROBE} stays. That is the "
            "safer way: who breaks into this host cannot remove its backups",
            "run `tinykit-ops backup prune` where the right to delete is",
        )
    except TargetError as error:
        return from_error("delete", error)
    return Sign(Mark.GOOD, "delete", f"it can be deleted, and was: {PROBE}")


def look_at_directory(settings: DirectoryTarget, places: Places) -> Iterator[Sign]:
    """Whether the folder is on another disk than the data, and has room."""
    folder = Path(settings.path)
    used = shutil.disk_usage(folder)
    said = f"{used.free >> 20} MiB of {used.total >> 20} are free"
    low = used.free < used.total * _LOW_SPACE
    hint = "free space there, or keep fewer snapshots" if low else ""
    yield Sign(Mark.BAD if low else Mark.GOOD, "space", said, hint)
    data = places.data
    if data.exists() and folder.stat().st_dev == data.stat().st_dev:
        yield Sign(
            Mark.NOTE,
            "disk",
            "the folder is on the disk of the data itself: when that disk goes, both go",
            "mount another disk there, or name a second target elsewhere",
        )
    else:
        yield Sign(Mark.GOOD, "disk", "the folder is on another disk than the data")

"""Looking whether all data lies on one file system, and which block devices that is on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.backup.errors import VolumeLayoutError

_ESCAPED = re.compile(r"\\([0-7]{3})")  #: how mountinfo writes blanks
_HINT = "move all of it to one volume, or use a target of the kind s3 or directory"


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo(5), as far as it matters.

    Attributes:
        source: the device, such as /dev/nvme1n1p1.
    """

    point: Path
    kind: str
    source: str


def mount_of(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> Mount:
    """The file system that holds a path (without links in it)."""
    found = None
    for mount in _mounts(mountinfo):
        # The last one wins: it lies over the earlier ones.
        if path.is_relative_to(mount.point) and (
            found is None or len(mount.point.parts) >= len(found.point.parts)
        ):
            found = mount
    if found is None:
        raise VolumeLayoutError("No file system holds the data", where=str(path), hint=_HINT)
    return found


def _mounts(mountinfo: Path) -> Iterator[Mount]:
    for line in mountinfo.read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, source = after.split(" ")[:2]
        yield Mount(Path(_plain(before.split(" ")[4])), kind, _plain(source))


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def refuse_spanning(data: Path) -> None:
    """Raises VolumeLayoutError when something below `data` lies on another file system.

    Every subvolume of btrfs counts as another: a snapshot of the outer one leaves it out.
    """
    device = data.stat().st_dev
    waiting = [data]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_symlink():
                _refuse_link(entry, device)
            elif entry.is_dir(follow_symlinks=False):
                _refuse_folder(entry, device)
                waiting.append(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """None of a folder that PocketBase removed since it was listed, with its record."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _refuse_folder(entry: os.DirEntry[str], device: int) -> None:
    try:
        elsewhere = entry.stat(follow_symlinks=False).st_dev != device
    except FileNotFoundError:
        return  # removed since it was listed
    if elsewhere:
        raise VolumeLayoutError(
            "The data spans volumes: a folder in it is on another one",
            where=entry.path,
            hint=_HINT,
        )


def _refuse_link(entry: os.DirEntry[str], device: int) -> None:
    try:
        elsewhere = entry.stat().st_dev != device
    except OSError:
        return  # it leads nowhere
    if elsewhere:
        raise VolumeLayoutError(
            "The data spans volumes: a link in it leads to another one",
            where=entry.path,
            hint=_HINT,
        )


def disks_of(mount: Mount, sys: Path = Path("/sys")) -> list[Path]:
    """The whole disks below a file system, as folders of sysfs, sorted by name.

    Partitions, LVM, RAID and btrfs on several devices are followed to the bottom.

    Raises:
        VolumeLayoutError: it is on no block device at all: memory, network, overlay.
    """
    name = Path(mount.source).resolve().name
    device = sys / "class" / "block" / name
    if not mount.source.startswith("/dev/") or not device.exists():
        raise VolumeLayoutError(
            f"The data is on a file system of the kind {mount.kind}, not on a disk",
            where=str(mount.point),
            hint=_HINT,
        )
    names = _members_of_btrfs(name, sys) if mount.kind == "btrfs" else [name]
    disks = {disk for one in names for disk in _bottom(sys / "class" / "block" / one)}
    return sorted(disks)


def _members_of_btrfs(name: str, sys: Path) -> list[str]:
    for devices in sys.glob("fs/btrfs/*/devices"):
        members = [device.name for device in devices.iterdir()]
        if name in members:
            return members
    return [name]


def _bottom(device: Path) -> Iterator[Path]:
    device = device.resolve()
    if (device / "partition").exists():
        device = device.parent
    below = sorted((device / "slaves").glob("*"))
    if not below:
        yield device
    for one in below:
        yield from _bottom(one)

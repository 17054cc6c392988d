"""Which EBS volume holds the data, read off this host and checked with EC2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinykit_ops.backup.errors import VolumeLayoutError
from tinykit_ops.backup.targets.one_volume import disks_of, mount_of, refuse_spanning

_HINT = "move the data to one EBS volume, or use a target of the kind s3"


def volume_of(
    data: Path,
    attached: Mapping[str, str],
    *,
    mountinfo: Path = Path("/proc/self/mountinfo"),
    sys: Path = Path("/sys"),
) -> str:
    """The id of the one volume that holds all of `data`.

    Args:
        attached: what EC2 says of this instance: device name, such as /dev/sdf → volume id.

    Raises:
        VolumeLayoutError: the data spans volumes, or is on an instance store, or on no volume.
    """
    data = data.resolve()
    refuse_spanning(data)
    disks = disks_of(mount_of(data, mountinfo), sys)
    volumes = {_volume_of_disk(disk, attached) for disk in disks}
    if len(volumes) > 1:
        raise VolumeLayoutError(
            f"The data spans {len(volumes)} volumes: {', '.join(sorted(volumes))}",
            where=str(data),
            hint="their snapshots would be of different moments; " + _HINT,
        )
    return volumes.pop()


def _volume_of_disk(disk: Path, attached: Mapping[str, str]) -> str:
    """Nitro instances tell the volume as the disk's serial number; Xen's by the device's name."""
    if "Instance Storage" in _read(disk / "device" / "model"):
        raise VolumeLayoutError(
            "The data is on an instance store, which is lost when the instance stops",
            where=f"/dev/{disk.name}",
            hint=_HINT,
        )
    serial = _read(disk / "device" / "serial")
    if serial.startswith("vol"):
        volume = f"vol-{serial.removeprefix('vol').removeprefix('-')}"
    else:
        volume = _by_name(disk.name, attached)
    if volume not in attached.values():
        raise VolumeLayoutError(
            f"/dev/{disk.name} is no EBS volume of this instance",
            where=volume or str(disk),
            hint=_HINT,
        )
    return volume


def _by_name(disk: str, attached: Mapping[str, str]) -> str:
    letters = disk.removeprefix("xvd")
    for device in (f"/dev/{disk}", f"/dev/sd{letters}", f"/dev/sd{letters}1", f"/dev/xvd{letters}"):
        if device in attached:
            return attached[device]
    return ""


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""

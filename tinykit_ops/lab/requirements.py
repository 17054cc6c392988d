"""Whether this machine can have a lab at all; if not, one line that says what to do."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tinykit_ops.errors import AccessError, UnavailableError, UsageError
from tinykit_ops.lab import cgroups

#: program → the Debian package that brings it
PROGRAMS: Mapping[str, str] = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "tar": "tar",
}
DISK_PROGRAMS: Mapping[str, str] = {"mkfs.ext4": "e2fsprogs"}
ACME_PROGRAMS: Mapping[str, str] = {"pebble": "pebble", "pebble-challtestsrv": "pebble"}


def require_lab(
    state_root: Path,
    cache: Path,
    *,
    own_disks: bool = False,
    acme: bool = False,
    which: Callable[[str], str | None] = shutil.which,
) -> None:
    """Refuse, before anything is made, on a machine that cannot run a lab.

    Args:
        state_root: the folder that will hold the hosts' files.
        cache: the folder of base trees.
        own_disks: whether hosts get disks of their own (`--disk`).
        acme: whether the lab gets an ACME server (`--acme`).
    Raises: UnavailableError (exit 69) for what is missing; AccessError (77) when not root.
    """
    require_root()
    _require_mountable(state_root, cache)
    extra = {**(DISK_PROGRAMS if own_disks else {}), **(ACME_PROGRAMS if acme else {})}
    _require_programs(extra, which)
    _require_kernel()
    if not own_disks:
        _require_overlay_below(state_root)


def require_root() -> None:
    """Raises: UnavailableError when not on Linux; AccessError when not root."""
    if platform.system() != "Linux":
        raise UnavailableError(
            f"The lab needs Linux (it boots systemd in containers); this is {platform.system()}.",
            hint="Run it in a Debian virtual machine, as root.",
        )
    if os.geteuid() != 0:
        raise AccessError(
            "The lab needs root (it makes namespaces, a bridge and mounts).",
            hint="Run the same command with sudo.",
        )


def _require_programs(extra: Mapping[str, str], which: Callable[[str], str | None]) -> None:
    wanted = {**PROGRAMS, **extra}
    missing = [program for program in wanted if which(program) is None]
    if missing:
        packages = sorted({wanted[program] for program in missing})
        raise UnavailableError(
            f"The lab needs {', '.join(missing)}.",
            hint=f"apt-get install {' '.join(packages)}",
        )


def _require_kernel() -> None:
    if not cgroups.hierarchies():
        raise UnavailableError(
            "The lab needs control groups, version 2.",
            where="/sys/fs/cgroup",
            hint="mount -t cgroup2 cgroup2 /sys/fs/cgroup (or start the container with "
            "--privileged --cgroupns=host).",
        )
    if not os.access(cgroups.hierarchies()[0], os.W_OK) or _read_only(cgroups.hierarchies()[0]):
        raise UnavailableError(
            "The lab needs control groups that it may write to.",
            where=str(cgroups.hierarchies()[0]),
            hint="mount -o remount,rw /sys/fs/cgroup (or start the container with --privileged).",
        )
    if not Path("/proc/sys/net/ipv6").is_dir():
        raise UnavailableError(
            "The lab needs IPv6 in the kernel (its hosts have both address families).",
            hint="Boot without ipv6.disable=1.",
        )


def _read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _require_mountable(*folders: Path) -> None:
    """mount(8) takes an overlay's folders in one string, divided by these."""
    for folder in folders:
        if set(str(folder)) & set(",:\\"):
            raise UsageError(
                "A folder of the lab has a comma, colon or backslash in its name.",
                where=str(folder),
                hint="Set TINYKIT_LAB_ROOT and TINYKIT_LAB_CACHE to plain names.",
            )


def _require_overlay_below(state_root: Path) -> None:
    """An overlay's upper layer cannot itself be on an overlay (as in most containers)."""
    kind = filesystem_kind(state_root)
    if kind == "overlay":
        raise UnavailableError(
            "The lab's folder is on an overlay file system, which cannot carry another one.",
            where=str(state_root),
            hint="Give the hosts disks of their own (--disk 8G), or set TINYKIT_LAB_ROOT to a "
            "folder on a real file system.",
        )


def filesystem_kind(path: Path, mounts: str | None = None) -> str:
    """The type of the file system that `path` is, or will be, on ("ext4", "overlay", …).

    Args:
        mounts: the text of /proc/self/mounts; read from there when None.
    """
    table = mounts if mounts is not None else Path("/proc/self/mounts").read_text()
    best, kind = "", "unknown"
    for line in table.splitlines():
        _, point, fstype, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        is_above = point == "/" or path == Path(point) or Path(point) in path.parents
        if is_above and len(point) >= len(best):  # the last mount on a point is the one seen
            best, kind = point, fstype
    return kind

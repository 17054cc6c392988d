"""Control groups: how the lab knows which processes are its own, and ends exactly those.

A host's processes, the S3 server and whatever runs on the outside client all start inside the
lab's control group and cannot leave it, whatever they fork. So a crash of `lab up` loses nobody,
and `lab down` needs no process ids that may have been given to somebody else since.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tinykit_ops.errors import UnavailableError

CGROUP_ROOT = Path("/sys/fs/cgroup")
END_SECONDS = 180.0  #: also for a machine that has a disk to write back first


def hierarchies() -> list[Path]:
    """The hierarchies to join: cgroup2, and beside it systemd's own where both kinds exist.

    Returns the cgroup2 mount first, or an empty list when this machine has none.
    """
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        return [CGROUP_ROOT]
    if not (CGROUP_ROOT / "unified/cgroup.procs").exists():
        return []
    beside = [CGROUP_ROOT / "systemd"]
    return [CGROUP_ROOT / "unified", *(path for path in beside if path.is_dir())]


def create(group: str) -> None:
    """Make a control group, `group` relative to each hierarchy's root."""
    for hierarchy in hierarchies():
        (hierarchy / group).mkdir(parents=True, exist_ok=True)
    _pass_controllers_down(group)


def inside(group: str, words: Sequence[str]) -> list[str]:
    """The command that joins `group` and then becomes `words`; it fails if the group is gone."""
    joins = [f"echo 0 > {shlex.quote(str(h / group / 'cgroup.procs'))}" for h in hierarchies()]
    return ["sh", "-c", " && ".join([*joins, 'exec "$@"']), "tinykit-lab", *words]


def members(group: str) -> list[int]:
    """Process ids in `group` and everything below it."""
    found: set[int] = set()
    for hierarchy in hierarchies()[:1]:
        for path in [hierarchy / group, *_below(hierarchy / group)]:
            with suppress(OSError):  # gone, or a threaded group whose parent lists them
                found.update(int(line) for line in (path / "cgroup.procs").read_text().split())
    found.discard(0)
    return sorted(found)


def is_alive(group: str) -> bool:
    """Whether any process is in `group` or below."""
    for hierarchy in hierarchies()[:1]:
        with suppress(OSError):
            return "populated 1" in (hierarchy / group / "cgroup.events").read_text()
    return False


def end(group: str) -> None:
    """Kill every process of `group` at once, as a power cut would, and remove the group.

    Raises: UnavailableError when a process does not go away.
    """
    deadline = time.monotonic() + END_SECONDS
    while is_alive(group):
        _kill(group)
        if time.monotonic() > deadline:
            raise UnavailableError(
                "Processes of the lab do not end.",
                where=", ".join(map(str, members(group))),
                hint="They may hang in the kernel (a dead disk or mount): see ps -o stat,wchan",
            )
        time.sleep(0.05)
    remove(group)


def remove(group: str) -> None:
    """Remove an empty group and the empty groups below it, in every hierarchy."""
    for hierarchy in hierarchies():
        for path in [*sorted(_below(hierarchy / group), reverse=True), hierarchy / group]:
            with suppress(FileNotFoundError):
                _remove_one(path)


def children(group: str) -> list[str]:
    """Names of the groups right below `group`, in any hierarchy."""
    found: set[str] = set()
    for hierarchy in hierarchies():
        with suppress(OSError):
            found.update(path.name for path in (hierarchy / group).iterdir() if path.is_dir())
    return sorted(found)


def _remove_one(path: Path) -> None:
    deadline = time.monotonic() + END_SECONDS
    while True:
        try:
            path.rmdir()
        except OSError:
            # A process that has just died still counts for a moment.
            if not path.exists():
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _kill(group: str) -> None:
    switch = hierarchies()[0] / group / "cgroup.kill"
    if switch.exists():
        with suppress(OSError):
            switch.write_text("1")
        return
    for pid in members(group):  # Linux before 5.14 has no switch for it
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _below(folder: Path) -> list[Path]:
    # Groups come and go while this looks; os.walk passes over those that have gone.
    walk = os.walk(folder)
    return [Path(parent, name) for parent, names, _ in walk for name in names]


def _pass_controllers_down(group: str) -> None:
    """Let the host limit memory and processes of its own units, where this machine can."""
    top = hierarchies()[0]
    parts = Path(group).parts
    for depth in range(len(parts)):
        parent = top.joinpath(*parts[:depth])
        with suppress(OSError):
            available = (parent / "cgroup.controllers").read_text().split()
            for controller in available:
                with suppress(OSError):
                    (parent / "cgroup.subtree_control").write_text(f"+{controller}")

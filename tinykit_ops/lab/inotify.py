"""How many inotify instances this machine gives one user: every host's systemd takes eight of them.

All hosts run as root here, so a lab of sixteen hosts meets the kernel's usual limit of 128, and
the next one does not boot, with an error that names something else.
"""

from __future__ import annotations

from pathlib import Path

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
A_HOST = 16
OTHERS = 256  #: this machine's own programs, and hosts of other labs


def make_room(hosts: int, limit: Path = LIMIT) -> None:
    """Raise the limit for so many hosts, until the next boot; it is never lowered."""
    needed = OTHERS + A_HOST * hosts
    if int(limit.read_text()) < needed:
        limit.write_text(str(needed))

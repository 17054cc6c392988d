"""Who is calling: the person behind a command on this host."""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

#: A controller says with it, in the environment of a command, who is behind it.
WHO = "TINYKIT_OPS_WHO"


def caller() -> dict[str, str]:
    """`who` (user@machine of a controller, else the user here), `address`, `login`."""
    login = os.environ.get("SUDO_USER") or user()
    return {"who": os.environ.get(WHO) or login, "address": _address(), "login": login}


def user() -> str:
    """The user's name, or number where nobody has named it, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user-{os.getuid()}"


def _address() -> str:
    """The address that this login came from; sudo takes the variable away from its command, so
    the processes above are asked too. Empty on a console and under cron."""
    pid = os.getpid()
    while pid > 1:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return ""
        for entry in environment:
            if entry.startswith(b"SSH_CONNECTION="):
                return entry.partition(b"=")[2].decode(errors="replace").split(" ")[0]
        parent = re.search(r"^PPid:\s*(\d+)", status, re.MULTILINE)
        pid = int(parent[1]) if parent else 0
    return ""

"""Whether PocketBase runs: decided so that a doubt counts as yes."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tinykit_ops.backup.places import Places

PATIENCE = 5.0  #: seconds for an answer
_ALIVE = {"active", "activating", "reloading", "deactivating"}


def is_running(places: Places) -> bool:
    """True when something answers on its port, its unit is up, or its database is open.

    One sign alone could be wrong: a server that is starting does not listen yet, one in a
    container has no unit, and an idle one may hold no file open.
    """
    return _answers(places.pocketbase_url) or _unit_is_up(places) or _is_open(places.database)


def _answers(url: str) -> bool:
    """Docker accepts connections for a container that is not there, and closes them at once."""
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), PATIENCE) as it:
            it.sendall(b"GET /api/health HTTP/1.0\r\n\r\n")
            return bool(it.recv(1))
    except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError):
        return False
    except OSError:
        return True  # no clear answer


def _unit_is_up(places: Places) -> bool:
    try:
        told = subprocess.run(
            ["systemctl", "is-active", places.pocketbase_unit],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except FileNotFoundError:
        return False  # no systemd here
    return told.stdout.strip() in _ALIVE


def _is_open(database: Path) -> bool:
    """Whether any process has the file open; only root can look at all of them."""
    try:
        wanted = database.stat()
    except FileNotFoundError:
        return False
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found = handle.stat()
        except OSError:
            continue  # ended meanwhile, or not ours to see
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False

"""What else a manifest says of an instance: which programs made and used the data."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tinykit_ops.backup.places import Places
from tinykit_ops.errors import StorageError


def pocketbase_version(binary: Path) -> str:
    """What the binary says of itself; it is never asked over the network."""
    try:
        told = subprocess.run(
            [str(binary), "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        raise StorageError(
            "PocketBase's binary does not tell its version",
            where=str(binary),
            hint="deploy PocketBase again",
        ) from None
    return told.split()[-1] if told.split() else "unknown"


def release_in_use(places: Places) -> str:
    """The name of the release in use, which says what tinykit it is."""
    return places.release.resolve().name if places.release.exists() else "none"

"""Finding the PocketBase that made a snapshot, to boot its copy with the very same one."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops.artifacts import local_binary
from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.places import Places
from tinykit_ops.errors import TinykitOpsError


def binary_of_version(version: str, places: Places) -> Path:
    """The installed binary when it is of that version, else the pinned one, fetched once.

    Raises:
        UsageError, UnavailableError: there is none of that version.
    """
    if places.pocketbase.is_file():
        try:
            if pocketbase_version(places) == version:
                return places.pocketbase
        except TinykitOpsError:
            pass  # a broken one does not keep us from verifying
    return local_binary("pocketbase", version)

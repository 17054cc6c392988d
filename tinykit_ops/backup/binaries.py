"""Finding the PocketBase that made a snapshot, to boot its copy with the very same one."""

from __future__ import annotations

import re
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.artifacts import local_binary
from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.places import Places
from tinykit_ops.errors import TinykitOpsError, UsageError


def binary_of_version(version: str, places: Places) -> Path:
    """An installed binary of that version, else the pinned one, fetched once.

    Raises:
        UsageError, UnavailableError: there is none of that version.
    """
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        raise UsageError(
            "The snapshot names no version of PocketBase",
            where=version[:60],
            hint="is it one of ours? its manifest may have been changed",
        )
    for binary in (places.pocketbase, Path(layout.POCKETBASE_HOME) / version / "pocketbase"):
        try:
            if binary.is_file() and pocketbase_version(binary) == version:
                return binary
        except TinykitOpsError:
            continue  # a broken one does not keep us from verifying
    return local_binary("pocketbase", version)

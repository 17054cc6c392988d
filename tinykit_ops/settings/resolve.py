"""What settings point to on the controller: is it there, and is it the right thing?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from tinykit_ops.settings.model import Settings
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.software import is_web_address


def local_archive(settings: Settings) -> Path | None:
    """The release archive on the controller, or None when it is fetched or built."""
    source = settings.app.archive
    return None if source is None or is_web_address(source) else Path(source).expanduser()


def file_problems(settings: Settings) -> list[Problem]:
    """What is wrong with the files of the controller that settings name."""
    path = local_archive(settings)
    if path is None:
        return []
    try:
        with path.open("rb") as archive:
            found = hashlib.file_digest(archive, "sha256").hexdigest()
    except FileNotFoundError:
        reason = f"there is no file {path} (looked for from {Path.cwd()})"
        return [Problem("app.archive", reason, "`tinykit-ops release build` makes one")]
    except OSError as error:
        reason = f"the file {path} cannot be read: {error.strerror or error}"
        return [Problem("app.archive", reason, "look at its owner and mode")]
    if settings.app.sha256 not in (None, found):
        reason = f"is not the hash of {path}, which is {found}"
        return [Problem("app.sha256", reason, "fetch the archive again, or correct the hash")]
    return []

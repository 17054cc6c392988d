"""Releases that are built once and then taken from a folder."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinykit_ops.artifacts import file_sha256
from tinykit_ops.release.build import CannotWriteError, Report, build_release, description_path
from tinykit_ops.release.model import ReleaseInfo, Source, require_full_commit, without_credentials


def ensure_release(
    git: str, commit: str, cache_dir: Path, *, report: Report = lambda line: None
) -> ReleaseInfo:
    """Return the release of a commit, from the cache if it is there, else built now.

    A cached archive is used only if its hash is still the one that was noted when it was built.
    Several callers may ask at once: one builds, the others wait for it.

    Raises what `build_release` raises.
    """
    commit = require_full_commit(commit)
    # A commit id names content, but the first builder of a cache entry chose where it came from.
    origin = hashlib.sha256(without_credentials(git).encode()).hexdigest()[:12]
    folder = cache_dir / f"{commit}-{origin}"
    with _locked(folder):
        cached = _cached(folder)
        if cached:
            report(f"archive: {cached.archive} (from the cache)")
            return cached
        return build_release(Source.from_git(git, commit), folder, report=report)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise CannotWriteError(f"{error.strerror}.", where=str(folder)) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cached(folder: Path) -> ReleaseInfo | None:
    for archive in folder.glob("*.tar.zst"):
        try:
            known = json.loads(description_path(archive).read_text())
            info = ReleaseInfo(**known | {"archive": archive})
        except (OSError, ValueError, TypeError):
            continue
        if file_sha256(archive) == info.sha256:
            return info
    return None

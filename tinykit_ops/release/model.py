"""What a release is built from and what comes out; and everything that can go wrong with one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tinykit_ops.errors import StorageError, TinykitOpsError, UnavailableError, UsageError

FULL_COMMIT = re.compile(r"[0-9a-f]{40}")


class ReleaseError(TinykitOpsError):
    """A release could not be built or is not usable."""


class SourceError(ReleaseError, UsageError):
    """The source named by the user cannot be built as it is: dirty, unpinned, or not tinykit."""


class ToolMissingError(ReleaseError, UnavailableError):
    """git, node or npm is missing or too old on this machine."""


class BuildFailedError(ReleaseError, UnavailableError):
    """A step of the build ended with an error."""


class OutOfMemoryError(BuildFailedError):
    """The build was killed, or JavaScript's heap was full."""


class ArchiveError(ReleaseError, StorageError):
    """An archive is damaged, hostile, or does not hold a release."""


@dataclass(frozen=True)
class Source:
    """Where the code of a release comes from: exactly one of the three classmethods.

    `git` is a URL or a path that git understands. `folder` is a directory. `commit` is 40
    lower-case hex digits. `commit_time` (seconds since the epoch) is only for a folder whose
    commit is *stated* by the caller instead of read from git.
    """

    git: str | None = None
    folder: Path | None = None
    commit: str | None = None
    commit_time: int | None = None
    name: str = ""  #: what to note as the origin, if it is not the URL or path

    @classmethod
    def from_git(cls, url: str, commit: str) -> Source:
        """A commit of a repository. Raises SourceError unless it is a full commit id."""
        return cls(git=url, commit=require_full_commit(commit))

    @classmethod
    def from_checkout(cls, folder: Path) -> Source:
        """A git checkout on this machine, at the commit that is checked out."""
        return cls(folder=folder)

    @classmethod
    def stated(cls, folder: Path, commit: str, commit_time: int, name: str) -> Source:
        """A folder outside git whose commit id and time the caller vouches for."""
        commit = require_full_commit(commit)
        return cls(folder=folder, commit=commit, commit_time=commit_time, name=name)


@dataclass(frozen=True)
class ReleaseInfo:
    """One release archive.

    Sizes are bytes; `date` is ISO 8601 in UTC, and empty when it is not known (an archive that
    was only inspected); `commit` is empty for an archive that does not say.
    """

    archive: Path
    sha256: str
    commit: str
    app: str
    node: str
    size: int
    unpacked_size: int
    source: str = ""
    date: str = ""
    dirty: bool = False


def require_full_commit(commit: str) -> str:
    """Return `commit` if it is 40 hex digits (as lower case), else raise SourceError."""
    if FULL_COMMIT.fullmatch(commit.lower()):
        return commit.lower()
    raise SourceError(
        "The source is not pinned: a release needs a full commit id of 40 hex digits.",
        where=f"commit {commit!r}",
        hint="A branch, tag or short id can mean something else tomorrow; "
        "`git rev-parse NAME` prints the full id.",
    )


def without_credentials(url: str) -> str:
    """Return a git URL without user name and password (paths and scp-like names unchanged)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

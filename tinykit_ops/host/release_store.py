"""The releases on a host: a folder each; `current` leads to the one that serves."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinykit_ops import layout
from tinykit_ops.backup.files import flush_file_system
from tinykit_ops.errors import UsageError

KEPT = 3  #: releases that stay on the host, the current one and the one before among them
_SHORTEST = 4  #: characters of a commit or id that may stand for it


@dataclass(frozen=True)
class Installed:
    """One unpacked release.

    Attributes:
        id: of its folder: the start of its archive's SHA-256.
        commit: of the app; empty when the archive names none.
        unpacked: when, ISO 8601, UTC.
        role: `current`, `previous`, or empty.
    """

    id: str
    app: str
    commit: str
    unpacked: str
    role: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


class ReleaseStore:
    """What is unpacked below tinykit's folder."""

    def __init__(self, home: Path = Path(layout.TINYKIT_HOME)) -> None:
        self.home = home
        self.folder = home / "releases"
        self.migrations = home / "migrations"

    def installed(self) -> list[Installed]:
        """All releases, the newest first."""
        folders = sorted(self._folders(), key=lambda each: each.stat().st_mtime, reverse=True)
        return [self._describe(folder) for folder in folders]

    def current(self) -> str:
        """The id of the release that serves, or an empty string."""
        return self._id_of("current")

    def previous(self) -> str:
        """The id of the release that served before, or an empty string."""
        return self._id_of("previous")

    def find(self, word: str) -> Installed:
        """The one release whose commit or id begins with `word`.

        Raises:
            UsageError: there is none, or more than one.
        """
        found = [
            each
            for each in self.installed()
            if len(word) >= _SHORTEST and (each.id.startswith(word) or each.commit.startswith(word))
        ]
        if len(found) == 1:
            return found[0]
        raise UsageError(
            f"{'No release' if not found else 'More than one release'} of this host is {word!r}.",
            where=str(self.folder),
            hint="`tinykit-ops release list` shows commits and ids; four characters are enough",
        )

    def make_current(self, release: str) -> None:
        """Point `current` at it, in one step, and note which one was before."""
        before = self.current()
        if before == release:
            return
        if before:
            self.point("previous", before)
        self.point("current", release)

    def point(self, name: str, release: str) -> None:
        """Let the link `name` lead to a release."""
        _link(self.home / name, f"releases/{release}")

    def adopt_migrations(self, release: str) -> None:
        """Let PocketBase's migrations be those of a release; it reads them when it starts."""
        source = self.migrations_in(release)
        name = _digest(source)
        if self.migrations_in_use() == name:
            return
        staging = self.migrations / f".{name}.new"
        shutil.rmtree(staging, ignore_errors=True)
        staging.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copytree(source, staging)
        # The name says what is in it, and nobody looks again: not empty files after a power cut.
        flush_file_system(staging)
        shutil.rmtree(self.migrations / name, ignore_errors=True)
        staging.rename(self.migrations / name)
        self.use_migrations(name)

    def has_migrations_of(self, release: str) -> bool:
        """Whether PocketBase's migrations are those of this release."""
        source = self.migrations_in(release)
        return source.is_dir() and self.migrations_in_use() == _digest(source)

    def migrations_in(self, release: str) -> Path:
        """The migrations that a release brings."""
        return self.folder / release / "pocketbase/pb_migrations"

    def migrations_in_use(self) -> str:
        """The name of those that PocketBase has, by their content; or an empty string."""
        link = self.migrations / "current"
        return str(link.readlink()) if link.is_symlink() and link.exists() else ""

    def use_migrations(self, name: str) -> None:
        """Let PocketBase's migrations be those of this name, which are kept."""
        _link(self.migrations / "current", name)

    def prune(self, kept: int = KEPT) -> list[str]:
        """Remove the oldest releases, and what unpacking left behind; returns what went.

        The current one, the one before and the one that the standby runs always stay.
        """
        shielded = {self.current(), self.previous(), self._id_of("standby")} - {""}
        spare = [each.id for each in self.installed() if each.id not in shielded]
        gone = spare[max(0, kept - len(shielded)) :]
        for name in (*gone, *self._leftovers()):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return gone

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (
                entry
                for entry in self.folder.iterdir()
                if entry.is_dir() and not entry.name.startswith(".")
            )

    def _leftovers(self) -> list[str]:
        return [entry.name for entry in self.folder.iterdir() if entry.name.startswith(".")]

    def _describe(self, folder: Path) -> Installed:
        try:
            told = json.loads((folder / "release.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            told = {}
        roles = {self.current(): "current", self.previous(): "previous"}
        return Installed(
            id=folder.name,
            app=str(told.get("app", "")),
            commit=str(told.get("commit") or ""),
            unpacked=datetime.fromtimestamp(folder.stat().st_mtime, UTC).isoformat(
                timespec="seconds"
            ),
            role=roles.get(folder.name, "") if folder.name != self.current() else "current",
        )

    def _id_of(self, name: str) -> str:
        link = self.home / name
        return link.readlink().name if link.is_symlink() and link.exists() else ""


def _link(link: Path, target: str) -> None:
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _digest(folder: Path) -> str:
    """A name for the content of a folder of files."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(folder)}\0{content}\n".encode())
    return found.hexdigest()[:16]

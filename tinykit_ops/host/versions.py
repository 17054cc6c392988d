"""The versions of one program on a host: a folder each, and a link to the one in use."""

from __future__ import annotations

import re
from pathlib import Path

from tinykit_ops.backup.files import sync_folder


class Versions:
    """The folder of a program.

    Args:
        home: such as `/opt/pocketbase`; it holds `VERSION/NAME` and the link `current`.
        name: of the binary.
    """

    def __init__(self, home: Path, name: str) -> None:
        self.home = home
        self.name = name
        self.link = home / "current"

    def current(self) -> str:
        """The version in use, or an empty string."""
        return self.link.readlink().name if self.link.is_symlink() else ""

    def binary(self, version: str) -> Path:
        """Where the binary of a version is, or would be."""
        return self.home / version / self.name

    def point(self, version: str) -> None:
        """Let the link lead to a version, in one step, and outlive a power cut.

        Whoever finds it led to the old version afterwards may rely on it: the new one never ran.
        """
        if self.current() == version:
            return
        new = self.home / ".current.new"
        new.unlink(missing_ok=True)
        new.symlink_to(version)
        new.replace(self.link)
        sync_folder(self.home)


def numbers(version: str) -> tuple[int, ...]:
    """A version as what can be compared: 0.40.6 → (0, 40, 6)."""
    return tuple(int(part) for part in re.findall(r"\d+", version))

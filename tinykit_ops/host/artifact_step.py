"""Pinned programs, each under its own folder: a folder a version, and a link to the one in use."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinykit_ops import artifacts
from tinykit_ops.artifacts import Artifact


class ArtifactStep:
    """Install `artifact` as `HOME/VERSION/NAME` and point `HOME/current` at it.

    Args:
        home: the program's folder, such as `/opt/caddy`.
    """

    def __init__(self, artifact: Artifact, home: Path) -> None:
        self.artifact = artifact
        self.home = home
        self.binary = home / artifact.version / artifact.name
        self.link = home / "current"

    def pending(self) -> list[str]:
        """Whether the binary's hash or the link is not as wanted."""
        wanted = self.artifact.sha256.get(artifacts.architecture())
        left = []
        if not wanted or artifacts.file_sha256(self.binary) != wanted:
            left.append(f"{self.artifact.name} {self.artifact.version}")
        if not self._linked():
            left.append(f"link {self.link}")
        return left

    def apply(self) -> None:
        """Fetch and check the binary, then switch the link in one step."""
        artifacts.install(self.artifact, self.binary)
        if not self._linked():
            new = self.home / ".current.new"
            new.unlink(missing_ok=True)
            new.symlink_to(self.artifact.version)
            new.replace(self.link)

    def _linked(self) -> bool:
        return self.link.is_symlink() and str(self.link.readlink()) == self.artifact.version


class ArtifactsStep:
    """Several programs at once: fetching is mostly waiting, so they are fetched side by side."""

    def __init__(self, steps: Sequence[ArtifactStep]) -> None:
        self.steps = steps

    def pending(self) -> list[str]:
        """What is left to do for any of them."""
        return [what for step in self.steps for what in step.pending()]

    def apply(self) -> None:
        """Install those that are not as wanted; the first error is raised when all have ended."""
        wanting = [step for step in self.steps if step.pending()]
        with ThreadPoolExecutor(max_workers=len(self.steps)) as pool:
            for done in [pool.submit(step.apply) for step in wanting]:
                done.result()

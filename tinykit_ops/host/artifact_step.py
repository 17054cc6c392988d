"""Pinned programs, each under its own folder: a folder a version, and a link to the one in use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinykit_ops import artifacts
from tinykit_ops.artifacts import Artifact
from tinykit_ops.host.versions import Versions


class ArtifactStep:
    """Install `artifact` as `HOME/VERSION/NAME` and point `HOME/current` at it.

    Args:
        home: the program's folder, such as `/opt/caddy`.
        switches: point the link at it; else only where there is none yet, because another step
            switches it with more care.
    """

    def __init__(self, artifact: Artifact, home: Path, *, switches: bool = True) -> None:
        self.artifact = artifact
        self.versions = Versions(home, artifact.name)
        self.binary = self.versions.binary(artifact.version)
        self._switches = switches

    def pending(self) -> list[str]:
        """Whether the binary's hash or the link is not as wanted."""
        wanted = self.artifact.sha256.get(artifacts.architecture())
        left = []
        if not wanted or artifacts.file_sha256(self.binary) != wanted:
            left.append(f"{self.artifact.name} {self.artifact.version}")
        if not self._linked():
            left.append(f"link {self.versions.link}")
        if any(self._halves()):
            left.append(f"remove what an interrupted run left in {self.versions.home}")
        return left

    def apply(self) -> None:
        """Fetch and check the binary, then switch the link in one step."""
        for folder in self._halves():
            shutil.rmtree(folder, ignore_errors=True)
        artifacts.install(self.artifact, self.binary)
        if not self._linked():
            self.versions.point(self.artifact.version)

    def _halves(self) -> Iterator[Path]:
        """Folders in which a fetch was cut off, as by a host that lost its power."""
        return self.versions.home.glob(f"*/{artifacts.FETCHING}*")

    def _linked(self) -> bool:
        current = self.versions.current()
        return current == self.artifact.version or (bool(current) and not self._switches)


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

"""The outside client: somebody on the Internet, who is on no allowlist."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from tinykit_ops.lab import network
from tinykit_ops.lab.commands import run
from tinykit_ops.lab.names import LabNames

RUN_SECONDS = 120.0


@dataclass(frozen=True)
class Outside:
    """This machine's programs, in a network of their own that the hosts see as a stranger's.

    The hosts' names (tk-1.lab.test …) are known there.
    """

    names: LabNames
    address4: str
    address6: str

    def command(self, words: Sequence[str]) -> list[str]:
        """The command that runs `words` there."""
        return network.outside_command(self.names, list(words))

    def run(
        self,
        words: Sequence[str],
        *,
        input_text: str | None = None,
        check: bool = False,
        timeout: float = RUN_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine there. Raises: CommandError when it fails (`check`)."""
        return run(self.command(words), input_text=input_text, check=check, timeout=timeout)

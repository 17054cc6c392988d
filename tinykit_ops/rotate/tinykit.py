"""tinykit's server with other credentials: its environment file, and a process that has read it."""

from __future__ import annotations

from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.host import files
from tinykit_ops.host.serving import serve_step


class Tinykit:
    """The server of this host.

    Args:
        environment: the file that its units read.
    """

    def __init__(self, environment: Path = Path(layout.TINYKIT_ENVIRONMENT)) -> None:
        self.environment = environment

    def run_with(self, environment: str) -> None:
        """Let it run with this environment; does nothing when it does already.

        Raises:
            UnavailableError: it is not well with that.
        """
        if files.read(self.environment) != environment:
            files.write(self.environment, environment, mode=0o600)
        if self.is_stale():
            self.restart()

    def is_stale(self) -> bool:
        """Whether it, or a standby that still serves, was started with something else."""
        return bool(serve_step("").pending())

    def restart(self) -> None:
        """Start it anew, without a gap: a standby serves meanwhile."""
        serve_step("").apply()

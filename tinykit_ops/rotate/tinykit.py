"""tinykit's server with other credentials: its environment file, and a process that has read it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError
from tinykit_ops.host import files

RESTART_SECONDS = 120


class Tinykit:
    """The server of this host.

    Args:
        environment: the file that its unit reads.
        started: touched by the unit whenever it starts.
    """

    def __init__(
        self,
        environment: Path = Path(layout.TINYKIT_ENVIRONMENT),
        started: Path = Path(layout.STARTED_DIR) / layout.TINYKIT_UNIT,
    ) -> None:
        self.environment = environment
        self.started = started

    def run_with(self, environment: str) -> None:
        """Let it run with this environment; does nothing when it does already.

        Raises:
            UnavailableError: it does not start.
        """
        if files.read(self.environment) != environment:
            files.write(self.environment, environment, mode=0o600)
        if self._is_stale():
            self.restart()

    def restart(self) -> None:
        """Start it anew; returns when it listens."""
        done = subprocess.run(
            ["systemctl", "restart", layout.TINYKIT_UNIT],
            capture_output=True,
            text=True,
            timeout=RESTART_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise UnavailableError(
                f"tinykit does not start: {done.stderr.strip()[:300]}",
                hint="`tinykit-ops logs tinykit` says more; run this again when it is mended",
            )

    def _is_stale(self) -> bool:
        try:
            return self.environment.stat().st_ctime > self.started.stat().st_mtime
        except FileNotFoundError:
            return True

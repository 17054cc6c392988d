"""systemd's units on this host, as the agent needs them: their state, and their verbs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from tinykit_ops import layout
from tinykit_ops.errors import UnavailableError

LAST_LINES = 15


def systemctl(*words: str, must: bool = True, seconds: float = 300) -> str:
    """What `systemctl WORDS` says.

    Args:
        must: raise when it fails; otherwise its answer is whatever it is.

    Raises:
        UnavailableError: it failed, with what it said.
    """
    done = subprocess.run(
        ["systemctl", *words], capture_output=True, text=True, timeout=seconds, check=False
    )
    if must and done.returncode != 0:
        raise UnavailableError(
            f"systemctl {' '.join(words)} failed: {done.stderr.strip()[:300]}",
            hint=f"`journalctl -u {words[-1]} -n 50` says more",
        )
    return done.stdout.strip()


class Unit:
    """One unit.

    Args:
        name: its full name.
        files: what it reads when it starts; newer than its start, they make it stale.
        boots: it starts with the host.
        stamps: the folder where units leave a stamp when they start.
    """

    def __init__(
        self,
        name: str,
        files: Sequence[str] = (),
        *,
        boots: bool = False,
        stamps: Path = Path(layout.STARTED_DIR),
    ) -> None:
        self.name = name
        self.files = files
        self.boots = boots
        self._stamp = stamps / name

    def faults(self) -> list[str]:
        """Why it is not as it should be: stopped, not started at boot, with former files."""
        found = []
        if not self.is_active():
            found.append(f"{self.name} does not run")
        if self.boots and systemctl("is-enabled", self.name, must=False) != "enabled":
            found.append(f"{self.name} does not start at boot")
        if self._show("NeedDaemonReload") == "yes" or self.is_stale():
            found.append(f"{self.name} runs with former files")
        return found

    def is_active(self) -> bool:
        """Whether it is up."""
        return self._show("ActiveState") == "active"

    def is_stale(self) -> bool:
        """Whether it never started, or one of its files changed since it did."""
        if not self._stamp.exists():
            return True
        began = self._stamp.stat().st_mtime_ns
        return any(changed > began for changed in _changes(self.files))

    def identity(self) -> tuple[str, str]:
        """Its main process, and how often systemd restarted it: another one after a crash."""
        return self._show("MainPID"), self._show("NRestarts")

    def start(self) -> None:
        """Start or restart it, and wait until it is up.

        Raises:
            UnavailableError: it did not come up, with its last log lines.
        """
        systemctl("daemon-reload")
        systemctl("reset-failed", self.name, must=False)
        if self.boots:
            systemctl("enable", "--quiet", self.name)
        try:
            systemctl("restart", self.name)
        except UnavailableError as error:
            raise self.did_not_start(error) from error

    def did_not_start(self, error: UnavailableError) -> UnavailableError:
        """What is told of a start that failed."""
        return UnavailableError(
            f"{self.name} did not start; its last log lines:\n{self.last_lines()}",
            hint=error.hint,
        )

    def stop(self) -> None:
        """Stop it and wait until it has ended what it was at."""
        systemctl("stop", self.name)
        systemctl("reset-failed", self.name, must=False)

    def last_lines(self) -> str:
        """The end of its log."""
        words = ["journalctl", "-u", self.name, "-n", str(LAST_LINES), "--no-pager", "-o", "cat"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip()

    def _show(self, name: str) -> str:
        return systemctl("show", "-p", name, "--value", self.name, must=False)


def _changes(files: Iterable[str]) -> Iterable[int]:
    """When each was changed or replaced; of a link, when the link was."""
    for name in files:
        path = Path(name)
        if path.is_symlink() or path.exists():
            yield path.lstat().st_ctime_ns

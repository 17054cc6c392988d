"""Running the programs of a build: output to a log, a small environment, readable failures."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinykit_ops.release.memory import BUILD_PEAK_GB, available_gb, ran_out_of_memory
from tinykit_ops.release.model import BuildFailedError, OutOfMemoryError, ToolMissingError

SHOWN_LINES = 15

# A build runs other people's install scripts. The controller's environment may hold the secrets
# of an inventory, so a build sees only what programs need to find their way and the network.
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|(https?|no|all)_proxy"
    r"|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|NODE_OPTIONS|npm_config_\w+",
    re.IGNORECASE,
)
_FOR_GIT_TOO = re.compile(r"SSH_AUTH_SOCK|SSH_AGENT_PID|GIT_SSH|GIT_SSH_COMMAND|GIT_SSL_\w+")


def build_environment(*, git: bool = False) -> dict[str, str]:
    """The environment that programs of a build may see."""
    return {
        name: value
        for name, value in os.environ.items()
        if _PASSED_ON.fullmatch(name) or (git and _FOR_GIT_TOO.fullmatch(name))
    } | {"CI": "1", "GIT_TERMINAL_PROMPT": "0"}


class CommandLog:
    """Runs commands one after the other, with all their output in one log file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> None:
        """Run a command.

        Raises:
            ToolMissingError: the program is not installed.
            OutOfMemoryError: it was killed, or said that memory ran out.
            BuildFailedError: it ended with any other error.
        """
        start = self.path.stat().st_size if self.path.exists() else 0
        with self.path.open("ab") as log:
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            try:
                status = subprocess.run(
                    words,
                    cwd=cwd,
                    env=dict(env if env is not None else build_environment()),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                ).returncode
            except FileNotFoundError:
                raise missing(words[0]) from None
        if status != 0:
            raise self._failure(words, status, start)

    def _failure(self, words: Sequence[str], status: int, start: int) -> BuildFailedError:
        with self.path.open("rb") as log:
            log.seek(start)
            output = log.read().decode(errors="replace")
        tail = "\n".join(f"    {line}" for line in deque(output.splitlines(), SHOWN_LINES))
        command = " ".join(words[:3])
        if ran_out_of_memory(status, output):
            return OutOfMemoryError(
                f"`{command}` ran out of memory. Its last lines:\n{tail}",
                where=f"log {self.path}",
                hint=f"A build needs about {BUILD_PEAK_GB} GB at its peak; "
                f"{available_gb():.1f} GB are free now. Add swap (`fallocate -l 4G /swapfile && "
                "chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile`) or build on "
                "another machine and give the archive to the inventory.",
            )
        return BuildFailedError(
            f"`{command}` failed with status {status}. Its last lines:\n{tail}",
            where=f"log {self.path}",
            hint="Read the log; the same command by hand in a checkout shows the same error.",
        )


def output_of(
    words: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str | None:
    """Return what a command prints, stripped; None if it fails.

    Raises ToolMissingError when the program is not installed.
    """
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=dict(env if env is not None else build_environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise missing(words[0]) from None
    return done.stdout.strip() if done.returncode == 0 else None


def missing(program: str) -> ToolMissingError:
    """The error for a program that is not installed."""
    hints = {
        "git": "Install it: `apt install git`.",
        "node": "Install Node.js 20 or newer; Debian 13 has it: `apt install nodejs npm`.",
        "npm": "Install it: `apt install npm`, or use a Node.js distribution that carries npm.",
    }
    return ToolMissingError(
        f"`{program}` is not installed on this machine, and a build needs it.",
        where="PATH",
        hint=hints.get(program, ""),
    )

"""Looking at the host that tinykit runs on: commands, files and sockets.

Checks see a host through `HostFacts` only, so that their tests can imitate one.
"""

from __future__ import annotations

import grp
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinykit_ops.checks.model import CannotLook

MAX_READ = 4 << 20  #: bytes
COMMAND_SECONDS = 60.0  #: for a command that reads, on a host that is busy


@dataclass(frozen=True)
class FileFacts:
    """What `stat` says of a file or folder.

    Attributes:
        owner, group: names, or numbers where there is no name.
        mode: permission bits only.
        kind: `file`, `folder` or `other`.
    """

    path: str
    owner: str
    group: str
    mode: int
    kind: str
    size: int

    def __str__(self) -> str:
        return f"{self.path} is {self.owner}:{self.group} {self.mode:04o}"


@dataclass(frozen=True)
class CommandResult:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The first line of what went wrong, for a reason."""
        lines = (self.err or self.out).strip().splitlines()
        return lines[0][:200] if lines else f"exit status {self.status}"


class HostFacts(Protocol):
    """A host, looked at by somebody who is on it."""

    def run(self, *argv: str, timeout: float = COMMAND_SECONDS) -> CommandResult:
        """Run a command that only reads. Raises CannotLook when it is not there or hangs."""

    def stat(self, path: str) -> FileFacts | None:
        """Facts of a path (links followed), None when there is none. Raises CannotLook."""

    def read(self, path: str) -> str | None:
        """The text of a file, None when there is none. Raises CannotLook."""


class LocalHost:
    """The machine that this process runs on."""

    def run(self, *argv: str, timeout: float = COMMAND_SECONDS) -> CommandResult:
        """Run a command in the C locale, without a shell."""
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "SYSTEMD_PAGER": "",
            "SYSTEMD_COLORS": "0",
        }
        try:
            done = subprocess.run(
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError:
            raise CannotLook(f"`{argv[0]}` is not installed on the host") from None
        except subprocess.TimeoutExpired:
            raise CannotLook(f"`{_words(argv)}` did not end within {timeout:g} s") from None
        except OSError as error:
            raise CannotLook(f"`{_words(argv)}` cannot be run: {error.strerror}") from None
        return CommandResult(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )

    def stat(self, path: str) -> FileFacts | None:
        """Facts of a path."""
        try:
            found = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CannotLook(f"cannot look at {path}: {error.strerror}") from None
        kind = {stat.S_IFREG: "file", stat.S_IFDIR: "folder"}.get(stat.S_IFMT(found.st_mode))
        return FileFacts(
            path,
            _user(found.st_uid),
            _group(found.st_gid),
            stat.S_IMODE(found.st_mode),
            kind or "other",
            found.st_size,
        )

    def read(self, path: str) -> str | None:
        """The text of a file, up to 4 MiB."""
        try:
            with Path(path).open("rb") as file:
                return file.read(MAX_READ).decode("utf-8", "replace")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise CannotLook(f"cannot read {path}: {error.strerror}") from None


def _words(argv: Sequence[str]) -> str:
    return " ".join(argv)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)

"""Reading one secret on the controller: from the environment, a file or a command.

No function here puts a value, a part of one, or the text of a command into an error.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from functools import lru_cache
from pathlib import Path

#: A command may wait for a person to unlock a password store, but not for ever.
COMMAND_SECONDS = 60.0
_MOST_BYTES = 64 * 1024


class SecretSourceError(ValueError):
    """A secret could not be read. The message says why, and holds no value.

    Args:
        hint: what to do about it.
    """

    def __init__(self, reason: str, *, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def from_environment(name: str) -> str:
    """The environment variable `name` of the controller."""
    if name not in os.environ:
        raise SecretSourceError(
            f"the environment variable {name} is not set", hint=f"export {name}=… before the run"
        )
    return os.environ[name]


def from_file(name: str) -> str:
    """The text of a file of the controller; `~` is the home folder."""
    path = Path(name).expanduser()
    try:
        if not path.is_file():
            missing = "is not a regular file" if path.exists() else "does not exist"
            raise SecretSourceError(f"the file {path} {missing}", hint="make it, with mode 0600")
        if path.stat().st_size > _MOST_BYTES:
            raise SecretSourceError(f"the file {path} is larger than 64 KiB, so not a password")
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise SecretSourceError(f"the file {path} is not text in UTF-8") from None
    except OSError as error:
        reason = f"the file {path} cannot be read: {error.strerror or error}"
        raise SecretSourceError(reason, hint="look at its owner and mode") from None


def others_may_read(name: str) -> bool:
    """May the group or the world read this file?"""
    try:
        mode = Path(name).expanduser().stat().st_mode
    except OSError:
        return False
    return bool(mode & (stat.S_IRGRP | stat.S_IROTH))


@lru_cache(maxsize=256)
def from_command(command: str, *, seconds: float = COMMAND_SECONDS) -> str:
    """What a shell command prints, as `pass show NAME`; `seconds` is how long it may take.

    It runs once a process, however many deploys ask: a person may have to touch a key for it.
    """
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, complaint = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise SecretSourceError(
            f"the command did not end within {seconds:g} seconds",
            hint="run it by hand: does it ask for something?",
        ) from None
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        raise _command_failed(process.returncode, complaint)
    try:
        return output.decode()
    except UnicodeDecodeError:
        raise SecretSourceError("the command printed something that is not text in UTF-8") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and everything that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _command_failed(code: int, complaint: bytes) -> SecretSourceError:
    if code == 127:
        # The shell would name the word that it did not find, which may be a password that
        # somebody wrote where the command belongs.
        reason = "the command names a program that is not installed"
        return SecretSourceError(
            reason, hint='a plain secret is not a command: use "env" or "file"'
        )
    lines = complaint.decode(errors="replace").strip().splitlines()
    last = "".join(c for c in lines[-1] if c.isprintable())[:200] if lines else ""
    reason = f"the command ended with exit code {code}"
    return SecretSourceError(f"{reason}: {last}" if last else reason, hint="run it by hand")


def age_keys(text: str) -> str:
    """The private keys of a file as `age-keygen` writes it, on one line; empty for other texts."""
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line.startswith("AGE-SECRET-KEY-")]
    others = [line for line in lines if line and not line.startswith(("#", "AGE-SECRET-KEY-"))]
    return "" if others else " ".join(keys)

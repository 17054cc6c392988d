"""Errors that a person can act on, and the exit codes that go with them.

Every error that a user can cause is a `TinykitOpsError`: it says what happened, where, and what
to do next. The command line prints those three lines and exits with `exit_code`; a traceback
means a bug in tinykit-ops.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every `tinykit-ops` command (64 and above follow BSD's sysexits.h)."""

    OK = 0
    FINDINGS = 1  #: it looked, and something is wrong
    COULD_NOT_SEE = 2  #: nothing wrong was seen, but not everything could be looked at
    USAGE = 64  #: the command line, a settings value or an input file is wrong
    UNAVAILABLE = 69  #: something that the command needs is missing or does not answer
    SOFTWARE = 70  #: a bug in tinykit-ops
    CANNOT_CREATE = 73  #: an output file or folder cannot be made
    IO_ERROR = 74  #: reading or writing failed half-way
    TRY_AGAIN = 75  #: somebody else holds the lock, or a limit was hit
    NO_PERMISSION = 77  #: this user may not do that
    INTERRUPTED = 130  #: Ctrl-C
    NO_READER = 141  #: what read the output (`| head`) has gone


class TinykitOpsError(Exception):
    """Something went wrong that the user can do something about.

    Args:
        what: one sentence: what happened.
        where: the file, host, key or URL it happened at.
        hint: what to do about it.
    """

    exit_code: Exit = Exit.FINDINGS

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.hint:
            lines.append(f"  hint:  {self.hint}")
        return "\n".join(lines)


class UsageError(TinykitOpsError):
    """The command line, a settings value or an input file is wrong."""

    exit_code = Exit.USAGE


class UnavailableError(TinykitOpsError):
    """Something that the command needs is missing or does not answer."""

    exit_code = Exit.UNAVAILABLE


class StorageError(TinykitOpsError):
    """Reading or writing failed half-way."""

    exit_code = Exit.IO_ERROR


class BusyError(TinykitOpsError):
    """Somebody else holds the lock, or a limit was hit: try again later."""

    exit_code = Exit.TRY_AGAIN


class AccessError(TinykitOpsError):
    """This user, key or password may not do that."""

    exit_code = Exit.NO_PERMISSION

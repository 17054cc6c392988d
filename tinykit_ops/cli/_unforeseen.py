"""How a command ends that met what nobody foresaw: a full disk, a missing file, a bug of ours."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import traceback

import click

from tinykit_ops.errors import AccessError, Exit, StorageError, TinykitOpsError, UnavailableError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def told(error: OSError | subprocess.TimeoutExpired) -> TinykitOpsError:
    """What the system said, as an error for people: there is something that they can do."""
    if isinstance(error, subprocess.TimeoutExpired):
        words = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd[:3]))
        return UnavailableError(f"{words} did not end within {error.timeout:g} s")
    what = error.strerror or str(error) or type(error).__name__
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    if isinstance(error, PermissionError):
        return AccessError(what, where=where, hint="run this as root, or as who owns it")
    hint = "free some disk space and run again" if error.errno in _NO_ROOM else ""
    return StorageError(what, where=where, hint=hint)


def bug(error: Exception) -> Exit:
    """Tell the exception that is being handled as what it is.

    A host's agent comes without what only controllers need, which is no bug.
    """
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("tinykit_ops"):
        words = UnavailableError(
            f"this command needs {error.name}, which is not installed here",
            hint="it is for the machine that deploys; a host's agent comes without",
        )
        click.echo(f"error: {words}", err=True)
        return words.exit_code
    traceback.print_exc()
    click.echo("error: this is a bug in tinykit-ops; the lines above say where", err=True)
    return Exit.SOFTWARE


def reader_is_gone() -> Exit:
    """Say nothing more to `| head`, also not at interpreter shutdown.

    What was not said may have been bad news, so it is no success: the code is what a shell says of
    a program that such a pipe ends.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return Exit.NO_READER

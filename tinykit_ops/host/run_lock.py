"""One controller, or one command that changes the instance, at a time on a host.

The lock is the kernel's, so none is ever stale: it ends with its process. For a run of
pyinfra that is `templates/agent/hold.sh.j2`, which ends with the controller's connection. What the
file says is only for people.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from tinykit_ops import __version__, layout
from tinykit_ops.ending import ending_in_order
from tinykit_ops.errors import AccessError, BusyError, TinykitOpsError, UsageError
from tinykit_ops.host import audit
from tinykit_ops.host.caller import caller
from tinykit_ops.host.flock import taken

LOCK = Path(layout.RUN_LOCK)
LOOK_SECONDS = 1.0  #: who only looks (`holder`) has the lock for a moment, and refuses nobody


@contextmanager
def changing(what: str, lock: Path = LOCK, log: Path = Path(layout.AUDIT_LOG)) -> Iterator[None]:
    """Keep controllers and other such commands away while the block runs, and write it down.

    Args:
        what: the command, without anything secret; the audit log keeps it.

    It ends in order when it is told to end, as by `release`.

    Raises:
        BusyError: a controller or another command is changing this host.
        AccessError: this user may not.
        StorageError: the audit log cannot be written.
    """
    run = secrets.token_hex(8)
    about = {**caller(), "what": what, "version": __version__}
    with _opened(lock) as file:
        if not taken(file, LOOK_SECONDS):
            audit.append(run, "refused", about, log)
            raise busy(lock.read_text(errors="replace"))
        audit.append(run, "begun", about, log)
        _note(file, {"id": run, "since": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **about})
        ended: dict[str, object] = {"result": "interrupted"}
        try:
            with ending_in_order():
                yield
            ended = {"result": "ok"}
        except TinykitOpsError as error:
            ended = {"result": "failed", "why": error.what}
            raise
        except Exception as error:
            ended = {"result": "failed", "why": type(error).__name__}
            raise
        finally:
            with suppress(TinykitOpsError):  # it is done; the log then says `unfinished`
                audit.append(run, "ended", ended, log)
            file.truncate(0)


def holder(lock: Path = LOCK) -> dict[str, Any] | None:
    """Who holds the lock now, as its file says; None when nobody does.

    Raises:
        AccessError: this user may not look.
    """
    if not lock.exists():
        return None
    with _opened(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _told(lock.read_text(errors="replace"))
    return None


def release(lock: Path = LOCK) -> dict[str, Any]:
    """End the process that holds the lock. Returns who held it.

    Raises:
        UsageError: nobody holds it, or its holder cannot be found.
    """
    held = holder(lock)
    if held is None:
        raise UsageError("nobody holds this host", where=str(lock))
    pid = held.get("pid")
    if not isinstance(pid, int) or not _has_open(pid, lock):
        raise UsageError(
            "the process that holds the lock is not known",
            where=str(lock),
            hint=f"`fuser -v {lock}` shows it; the lock ends with it",
        )
    os.kill(pid, signal.SIGTERM)
    return held


def busy(text: str, where: str = "") -> BusyError:
    """The sentence for who is refused.

    Args:
        text: what the lock's file says.
    """
    return BusyError(
        f"this host is being changed by {sentence(_told(text))}",
        where=where or str(LOCK),
        hint="wait for it to end, then run again; `tinykit-ops lock show` on the host tells more",
    )


def sentence(held: dict[str, Any]) -> str:
    """Who, from where, with what, since when."""
    who, address = held.get("who"), held.get("address")
    if not who:
        return "a run that is just beginning or ending"
    from_where = f" (from {address})" if address else ""
    return f"{who}{from_where}: {held.get('what', '?')}, since {held.get('since', '?')}"


def _told(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _opened(lock: Path) -> TextIO:
    try:
        lock.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        # Root's alone: whoever may open the file could hold the lock and stop every deploy.
        return os.fdopen(os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    except PermissionError:
        raise AccessError(
            "this user may not change this host", where=str(lock), hint="run this as root"
        ) from None


def _note(file: TextIO, told: dict[str, Any]) -> None:
    file.truncate(0)
    file.write(json.dumps({**told, "pid": os.getpid()}) + "\n")
    file.flush()


def _has_open(pid: int, lock: Path) -> bool:
    wanted = lock.stat()
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found = descriptor.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False

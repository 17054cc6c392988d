"""Who changed what on this host, and when: a line at the beginning, a line at the end.

The same file is written by the shell program that holds the host for a run of pyinfra
(`templates/agent/hold.sh.j2`), because a bare host has no agent yet.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinykit_ops import layout
from tinykit_ops.errors import AccessError, StorageError

UNFINISHED = "unfinished"  #: no line says how it ended: at work still, or the power went


@dataclass(frozen=True)
class Entry:
    """One run of a controller, or one command.

    Attributes:
        time: when it began, ISO 8601, UTC.
        ended: when it ended; empty while nobody knows.
        who: user@machine of the controller, or the user on this host.
        address: from where that user was logged in; may be empty.
        login: the user on this host.
        what: `pyinfra deploys/full.py`, or the command.
        result: `ok`, `failed`, `interrupted`, `refused` or `unfinished`.
        changed: how many operations changed something; None when nobody counted.
        why: what failed, in a few words.
    """

    id: str
    time: str
    who: str
    what: str
    result: str
    ended: str = ""
    address: str = ""
    login: str = ""
    version: str = ""
    changed: int | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)


def append(
    run: str, event: str, fields: Mapping[str, object], log: Path = Path(layout.AUDIT_LOG)
) -> None:
    """Write a line; a file that has become long makes room for a new one.

    Raises:
        StorageError: it cannot be written; whoever changes something unseen must know.
    """
    line = {"id": run, "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "event": event, **fields}
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone():
            with suppress(FileNotFoundError):
                if log.stat().st_size > layout.AUDIT_BYTES:
                    log.replace(f"{log}.1")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            with os.fdopen(os.open(log, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    except PermissionError:
        raise AccessError(
            "this user may not write the audit log", where=str(log), hint="run this as root"
        ) from None
    except OSError as error:
        raise StorageError(
            f"the audit log cannot be written: {error.strerror}",
            where=str(log),
            hint="free some disk space; nothing was changed",
        ) from None


@contextmanager
def _alone() -> Iterator[None]:
    """One writer at a time, so that a file is put aside once."""
    path = Path(layout.AUDIT_LOCK)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read(log: Path = Path(layout.AUDIT_LOG)) -> tuple[list[Entry], int]:
    """All entries, the oldest first, and how many lines could not be read.

    Raises:
        AccessError: this user may not read it.
        StorageError: it cannot be read.
    """
    lines: list[str] = []
    for path in (Path(f"{log}.1"), log):
        try:
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            continue
        except PermissionError:
            raise AccessError(
                "This user may not read the audit log", where=str(path), hint="run this as root"
            ) from None
        except OSError as error:
            raise StorageError(
                f"The audit log cannot be read: {error.strerror}", where=str(path)
            ) from None
    return _joined(lines)


def _joined(lines: Iterable[str]) -> tuple[list[Entry], int]:
    """Beginnings and ends, brought together by id."""
    begun: dict[str, dict[str, Any]] = {}
    damaged = 0
    for line in lines:
        fields = _fields(line)
        if fields is None:
            damaged += 1
        elif fields["event"] == "ended":
            known = begun.setdefault(fields["id"], {})
            known.update({**fields, "ended": fields["time"], "time": known.get("time", "")})
        else:
            result = "refused" if fields["event"] == "refused" else UNFINISHED
            begun[fields["id"]] = {**fields, "result": result}
    return [_entry(fields) for fields in begun.values()], damaged


def _fields(line: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
        return fields if {"id", "time", "event"} <= set(fields) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _entry(fields: Mapping[str, Any]) -> Entry:
    texts = ("id", "who", "what", "result", "ended", "address", "login", "version")
    changed = fields.get("changed")
    return Entry(
        time=str(fields["time"] or fields.get("ended", "")),
        changed=changed if isinstance(changed, int) else None,
        why=str(fields.get("why") or fields.get("failed") or ""),
        **{name: str(fields.get(name, "")) for name in texts},
    )

"""One consistent copy of the database: by PocketBase itself when it runs, by us when it does not.

A running PocketBase's database is never opened from here. After one of its own backups it holds
no locks on the file, and a second process can then crash it or lose committed records.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinykit_ops.backup.beneath import open_file, opened_folder
from tinykit_ops.backup.database import take_in_wal
from tinykit_ops.backup.errors import BackupBusyError, NoSpaceError, SnapshotError
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.room import need_room
from tinykit_ops.backup.running import is_running
from tinykit_ops.backup.takeover import copy_stream, take_over
from tinykit_ops.errors import TinykitOpsError
from tinykit_ops.pocketbase.client import PocketBase
from tinykit_ops.pocketbase.errors import PocketBaseError, PocketBaseUnreachableError

HEADER = "X-Tinykit-Ops-Token"
ROUTE = "/api/tinykit-ops/snapshot"
POLL_SECONDS = 0.25
LONGEST_SECONDS = 2 * 3600.0  #: VACUUM INTO takes 5 to 7 seconds a gigabyte
BUSY_SECONDS = 300.0  #: for another copy: of a release's trial, or of a run that was killed
SILENCE_SECONDS = 60.0  #: how long PocketBase may not answer while it works
MARGIN_BYTES = 64 << 20


@contextmanager
def consistent_copy(places: Places, token: str) -> Iterator[Path]:
    """A copy of the database in our own folder, removed when the block ends.

    Args:
        token: the secret that the hook in PocketBase wants.

    Raises:
        SnapshotError, NoSpaceError, BackupBusyError: there is no copy.
    """
    places.work.mkdir(parents=True, exist_ok=True, mode=0o700)
    _need_space(places)
    copy = places.work / "data.db"
    try:
        if is_running(places):
            take_over(_ask_pocketbase(places, token), copy)
        else:
            _copy_stopped(places, copy)
        yield copy
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def clear_leftovers(places: Places) -> None:
    """Remove what a killed run left on this host. Call it only while holding the lock."""
    if places.work.is_dir():
        shutil.rmtree(places.work)
    try:
        with opened_folder(places.snapshots) as folder:
            for name in os.listdir(folder):  # noqa: PTH208  of the handle
                if name.endswith(".db"):
                    os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _need_space(places: Places) -> None:
    if not places.database.is_file():
        raise SnapshotError(
            "There is no PocketBase database to back up",
            where=str(places.database),
            hint="has this host been provisioned?",
        )
    wal = places.database.with_name("data.db-wal")
    needed = places.database.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    needed += MARGIN_BYTES
    folder = places.snapshots if places.snapshots.is_dir() else places.data
    hint = "free some space on that file system; nothing was changed"
    need_room(folder, needed, "for a copy of the database", hint)
    if places.work.stat().st_dev != folder.stat().st_dev:  # where it is copied to from there
        need_room(places.work, needed, "for a copy of the database", hint)


# A running PocketBase --------------------------------------------------------------------------


def _ask_pocketbase(places: Places, token: str) -> Path:
    """Let the hook write a copy. Returns its path, in a folder that PocketBase's user owns."""
    headers = {HEADER: token}
    with PocketBase(places.pocketbase_url) as server:
        file = _wait(server, _begin(places, server, headers), headers)
    return places.snapshots / Path(file).name


def _begin(places: Places, server: PocketBase, headers: dict[str, str]) -> str:
    """Start a copy, after one that is being made, whose room is counted then. Returns its id."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return str(server.call("POST", ROUTE, headers=headers)["id"])
        except PocketBaseError as error:
            if error.status != 409 or time.monotonic() >= deadline:
                raise _refusal(error) from None
        time.sleep(POLL_SECONDS)
        _need_space(places)


def _wait(server: PocketBase, snapshot: str, headers: dict[str, str]) -> str:
    """Poll until the copy is done. Returns its file name."""
    deadline = time.monotonic() + LONGEST_SECONDS
    last_answer = time.monotonic()
    while time.monotonic() < deadline:
        try:
            told = server.call("GET", f"{ROUTE}/{snapshot}", headers=headers)
        except PocketBaseUnreachableError as error:
            if time.monotonic() - last_answer > SILENCE_SECONDS:
                raise _refusal(error) from None
        except PocketBaseError as error:
            raise _refusal(error) from None
        else:
            last_answer = time.monotonic()
            if told["state"] == "done":
                return str(told["file"])
            if told["state"] == "failed":
                raise _failure(str(told["error"]))
        time.sleep(POLL_SECONDS)
    raise SnapshotError(
        f"PocketBase was still copying after {LONGEST_SECONDS / 3600:g} hours",
        where=server.url,
        hint="look at the disk's speed, and at `journalctl -u pocketbase`",
    )


def _refusal(error: PocketBaseError) -> TinykitOpsError:
    if error.status == 409:
        return BackupBusyError(
            f"PocketBase is taking a snapshot already, still after {BUSY_SECONDS:g} seconds",
            where=error.where,
            hint="wait for it and run again",
        )
    hints = {
        403: "the secret `hook-token` is not the one PocketBase started with: redeploy both",
        404: "PocketBase restarted meanwhile, or runs without tinykit-ops' hooks: "
        "run again, then redeploy",
        503: "PocketBase's unit must name the snapshot folder and be able to write there: redeploy",
    }
    return SnapshotError(
        f"PocketBase gave no snapshot: {error.what}",
        where=error.where,
        hint=hints.get(error.status, error.hint),
    )


def _failure(reason: str) -> TinykitOpsError:
    if "full" in reason or "no space" in reason.lower():
        return NoSpaceError(
            f"The disk was full before the copy was finished ({reason})",
            hint="free some space on PocketBase's file system; the partial copy was removed",
        )
    return SnapshotError(
        f"PocketBase could not copy its database ({reason})",
        hint="see `journalctl -u pocketbase`; is the database itself sound?",
    )


# A stopped PocketBase --------------------------------------------------------------------------


def _copy_stopped(places: Places, copy: Path) -> None:
    """Copy the files byte by byte, and let SQLite work on the copy only."""
    wal = places.database.with_name("data.db-wal")
    _copy_bytes(places.database, copy)
    if wal.exists():
        _copy_bytes(wal, copy.with_name("data.db-wal"))
    if is_running(places):
        raise SnapshotError(
            "PocketBase was started while its files were copied",
            where=str(places.database),
            hint="run the backup again; it will ask the running server for a snapshot",
        )
    try:
        take_in_wal(copy)
    except sqlite3.DatabaseError as error:
        raise SnapshotError(
            f"The database of the stopped PocketBase cannot be read ({error})",
            where=str(places.database),
            hint="it may be damaged: restore a snapshot with `tinykit-ops backup restore`",
        ) from None


def _copy_bytes(source: Path, destination: Path) -> None:
    try:
        with open_file(source) as reader:
            copy_stream(reader, destination)
    except OSError as error:
        kind = NoSpaceError if error.errno == errno.ENOSPC else SnapshotError
        raise kind(
            f"The database could not be copied ({error.strerror})",
            where=str(source),
            hint="free some space" if kind is NoSpaceError else "see `dmesg` for disk errors",
        ) from None

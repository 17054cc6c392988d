"""Verifying a snapshot of a volume: what lies in it is copied, checked and booted.

There is no manifest, so nobody knows how many rows or which hashes there should be. What can be
proven is that the database is sound, that no upload which a record names is missing, and that
PocketBase serves it all.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tinykit_ops.backup.about import pocketbase_version
from tinykit_ops.backup.boot import boot_copy
from tinykit_ops.backup.copy_folder import copy_folder
from tinykit_ops.backup.database import Contents, find_faults, read_contents
from tinykit_ops.backup.errors import DamagedError, SnapshotError, local_failure
from tinykit_ops.backup.manifest import Upload
from tinykit_ops.backup.places import Places
from tinykit_ops.backup.restore import DATA
from tinykit_ops.backup.uploads import list_uploads, open_upload
from tinykit_ops.backup.verify import Verdict, room

DATABASE = "data.db"


def verify_data(snapshot: str, data: Path, places: Places, *, boot: bool = True) -> Verdict:
    """Verify a copy of PocketBase's data folder as it lay on its volume.

    Args:
        data: the folder, on the snapshot or on a volume made of it; only read.
        places: of this host, whose installed PocketBase is booted on the copy.

    Raises:
        SnapshotError: there is no database in it.
        UnavailableError: PocketBase cannot be booted here.
        NoSpaceError: this host's disk is full.
    """
    if not (data / DATABASE).is_file():
        raise SnapshotError("The snapshot holds no PocketBase database", where=str(data))
    verdict = Verdict(snapshot)
    with copy_folder(room()) as folder:
        try:
            _look(verdict, data, folder, places if boot else None)
        except DamagedError as error:
            verdict.faults.append(f"database: {error.what}")
        except OSError as error:
            raise local_failure(error) from None
    return verdict


def _look(verdict: Verdict, data: Path, folder: Path, places: Places | None) -> None:
    copy = _copy_database(data, folder / DATA)
    verdict.faults += [f"database: {fault}" for fault in find_faults(copy)]
    verdict.steps.append("database: SQLite's integrity and foreign keys")
    contents = read_contents(copy)
    sample = None
    if not contents.uploads_elsewhere:
        _look_for_uploads(verdict, contents, data / "storage")
        sample = _sample(contents, data / "storage", folder / DATA / "storage")
    if places is None:
        verdict.steps.append("NOT booted, as asked")
        return
    verdict.pocketbase = pocketbase_version(places.pocketbase)
    verdict.faults += boot_copy(places.pocketbase, folder, contents.rows, sample)
    verdict.booted = True
    verdict.steps.append(f"PocketBase {verdict.pocketbase} booted on the copy")


def _copy_database(data: Path, into: Path) -> Path:
    """With what its WAL holds, as SQLite itself would recover it after a power cut."""
    into.mkdir(parents=True, mode=0o700)
    for name in (DATABASE, f"{DATABASE}-wal"):
        if (data / name).is_file():
            shutil.copyfile(data / name, into / name)
    try:
        with closing(sqlite3.connect(into / DATABASE)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"it cannot be read ({error})", where=DATABASE) from None
    return into / DATABASE


def _look_for_uploads(verdict: Verdict, contents: Contents, storage: Path) -> None:
    lacking = sorted(contents.files.difference(list_uploads(storage)))
    verdict.faults += [f"upload {path} is named by a record, but not there" for path in lacking]
    verdict.steps.append(f"{len(contents.files)} uploads that records name are there")


def _sample(contents: Contents, storage: Path, into: Path) -> Upload | None:
    """The first upload that a record names, copied for PocketBase to serve."""
    there = sorted(contents.files.intersection(list_uploads(storage)))
    if not there:
        return None
    path = into / there[0]
    path.parent.mkdir(parents=True)
    with open_upload(storage, there[0]) as source, path.open("wb") as file:
        shutil.copyfileobj(source, file)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Upload(path=there[0], key=there[0], size=path.stat().st_size, sha256=digest)

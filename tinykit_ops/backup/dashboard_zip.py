"""Reading a backup that PocketBase's dashboard made: a zip that anybody may have made, or changed.

Everything is decided from the list of its entries before one byte is written, and only what a
snapshot holds is written at all: the database, its WAL, and uploads.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tinykit_ops.backup.beneath import open_file
from tinykit_ops.backup.errors import BackupSettingsError, NoSpaceError

DATABASE = "data.db"
STORAGE = "storage"
MARKER = ".setup_complete"  #: tinykit's: it may hold the superuser's password in plain text
MOST_ENTRIES = 2_000_000
#: Deflate packs at most 1032:1; data that packs like this, and is large, was made to do harm.
MOST_RATIO, FROM_BYTES = 200, 1 << 30
MARGIN_BYTES = 64 << 20
_WANTED = re.compile(rf"{re.escape(DATABASE)}(-wal)?|{STORAGE}/.+")
_NAMED_TIME = re.compile(r"_(\d{14})\.zip$")


class BadZipError(BackupSettingsError):
    """The file is not a backup of PocketBase's dashboard, or is one to be afraid of."""


@dataclass
class Unpacked:
    """What came out.

    Attributes:
        made: when the backup was made, as far as the file tells.
        dropped: entries that are no part of a snapshot.
    """

    folder: Path
    made: datetime
    dropped: list[str] = field(default_factory=list)


def unpack(file: Path, into: Path) -> Unpacked:
    """Check the zip and write what a snapshot needs into a new folder of ours.

    Raises:
        BadZipError: it is no such backup, is damaged, or would write outside the folder.
        NoSpaceError: there is no room for it.
        PlantedLinkError: the file is a link of somebody else.
    """
    try:
        with open_file(file) as stream, zipfile.ZipFile(stream) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_bad_entries(file, entries)
            _refuse_bombs(file, entries, stream, into)
            wanted = [entry for entry in entries if _WANTED.fullmatch(entry.filename)]
            for entry in wanted:
                _write(archive, entry, into / entry.filename)
    except FileNotFoundError:
        raise BackupSettingsError("There is no such file", where=str(file)) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise _bad(
            file, f"The zip is damaged or of another kind ({type(error).__name__})"
        ) from None
    dropped = sorted(one.filename for one in entries if one not in wanted)
    return Unpacked(into, _made(file, entries), dropped)


def _refuse_bad_entries(file: Path, entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if DATABASE not in names:
        raise _bad(file, f"There is no {DATABASE} in it, so it is no backup of PocketBase")
    if len(names) > MOST_ENTRIES or len(set(names)) != len(names):
        raise _bad(file, "It holds too many entries, or one name twice")
    for entry in entries:
        fault = next(_entry_faults(entry), None)
        if fault:
            raise _bad(file, f"An entry {fault}: {entry.filename[:100]!r}")


def _entry_faults(entry: zipfile.ZipInfo) -> Iterator[str]:
    # orig_filename is what the file says: zipfile cuts names at a NUL.
    name = entry.orig_filename
    steps = name.split("/")
    if any(step in ("", ".", "..") for step in steps) or "\\" in name or not name.isprintable():
        yield "would leave the folder or hides its name"
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        yield "is a link or a device"
    if entry.flag_bits & 0x1:
        yield "is encrypted"
    if len(name.encode()) > 1000 or any(len(step.encode()) > 255 for step in steps):
        yield "has a name that is too long"


def _refuse_bombs(file: Path, entries: list[zipfile.ZipInfo], stream: BinaryIO, into: Path) -> None:
    packed = sum(entry.compress_size for entry in entries)
    size = sum(entry.file_size for entry in entries)
    if packed > os.fstat(stream.fileno()).st_size:
        raise _bad(file, "Its entries overlap: it is made to grow without end")
    if size > FROM_BYTES and size > MOST_RATIO * packed:
        raise _bad(file, f"It would grow {size // max(packed, 1)} times: it is made to do harm")
    existing = next(one for one in (into, *into.parents) if one.exists())
    free = shutil.disk_usage(existing).free
    if free < size + MARGIN_BYTES:
        raise NoSpaceError(
            f"Not enough room to unpack it: {free >> 20} MiB are free, {size >> 20} are needed",
            where=str(existing),
            hint="free some space; nothing was written",
        )


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    # zipfile gives no more bytes than the entry says, and checks their CRC.
    with os.fdopen(handle, "wb") as writer, archive.open(entry) as reader:
        shutil.copyfileobj(reader, writer, 1 << 20)


def _made(file: Path, entries: list[zipfile.ZipInfo]) -> datetime:
    """PocketBase writes the time into the name, in UTC; else the newest entry tells."""
    now = datetime.now(UTC)
    named = _NAMED_TIME.search(PurePosixPath(file).name)
    try:
        if named:
            return min(datetime.strptime(named[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC), now)
        newest = max(entry.date_time for entry in entries)
        return min(datetime(*newest, tzinfo=UTC), now)
    except ValueError:
        return now


def _bad(file: Path, what: str) -> BadZipError:
    return BadZipError(
        what, where=str(file), hint="give a file that PocketBase's dashboard made under Backups"
    )

"""What a copy of PocketBase's database holds. Never give these functions a live database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.backup.errors import DamagedError

PROBLEMS = 20  #: told at most


@dataclass(frozen=True)
class Contents:
    """What a database says about itself.

    Attributes:
        rows: how many a collection has, by its name; views are left out.
        files: paths of uploads that records name, relative to `storage/`.
        uploads_elsewhere: PocketBase keeps uploads in S3, not on this host.
    """

    rows: dict[str, int]
    files: frozenset[str]
    uploads_elsewhere: bool


@dataclass(frozen=True)
class _Collection:
    id: str
    name: str
    file_fields: tuple[str, ...]


def take_in_wal(copy: Path) -> None:
    """What stands in the WAL beside a copy becomes part of it; the copy is one file then.

    Raises:
        sqlite3.DatabaseError: it is damaged, or no database.
    """
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")


def read_contents(path: Path) -> Contents:
    """Count rows and gather the names of uploads.

    Raises:
        DamagedError: it is not a PocketBase database (0.23 or later), or cannot be read.
    """
    with opened(path) as database:
        collections = list(_collections(database))
        return Contents(
            rows={c.name: _count(database, c.name) for c in collections},
            files=frozenset(name for c in collections for name in _files(database, c)),
            uploads_elsewhere=_keeps_uploads_in_s3(database),
        )


def find_faults(path: Path) -> list[str]:
    """SQLite's integrity and foreign-key checks. Returns what is wrong, nothing when all is well.

    Raises:
        DamagedError: it cannot be read at all.
    """
    with opened(path) as database:
        said = [str(row[0]) for row in database.execute(f"PRAGMA integrity_check({PROBLEMS})")]
        faults = [f"integrity: {line}" for line in said if line != "ok"]
        broken = database.execute("PRAGMA foreign_key_check").fetchmany(PROBLEMS)
        return faults + [f"foreign key: {row[0]} row {row[1]} → {row[2]}" for row in broken]


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy, for reading only. Raises DamagedError when it cannot be read."""
    try:
        # immutable: no lock, no journal, nothing written beside the file.
        with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as database:
            yield database
    except (sqlite3.Error, ValueError) as error:
        raise DamagedError(
            f"The copy is not a PocketBase database that can be read ({error})",
            where=path.name,
            hint="if a running server gave it, check the server's own database",
        ) from None


def _collections(database: sqlite3.Connection) -> Iterator[_Collection]:
    query = "SELECT id, name, fields FROM _collections WHERE type <> 'view' ORDER BY name"
    for identifier, name, fields in database.execute(query).fetchall():
        of_files = tuple(f["name"] for f in json.loads(fields) if f.get("type") == "file")
        yield _Collection(identifier, name, of_files)


def _count(database: sqlite3.Connection, table: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {quoted(table)}").fetchone()[0])  # noqa: S608


def _files(database: sqlite3.Connection, collection: _Collection) -> Iterator[str]:
    """PocketBase stores COLLECTION/RECORD/NAME; a field holds one name or a JSON list."""
    for field in collection.file_fields:
        column = quoted(field)
        query = f"SELECT id, {column} FROM {quoted(collection.name)} WHERE {column} <> ''"  # noqa: S608
        for record, value in database.execute(query):
            names = json.loads(value) if value.startswith("[") else [value]
            yield from (f"{collection.id}/{record}/{name}" for name in names)


def _keeps_uploads_in_s3(database: sqlite3.Connection) -> bool:
    found = database.execute("SELECT value FROM _params WHERE id = 'settings'").fetchone()
    try:
        return bool(json.loads(found[0])["s3"]["enabled"])
    except (TypeError, KeyError, ValueError):
        return False  # encrypted settings: then missing files are what tells


def quoted(name: str) -> str:
    """A name of a table or column for a statement."""
    return '"' + name.replace('"', '""') + '"'

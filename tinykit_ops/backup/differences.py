"""What changed between two copies of a database, in rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tinykit_ops.backup.database import opened, quoted


@dataclass(frozen=True)
class Difference:
    """One collection: rows that came, that are others now, and that went."""

    collection: str
    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"{self.collection}: {self.added} new, {self.changed} changed, {self.removed} gone"


def differences(before: Path, after: Path) -> list[Difference]:
    """Every collection with rows of people in it that is not the same in both.

    PocketBase's own (logins, codes) are left out; tinykit's are not.

    Args:
        before, after: copies, never live databases.

    Raises:
        DamagedError: one cannot be read.
    """
    with opened(after) as database, opened(before):
        database.execute("ATTACH ? AS former", (f"{before.as_uri()}?immutable=1",))
        then, now = _tables(database, "former"), _tables(database, "main")
        found = [_of_both(database, name) for name in sorted(then & now)]
        found += [Difference(name, _rows(database, "main", name), 0, 0) for name in now - then]
        found += [Difference(name, 0, 0, _rows(database, "former", name)) for name in then - now]
    return [one for one in found if one.added or one.changed or one.removed]


def _tables(database: sqlite3.Connection, of: str) -> set[str]:
    query = f"SELECT name FROM {of}._collections WHERE type <> 'view'"  # noqa: S608
    names = {str(row[0]) for row in database.execute(query)}
    return {name for name in names if not name.startswith("_") or name.startswith("_tk_")}


def _of_both(database: sqlite3.Connection, name: str) -> Difference:
    table = quoted(name)
    ids = "SELECT id FROM {}.{} WHERE id NOT IN (SELECT id FROM {}.{})"
    added = _count(database, ids.format("main", table, "former", table))
    removed = _count(database, ids.format("former", table, "main", table))
    shared = ", ".join(_shared_columns(database, name))
    fresh = f"SELECT {shared} FROM main.{table} EXCEPT SELECT {shared} FROM former.{table}"  # noqa: S608
    return Difference(name, added, _count(database, fresh) - added, removed)


def _shared_columns(database: sqlite3.Connection, name: str) -> Iterator[str]:
    columns = [
        {row[0] for row in database.execute("SELECT name FROM pragma_table_info(?, ?)", (name, of))}
        for of in ("main", "former")
    ]
    yield from (quoted(column) for column in sorted(columns[0] & columns[1]))


def _rows(database: sqlite3.Connection, of: str, name: str) -> int:
    with suppress(sqlite3.OperationalError):
        return _count(database, f"SELECT 1 FROM {of}.{quoted(name)}")  # noqa: S608
    return 0  # a collection without a table


def _count(database: sqlite3.Connection, query: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM ({query})").fetchone()[0])  # noqa: S608

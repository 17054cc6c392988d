"""The data that everybody backs up: records and uploads of a PocketBase, made without its API.

Written while PocketBase is stopped, straight into its files: through the API a gigabyte would take
longer than all that is measured.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backup.kit import Server

COLLECTION = "things"
SCHEMA = {
    "name": COLLECTION,
    "type": "base",
    "fields": [
        {"name": "title", "type": "text"},
        {"name": "body", "type": "text", "max": 10_000_000},
        {"name": "file", "type": "file", "maxSelect": 1, "maxSize": 1_000_000_000},
    ],
}
BODY_BYTES = 1200  #: three rows to a page of SQLite
TEXT_SHARE = 0.1  #: of the bytes of uploads; the others are as dense as pictures
SMALLEST, BIGGEST = 20_000, 8_000_000  #: bytes of most uploads, log-uniform
BIG_BYTES = 64_000_000  #: one upload is a film, where there is room for it
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_INSERT = f"INSERT INTO {COLLECTION} (id, title, body, file) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True)
class Size:
    """How much: bytes of uploads, and of the database's file (roughly)."""

    uploads: int
    database: int


class Dataset:
    """What a stopped server holds.

    Args:
        seed: the same one makes the same data.
    """

    def __init__(self, server: Server, seed: int = 1) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._vocabulary = [self._name(self._random.randint(3, 11)) for _ in range(3000)]

    def make_collection(self) -> None:
        """Needs the running server."""
        self._server.pb.call("POST", "/api/collections", json=SCHEMA)

    def grow(self, size: Size) -> None:
        """Add so much."""
        with self._opened() as database, database:
            folder = self._folder(database)
            for length in _lengths(size.uploads, self._random):
                self._add_upload(database, folder, length)
            rows = max(0, size.database) // (BODY_BYTES + 165)
            database.executemany(_INSERT, (self._row() for _ in range(rows)))

    def change_uploads(self, share: float) -> int:
        """Replace that share of the bytes of uploads, as when people delete some and add others.

        Returns the bytes that are new.
        """
        with self._opened() as database, database:
            folder = self._folder(database)
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            wanted = int(sum(path.stat().st_size for path in files) * share)
            self._random.shuffle(files)
            replaced = 0
            for path in files:
                length = path.stat().st_size
                if replaced + length > wanted * 1.05:
                    continue
                database.execute(f"DELETE FROM {COLLECTION} WHERE id = ?", (path.parent.name,))
                shutil.rmtree(path.parent)
                self._add_upload(database, folder, length)
                replaced += length
            return replaced

    def change_rows(self, share: float) -> int:
        """Write the newest rows anew, that share of all: what is edited is mostly recent.

        It is the case that tools which cut a file into pieces like best. Returns how many.
        """
        with self._opened() as database, database:
            total = database.execute(f"SELECT count(*) FROM {COLLECTION}").fetchone()[0]
            newest = f"SELECT id FROM {COLLECTION} ORDER BY rowid DESC LIMIT ?"
            ids = [row[0] for row in database.execute(newest, (int(total * share),))]
            database.executemany(
                f"UPDATE {COLLECTION} SET body = ? WHERE id = ?",
                ((self._text(BODY_BYTES), one) for one in ids),
            )
            return len(ids)

    # Making ------------------------------------------------------------------------------------

    def _add_upload(self, database: sqlite3.Connection, folder: Path, length: int) -> None:
        record, name = self._name(15), f"file_{self._name(10)}.bin"
        (folder / record).mkdir(parents=True)
        dense = self._random.random() >= TEXT_SHARE
        with (folder / record / name).open("wb") as file:
            for piece in _pieces(length):
                file.write(
                    self._random.randbytes(piece) if dense else self._text(piece).encode()[:piece]
                )
        database.execute(_INSERT, (record, "with a file", "", name))

    def _row(self) -> tuple[str, str, str, str]:
        return self._name(15), self._text(40), self._text(BODY_BYTES), ""

    def _text(self, length: int) -> str:
        """Words, among them as many ids and numbers as in what a builder of web pages stores."""
        words = self._random.choices(self._vocabulary, k=length // 8 + 1)
        return json.dumps(" ".join(words))[:length].ljust(length, ".")

    def _name(self, length: int) -> str:
        return "".join(self._random.choices(_LETTERS, k=length))

    # Where -------------------------------------------------------------------------------------

    def _opened(self) -> closing[sqlite3.Connection]:
        if self._server.process is not None:
            raise AssertionError("PocketBase runs: its database is not ours to open")
        return closing(sqlite3.connect(self._server.data / "data.db"))

    def _folder(self, database: sqlite3.Connection) -> Path:
        query = "SELECT id FROM _collections WHERE name = ?"
        (collection,) = database.execute(query, (COLLECTION,)).fetchone()
        folder: Path = self._server.data / "storage" / collection
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def bytes_in(folder: Path) -> int:
    """The sizes of all files below, together."""
    return sum(
        os.stat(Path(here) / name).st_size  # noqa: PTH116  thousands of files
        for here, _, names in os.walk(folder)
        for name in names
    )


def _lengths(total: int, chance: random.Random) -> Iterator[int]:
    """Sizes of files that come to `total` bytes."""
    left = total
    if left > 8 * BIG_BYTES:
        yield BIG_BYTES
        left -= BIG_BYTES
    while left > 0:
        length = min(left, int(SMALLEST * (BIGGEST / SMALLEST) ** chance.random()))
        yield length
        left -= length


def _pieces(length: int) -> Iterator[int]:
    while length > 0:
        yield min(length, 1 << 20)
        length -= 1 << 20

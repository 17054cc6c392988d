"""Copies of databases in two passes: while the server writes, and what changed until it ended."""

from __future__ import annotations

import sqlite3

import pytest

from tinykit_ops.errors import StorageError
from tinykit_ops.upgrade.copies import BLOCK_BYTES, bring_over
from tinykit_ops.upgrade.data import KeptData


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "pb_data"
    folder.mkdir()
    (folder / "data.db").write_bytes(b"a" * BLOCK_BYTES + b"b" * BLOCK_BYTES + b"c" * 10)
    (folder / "auxiliary.db").write_bytes(b"x")
    (folder / "data.db-wal").write_bytes(b"wal")
    (folder / "data.db-shm").write_bytes(b"shm")
    (folder / "storage").mkdir()
    return folder


def held(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def databases(data):
    return {name: part for name, part in held_files(data).items() if not name.endswith("-shm")}


def held_files(data):
    return {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}


def test_what_a_server_wrote_until_it_ended_is_in_the_copies(data):
    kept = KeptData(data, None)
    kept.prepare()
    with (data / "data.db").open("r+b") as database:
        database.seek(BLOCK_BYTES)
        database.write(b"new")
        database.truncate(2 * BLOCK_BYTES)
    (data / "data.db-wal").unlink()
    assert not kept.kept.exists()
    kept.keep()
    assert held(kept.kept) == databases(data)


def test_copies_without_a_first_pass_are_whole_too(data):
    kept = KeptData(data, None)
    kept.keep()
    assert held(kept.kept) == databases(data)


def test_only_blocks_that_changed_are_written_again(data, tmp_path, monkeypatch):
    copies = tmp_path / "copies"
    copies.mkdir()
    bring_over(data, copies)
    written = []
    monkeypatch.setattr("tinykit_ops.upgrade.copies._write", lambda *call: written.append(call[2]))
    with (data / "data.db").open("r+b") as database:
        database.seek(BLOCK_BYTES + 5)
        database.write(b"new")
    bring_over(data, copies)
    assert written == [BLOCK_BYTES]


def test_a_live_database_is_not_disturbed_and_its_copy_is_whole_once_it_is_closed(tmp_path):
    folder = tmp_path / "pb_data"
    folder.mkdir()
    live = sqlite3.connect(folder / "data.db", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("CREATE TABLE notes (text)")
    kept = KeptData(folder, None)
    kept.prepare()
    live.executemany("INSERT INTO notes VALUES (?)", [("x" * 1000,)] * 5000)
    live.close()
    kept.keep()
    copy = sqlite3.connect(kept.kept / "data.db")
    assert copy.execute("SELECT count(*) FROM notes").fetchone() == (5000,)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_a_link_in_place_of_a_database_is_not_followed(data, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("root's")
    (data / "auxiliary.db").unlink()
    (data / "auxiliary.db").symlink_to(secret)
    kept = KeptData(data, None)
    kept.prepare()
    kept.keep()
    assert sorted(held(kept.kept)) == ["data.db", "data.db-wal"]


def test_a_first_pass_that_fails_says_why_and_leaves_nothing(data):
    kept = KeptData(data, None)
    kept.kept.with_name(f"{kept.kept.name}.partial").write_text("in the way")
    with pytest.raises(StorageError, match="File exists"):
        kept.prepare()
    assert sorted(path.name for path in data.parent.iterdir()) == ["pb_data"]


def test_the_old_data_comes_back_from_the_copies(data):
    before = databases(data)
    kept = KeptData(data, None)
    kept.prepare()
    kept.keep()
    (data / "data.db").write_bytes(b"made by another version")
    kept.put_back()
    assert databases(data) == before
    assert (kept.failed / "data.db").read_bytes() == b"made by another version"

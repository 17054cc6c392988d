"""Manifests, indexes, names of objects, and the lock."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from tinykit_ops.backup.database import find_faults, read_contents
from tinykit_ops.backup.errors import BackupBusyError, DamagedError, MissingUploadsError
from tinykit_ops.backup.lock import only_one
from tinykit_ops.backup.manifest import SafePath, new_id
from tinykit_ops.backup.stored import upload_key
from tinykit_ops.backup.uploads import list_uploads, open_upload


@pytest.mark.parametrize(
    "path", ["../x", "a/../x", "/etc/passwd", "a//b", "", ".", "a/.", "a\x00b", "a/"]
)
def test_a_manifest_cannot_name_a_path_outside(path: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SafePath).validate_python(path)


def test_ordinary_paths_pass() -> None:
    for path in ("c/r/name_abc.png", "c/r/..name", "c/r/größe.txt", "x"):
        assert TypeAdapter(SafePath).validate_python(path) == path


def test_ids_sort_by_time_and_differ_within_a_second() -> None:
    first = new_id(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert re.fullmatch(r"20260102T030405Z-[0-9a-f]{6}", first)
    assert first < new_id(datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC))
    assert len({new_id(datetime(2026, 1, 1, tzinfo=UTC)) for _ in range(20)}) > 15


def test_an_uploads_name_depends_on_the_secret_and_the_recipients() -> None:
    names = {
        upload_key(secret, "0" * 64, recipients)
        for secret in (b"a", b"b")
        for recipients in ([], ["age1x"], ["age1x", "age1y"])
    }
    assert len(names) == 6
    assert upload_key(b"a", "0" * 64, ["y", "x"]) == upload_key(b"a", "0" * 64, ["x", "y"])


def test_a_lock_ends_with_its_holder_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "run" / "backup.lock"
    code = (
        "import sys, time; from pathlib import Path; from tinykit_ops.backup.lock import only_one\n"
        f"with only_one(Path({str(path)!r})):\n  print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(BackupBusyError, match=str(holder.pid)), only_one(path):
        pass
    holder.kill()
    holder.wait()
    with only_one(path):
        assert path.read_text().startswith(f"process {os.getpid()}, since 2")


# The copy of the database -----------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A database with the tables that are read, and odd names."""
    path = tmp_path / "data #1?.db"
    fields = [{"name": 'pic"s', "type": "file"}, {"name": "one", "type": "file"}]
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            """
            CREATE TABLE _collections (id TEXT, name TEXT, type TEXT, fields JSON);
            CREATE TABLE _params (id TEXT, value JSON);
            CREATE TABLE "no""tes" (id TEXT, "pic""s" JSON, one TEXT);
            """
        )
        rows = [("c1", 'no"tes', "base", json.dumps(fields)), ("c2", "view", "view", "[]")]
        database.executemany("INSERT INTO _collections VALUES (?, ?, ?, ?)", rows)
        files = [("r1", '["a.png","b.png"]', "c.txt"), ("r2", "[]", ""), ("r3", "", "")]
        database.executemany('INSERT INTO "no""tes" VALUES (?, ?, ?)', files)
        database.commit()
    return path


def test_rows_are_counted_and_files_named_and_views_left_out(copy: Path) -> None:
    contents = read_contents(copy)
    assert contents.rows == {'no"tes': 3}
    assert contents.files == {"c1/r1/a.png", "c1/r1/b.png", "c1/r1/c.txt"}
    assert find_faults(copy) == []


def test_reading_leaves_nothing_beside_the_copy(copy: Path) -> None:
    read_contents(copy)
    assert list(copy.parent.iterdir()) == [copy]


@pytest.mark.parametrize(
    ("settings", "elsewhere"),
    [('{"s3":{"enabled":true}}', True), ('{"s3":{"enabled":false}}', False), ("sealed", False)],
)
def test_uploads_in_s3_are_noticed(copy: Path, settings: str, elsewhere: bool) -> None:
    with closing(sqlite3.connect(copy)) as database:
        database.execute("INSERT INTO _params VALUES ('settings', ?)", [settings])
        database.commit()
    assert read_contents(copy).uploads_elsewhere is elsewhere


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_file_that_is_no_pocketbase_database_is_named_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.db"
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="not a PocketBase database"):
        read_contents(path)


def test_a_broken_page_is_found(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as database:
        database.execute("CREATE INDEX i ON _collections (name)")
        database.commit()
        database.execute("PRAGMA writable_schema=ON")
        database.execute("DELETE FROM sqlite_master WHERE name = 'i'")
        database.commit()
    assert find_faults(copy)


# Uploads ----------------------------------------------------------------------------------------


def test_thumbnails_links_and_pipes_are_left_out(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    (storage / "c" / "r" / "thumbs_a.png").mkdir(parents=True)
    (storage / "c" / "r" / "thumbs_a.png" / "100x100_a.png").write_text("small")
    (storage / "c" / "r" / "a.png").write_text("a")
    (storage / "c" / "r" / "a.png.attrs").write_text("{}")
    (storage / "c" / "link").symlink_to("/etc")
    os.mkfifo(storage / "c" / "r" / "pipe")
    assert list_uploads(storage) == ["c/r/a.png", "c/r/a.png.attrs"]
    for path in ("c/link/passwd", "c/r/pipe", "c/r/none", "c/r"):
        with pytest.raises(MissingUploadsError):
            open_upload(storage, path).close()


def test_no_uploads_yet_is_an_empty_list(tmp_path: Path) -> None:
    assert list_uploads(tmp_path / "storage") == []

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pyrage
import pytest
from backup_kit import Instance, S3Server, objects, snapshots
from pocketbase_kit import VERSIONS

from tinykit_ops.backup.status import read_status

BOTH = pytest.mark.parametrize("version", VERSIONS)


def make_key(folder: Path) -> tuple[Path, str]:
    """A private key's file, as age-keygen writes it, and its public key."""
    key = pyrage.x25519.Identity.generate()
    path = folder / "key.txt"
    path.touch(mode=0o600)
    path.write_text(f"# public key: {key.to_public()}\n{key}\n")
    return path, str(key.to_public())


def uploads_of(data: Path) -> dict[str, bytes]:
    return {
        path.relative_to(data).as_posix(): path.read_bytes()
        for path in (data / "storage").rglob("*")
        if path.is_file() and "thumbs_" not in str(path)
    }


def rows_of(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(f"{database.as_uri()}?immutable=1", uri=True)) as opened:
        tables = ["notes", "users", "_superusers", "_collections", "_migrations", "_params"]
        return {name: opened.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def rows_after_stop(instance: Instance) -> dict[str, list[tuple[object, ...]]]:
    """The live rows, read as they can be read safely: when the server has stopped."""
    instance.server.stop()
    copy = instance.root / "live-copy"
    copy.mkdir()
    for name in ("data.db", "data.db-wal"):
        if (instance.server.data / name).exists():
            shutil.copy(instance.server.data / name, copy / name)
    with closing(sqlite3.connect(copy / "data.db")) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows_of(copy / "data.db")


@BOTH
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_restored_from_s3_is_what_was_there(
    instance: Instance, s3: S3Server, tmp_path: Path, encrypted: bool
) -> None:
    key, public = make_key(tmp_path)
    instance.add_s3(s3, encryption=[public] if encrypted else "none")
    assert instance.run("run") == 0
    identity = ["--identity", str(key)] if encrypted else []
    assert instance.run("restore", "latest", "--to", str(tmp_path / "back"), *identity) == 0
    back = tmp_path / "back"
    assert uploads_of(back / "pb_data") == uploads_of(instance.server.data)
    assert rows_of(back / "pb_data" / "data.db") == rows_after_stop(instance)
    assert (back / "hooks" / "tinykit_ops.pb.js").is_file()
    assert json.loads((back / "settings.json").read_text())["domains"] == ["apps.example.com"]


@BOTH
def test_verify_boots_the_same_version_on_the_copy_and_says_so(
    instance: Instance, tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    key, public = make_key(tmp_path)
    instance.add_directory(encryption=[public])
    assert instance.run("run") == 0
    assert instance.run("verify", "--identity", str(key)) == 0
    said = capsys.readouterr().out
    assert f"PocketBase {version} booted on the copy" in said
    assert "it comes back" in said
    status = read_status(instance.places.status)
    assert status is not None
    assert status.targets["disk"].verified_snapshot == status.targets["disk"].snapshot


def test_a_stopped_instance_is_backed_up_with_its_unfinished_wal(
    instance: Instance, tmp_path: Path
) -> None:
    instance.add_directory()
    instance.server.kill()  # leaves a WAL
    assert (instance.server.data / "data.db-wal").stat().st_size > 0
    before = (instance.server.data / "data.db-wal").read_bytes()
    assert instance.run("run") == 0
    assert (instance.server.data / "data.db-wal").read_bytes() == before
    assert instance.run("restore", "latest", "--to", str(tmp_path / "back")) == 0
    found = rows_of(tmp_path / "back" / "pb_data" / "data.db")
    assert len(found["notes"]) == 4
    instance.server.start()


def test_the_live_database_is_never_opened_while_pocketbase_runs(
    instance: Instance, tmp_path: Path
) -> None:
    instance.add_directory()
    trace = tmp_path / "opened"
    hook = (
        "import sys, atexit\nseen = set()\n"
        "sys.addaudithook(lambda e, a: seen.add(str(a[0])) "
        "if e in ('open', 'sqlite3.connect') else None)\n"
        f"atexit.register(lambda: __import__('os').write(__import__('os').open({str(trace)!r}, 65),"
        " '\\n'.join(seen).encode()))\n"
    )
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(hook)
    import os

    ran = instance.spawn("run", env={**os.environ, "PYTHONPATH": str(site)})
    output, _ = ran.communicate(timeout=300)
    assert ran.returncode == 0, output
    opened = trace.read_text().splitlines()
    assert any("index.json" in name for name in opened)
    live = str(instance.server.data / "data.db")
    assert not [name for name in opened if live in name]


def test_uploads_are_sent_once_by_content(instance: Instance) -> None:
    folder = instance.add_directory()
    instance.run("run")
    first = {key for key in objects(folder) if key.startswith("uploads/")}
    instance.server.pb.create_record(
        "notes", {"title": "new"}, {"picture": ("new.png", b"\x89PNG another")}
    )
    times = {key: (folder / key).stat().st_mtime_ns for key in first}
    instance.run("run")
    second = {key for key in objects(folder) if key.startswith("uploads/")}
    assert first < second
    assert {key: (folder / key).stat().st_mtime_ns for key in first} == times
    files = list((instance.server.data / "storage").rglob("*.png"))
    contents = {p.read_bytes() for p in files}
    assert len(files) == 3 and len(contents) == 2


def test_names_in_the_bucket_tell_nothing_of_the_content(instance: Instance) -> None:
    import hashlib

    folder = instance.add_directory()
    instance.run("run")
    known = {
        hashlib.sha256(p.read_bytes()).hexdigest()
        for p in instance.server.data.rglob("storage/**/*")
        if p.is_file()
    }
    names = "\n".join(objects(folder))
    assert not [digest for digest in known if digest in names or digest[:16] in names]
    assert "cat" not in names and "secret" not in names


def test_the_clear_index_names_nothing_of_an_encrypted_archive(
    instance: Instance, tmp_path: Path
) -> None:
    _, public = make_key(tmp_path)
    folder = instance.add_directory(encryption=[public])
    instance.run("run")
    everything = b"".join((folder / key).read_bytes() for key in objects(folder))
    # No shorter ones: among 100 KB of sealed bytes are any three of them now and then.
    names = [Path(name).name.encode() for name in uploads_of(instance.server.data)]
    words = (b"PNGcat", b"notes", b"u@example.com", b"apps.example.com", b"very secret")
    assert [word for word in (*names, *words) if word in everything] == []


def test_an_encrypted_snapshot_without_a_key_asks_for_one(
    instance: Instance, tmp_path: Path
) -> None:
    _, public = make_key(tmp_path)
    instance.add_directory(encryption=[public])
    instance.run("run")
    error = instance.failure("restore", "latest", "--to", str(tmp_path / "back"))
    assert error.exit_code == 64 and "--identity" in error.hint
    assert not (tmp_path / "back").exists()


def test_a_wrong_key_is_named_as_such(instance: Instance, tmp_path: Path) -> None:
    _, public = make_key(tmp_path)
    instance.add_directory(encryption=[public])
    instance.run("run")
    (tmp_path / "other").mkdir()
    other, _ = make_key(tmp_path / "other")
    for words in (["restore", "latest", "--to", str(tmp_path / "back")], ["verify"]):
        error = instance.failure(*words, "--identity", str(other))
        assert error.exit_code == 77 and "key" in error.what
    assert not (tmp_path / "back").exists()


def test_a_used_folder_is_never_restored_over(instance: Instance, tmp_path: Path) -> None:
    instance.add_directory()
    instance.run("run")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("precious")
    error = instance.failure("restore", "latest", "--to", str(tmp_path / "used"))
    assert error.exit_code == 64
    assert [p.name for p in (tmp_path / "used").iterdir()] == ["mine"]


def test_a_snapshot_opens_by_hand_with_age_zstd_sqlite3_and_a_shell(
    instance: Instance, tmp_path: Path
) -> None:
    """The lines of docs/backup-format.md, as they stand there."""
    key, public = make_key(tmp_path)
    folder = instance.add_directory(encryption=[public])
    instance.run("run")
    page = Path(__file__).parents[3] / "docs" / "backup-format.md"
    script = page.read_text().split("```sh\n")[1].split("```")[0]
    assert "age --decrypt" in script and "zstd" in script and "sqlite3" in script
    ran = subprocess.run(
        ["sh", "-eu"],
        input=script,
        text=True,
        capture_output=True,
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "BUCKET": str(folder),
            "ID": snapshots(folder)[-1],
            "KEY": str(key),
            "TO": str(tmp_path / "by-hand"),
        },
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "ok" in ran.stdout.splitlines()
    by_hand = tmp_path / "by-hand" / "pb_data"
    assert uploads_of(by_hand) == uploads_of(instance.server.data)
    assert len(rows_of(by_hand / "data.db")["notes"]) == 4

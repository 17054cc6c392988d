from __future__ import annotations

import hashlib
import io
import json
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import zstandard
from backup_kit import CANARY, Instance, S3Server, objects, snapshots
from ports import free_port
from waiting import until

from tinykit_ops.backup import run as run_module
from tinykit_ops.backup.errors import BackupError
from tinykit_ops.backup.status import read_status
from tinykit_ops.backup.uploads import list_uploads

SECONDS = 300


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def failed(instance: Instance, capsys: pytest.CaptureFixture[str]) -> str:
    """Runs a backup that must fail with exit code 1. Returns what it said."""
    capsys.readouterr()
    assert instance.run("run") == 1
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return said.err + said.out


def error_of(instance: Instance, target: str) -> str:
    status = read_status(instance.places.status)
    assert status is not None
    one = status.targets[target]
    assert one.failing
    return one.error or ""


# Killed in the middle ---------------------------------------------------------------------------


def add_big_upload(instance: Instance, number: int) -> None:
    """20 MiB that nothing compresses: three parts of a multipart upload."""
    content = random.Random(number).randbytes(20 << 20)
    instance.server.pb.create_record(
        "notes", {"title": "big"}, {"papers": (f"big{number}.bin", content)}
    )


def test_a_run_killed_anywhere_leaves_nothing_that_looks_like_a_backup(
    instance: Instance, s3: S3Server
) -> None:
    instance.retention = {"keep_last": 100}
    add_big_upload(instance, 0)
    instance.add_s3(s3, name="timing")
    began = time.monotonic()
    assert instance.spawn("run").wait(SECONDS) == 0
    length = time.monotonic() - began
    instance.targets.clear()
    bucket = instance.add_s3(s3)
    for point in range(12):
        add_big_upload(instance, point + 1)
        ran = instance.spawn("run")
        time.sleep(length * (point + 1) / 13)
        ran.send_signal(signal.SIGKILL)
        ran.wait(SECONDS)
        for snapshot in snapshots(bucket):
            assert instance.run("verify", snapshot, "--no-boot") == 0, (point, snapshot)
    complete = len(snapshots(bucket))
    # Else the copy that the last one had asked for may come after the next one has looked for it.
    until(lambda: not (instance.server.snapshots / "running").exists(), "the end of the last copy")
    assert instance.run("run") == 0
    assert len(snapshots(bucket)) == complete + 1
    assert instance.run("verify") == 0
    until(lambda: not list(instance.server.snapshots.iterdir()), "an empty folder of snapshots")
    assert not list(instance.places.work.iterdir())


def test_uploads_that_a_killed_run_sent_are_not_sent_again(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = instance.add_directory()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tinykit_ops.backup.archive.Archive._put_manifest", killed)
        with pytest.raises(BaseException):  # noqa: B017  click turns it into Abort
            instance.run("run")
    assert snapshots(folder) == []
    sent = {k: (folder / k).stat().st_mtime_ns for k in objects(folder) if "uploads/" in k}
    assert sent
    assert instance.run("run") == 0
    assert {k: (folder / k).stat().st_mtime_ns for k in sent} == sent
    assert instance.run("verify", "--no-boot") == 0


def test_a_second_run_at_the_same_time_is_turned_away(instance: Instance) -> None:
    from tinykit_ops.backup.lock import only_one

    instance.add_directory()
    with only_one(instance.places.lock):
        error = instance.failure("run")
    assert error.exit_code == 75
    assert read_status(instance.places.status) is None
    assert instance.run("run") == 0


# Targets that fail ------------------------------------------------------------------------------


def test_a_target_that_is_down_fails_loudly_and_stops_no_other(
    instance: Instance, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_s3(s3)
    instance.targets[0]["endpoint"] = f"http://127.0.0.1:{free_port()}"
    folder = instance.add_directory()
    said = failed(instance, capsys)
    assert "FAILED offsite" in said and "endpoint" in said
    assert "ok disk" in said and len(snapshots(folder)) == 1
    assert "could not store" in error_of(instance, "offsite")
    assert instance.run("status") == 2
    assert "CRITICAL offsite" in capsys.readouterr().out


def test_a_wrong_s3_secret_is_named_and_not_shown(
    instance: Instance, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_s3(s3)
    instance.secret("backup-offsite-secret-access-key", f"{CANARY}-wrong-secret")
    said = failed(instance, capsys)
    assert "SignatureDoesNotMatch" in said and "access key" in said
    assert CANARY not in said + instance.places.status.read_text()


def test_a_missing_bucket_is_named(
    instance: Instance, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_s3(s3)
    instance.targets[0]["bucket"] = "nowhere-to-be-found"
    instance.write_config()
    assert "nowhere-to-be-found" in failed(instance, capsys)


def test_a_missing_secret_is_named(
    instance: Instance, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_s3(s3)
    (instance.etc / "secrets" / "backup-offsite-access-key-id").unlink()
    assert "backup-offsite-access-key-id" in failed(instance, capsys)


def test_an_unmounted_directory_is_not_written_to(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    folder.rmdir()
    assert "mounted" in failed(instance, capsys)
    assert not folder.exists()


def test_a_full_target_fails_and_keeps_what_it_had(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    with small_disk(folder, "1m"):
        assert instance.run("run") == 0
        content = random.Random(1).randbytes(4 << 20)
        instance.server.pb.create_record(
            "notes", {"title": "big"}, {"papers": ("big.bin", content)}
        )
        assert "disk is full" in failed(instance, capsys)
        assert len(snapshots(folder)) == 1
        assert not [key for key in objects(folder) if ".partial-" in key]
        first = snapshots(folder)[0]
        assert instance.run("verify", first, "--no-boot") == 0


def test_a_full_host_is_noticed_before_anything_is_done(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    with small_disk(instance.server.snapshots, "1m"):
        said = failed(instance, capsys)
    assert "Not enough room" in said and str(instance.server.snapshots) in said
    assert snapshots(folder) == []


def test_a_disk_that_fills_while_pocketbase_copies_is_told(
    instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance.add_directory()
    monkeypatch.setattr("tinykit_ops.backup.snapshot._need_space", lambda places: None)
    with small_disk(instance.server.snapshots, "100k"):
        said = failed(instance, capsys)
        assert "disk was full" in said
        until(lambda: not list(instance.server.snapshots.iterdir()), "an empty folder")
    assert instance.run("run") == 0


# PocketBase -------------------------------------------------------------------------------------


def test_a_wrong_hook_secret_says_what_to_do(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_directory()
    instance.secret("hook-token", f"{CANARY}-{'x' * 40}")
    said = failed(instance, capsys)
    assert "hook-token" in said and CANARY not in said


def test_a_pocketbase_without_hooks_says_what_to_do(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_directory()
    instance.server.stop()
    (instance.server.hooks / "tinykit_ops.pb.js").unlink()
    instance.server.start()
    assert "without tinykit-ops' hooks" in failed(instance, capsys)


def test_a_link_in_place_of_pocketbases_copy_is_refused(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinykit_ops.backup import snapshot

    instance.add_directory()
    target = tmp_path / "shadow"
    target.write_text("root's")
    link = instance.server.snapshots / "x.db"
    link.symlink_to(target)
    monkeypatch.setattr(snapshot, "_ask_pocketbase", lambda *_: link)
    monkeypatch.setattr(run_module, "clear_leftovers", lambda places: None)
    assert instance.run("run") == 1
    assert "regular file" in error_of(instance, "disk")


# Uploads ----------------------------------------------------------------------------------------


def test_a_missing_upload_is_tried_again_and_then_fails_by_name(
    instance: Instance, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = instance.add_directory()
    monkeypatch.setattr(run_module, "RETRY_SECONDS", 0.01)
    looks: list[int] = []

    def counted(storage: Path) -> list[str]:
        looks.append(1)
        return list_uploads(storage)

    monkeypatch.setattr(run_module, "list_uploads", counted)
    lost = next((instance.server.data / "storage").rglob("cat_*.png"))
    lost.unlink()
    said = failed(instance, capsys)
    assert lost.name in said and "1 upload(s)" in said
    assert len(looks) == 3
    assert snapshots(folder) == []


def test_a_record_deleted_between_copy_and_listing_costs_only_another_try(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = instance.add_directory()
    monkeypatch.setattr(run_module, "RETRY_SECONDS", 0.01)
    doomed = next(instance.server.pb.records("notes", 'title="picture"'))
    looks: list[int] = []

    def delete_first(storage: Path) -> list[str]:
        if not looks:
            instance.server.pb.delete_record("notes", doomed["id"])
        looks.append(1)
        return list_uploads(storage)

    monkeypatch.setattr(run_module, "list_uploads", delete_first)
    assert instance.run("run") == 0
    assert len(looks) == 2 and len(snapshots(folder)) == 1
    assert instance.run("verify", "--no-boot") == 0


def test_a_link_among_the_uploads_does_not_lead_out(instance: Instance, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").write_text(f"{CANARY} of root")
    storage = instance.server.data / "storage"
    (storage / "link").symlink_to(outside)
    (storage / "file").symlink_to(outside / "shadow")
    instance.add_directory()
    assert instance.run("run") == 0
    assert instance.run("restore", "latest", "--to", str(tmp_path / "back")) == 0
    texts = [p.read_bytes() for p in (tmp_path / "back").rglob("*") if p.is_file()]
    assert not [text for text in texts if CANARY.encode() in text]


# Damage -----------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


@pytest.mark.parametrize("harm", [flip, cut, grow, Path.unlink], ids=lambda f: f.__name__)
@pytest.mark.parametrize("part", ["data.db", "boot.tar", "manifest.json", "uploads", "index.json"])
def test_every_damage_is_found(instance: Instance, part: str, harm: Callable[[Path], None]) -> None:
    folder = instance.add_directory()
    instance.run("run")
    key = next(key for key in objects(folder) if part in key)
    harm(folder / key)
    if part == "index.json" and harm is Path.unlink:
        assert "no snapshot" in instance.failure("verify").what
        return
    assert instance.run("verify", "--no-boot") == 1
    status = read_status(instance.places.status)
    assert status is not None and status.targets["disk"].verify_error
    if part != "index.json":
        assert Path(key).name in status.targets["disk"].verify_error
    with pytest.raises(BackupError):
        instance.run("restore", "latest", "--to", str(instance.root / "back"))
    assert not (instance.root / "back").exists()
    assert not list(instance.root.glob(".back*"))


def test_swapped_objects_are_both_named(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    instance.run("run")
    one, two = [folder / key for key in objects(folder) if "uploads" in key][:2]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert instance.run("verify", "--no-boot") == 1
    said = capsys.readouterr().out
    assert one.name in said and two.name in said


def replace_database(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the stored database and every hash of it, as a careless or hostile hand might."""
    base = folder / "snapshots" / snapshots(folder)[-1]
    plain = zstandard.ZstdDecompressor().decompressobj()
    copy = folder.with_name("changed.db")
    copy.write_bytes(plain.decompress((base / "data.db.zst").read_bytes()))
    with closing(sqlite3.connect(copy)) as database:
        change(database)
        database.commit()
    content = copy.read_bytes()
    database_part = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    database_part["stored"] = store(folder, base / "data.db.zst", content)  # type: ignore[assignment]
    manifest = json.loads(
        zstandard.ZstdDecompressor()
        .stream_reader(io.BytesIO((base / "manifest.json.zst").read_bytes()))
        .read()
    )
    manifest["database"] = database_part
    index = json.loads((base / "index.json").read_text())
    index["manifest"] = store(folder, base / "manifest.json.zst", json.dumps(manifest).encode())
    index["parts"][0] = database_part["stored"]
    (base / "index.json").write_text(json.dumps(index))


def store(folder: Path, path: Path, content: bytes) -> dict[str, object]:
    sealed = zstandard.ZstdCompressor().compress(content)
    path.write_bytes(sealed)
    key = path.relative_to(folder).as_posix()
    return {"key": key, "size": len(sealed), "sha256": hashlib.sha256(sealed).hexdigest()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM notes WHERE title = 'plain'", "collection notes: 3 rows instead of 4"),
        ("DELETE FROM users", "collection users: 0 rows instead of 1"),
        ("DELETE FROM _collections WHERE name = 'notes'", "collection notes: none rows"),
        ("DROP TABLE notes", "notes"),
        ("UPDATE notes SET picture = 'gone.png' WHERE title = 'plain'", "gone.png"),
    ],
)
def test_a_changed_copy_is_named_although_every_hash_fits(
    instance: Instance, capsys: pytest.CaptureFixture[str], change: str, said: str
) -> None:
    folder = instance.add_directory()
    instance.run("run")
    replace_database(folder, lambda database: database.execute(change))
    capsys.readouterr()
    assert instance.run("verify", "--no-boot") == 1
    assert said in capsys.readouterr().out


def test_a_copy_that_pocketbase_cannot_boot_is_named(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    instance.run("run")
    replace_database(
        folder, lambda db: db.execute("UPDATE _params SET value='{' WHERE id='settings'")
    )
    capsys.readouterr()
    assert instance.run("verify") == 1
    said = capsys.readouterr().out
    assert "FAULT: boot" in said
    assert "ended by itself" in said  # nobody waits a minute for a server that is not there


def test_a_damaged_index_shows_in_the_list_and_stops_pruning(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = instance.add_directory()
    instance.run("run")
    instance.run("run")
    first = snapshots(folder)[0]
    (folder / "snapshots" / first / "index.json").write_text("{")
    assert instance.run("list") == 1
    assert f"{first}  DAMAGED" in capsys.readouterr().out
    assert "Nothing was pruned" in instance.failure("prune").what
    before = objects(folder)
    assert instance.run("run") == 0
    assert "were not pruned" in capsys.readouterr().out
    assert before.keys() <= objects(folder).keys()

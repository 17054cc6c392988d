"""Uploads on their way to S3: side by side, each content once, continued after a kill."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrage
import pytest
from backup_kit import ACCESS_KEY, S3Server
from faulty_proxy import Fault, FaultyProxy
from waiting import PATIENCE

from tinykit_ops.backup import archive_uploads, upload_hashes
from tinykit_ops.backup.archive import Archive, Source
from tinykit_ops.backup.database import Contents
from tinykit_ops.backup.errors import MissingUploadsError, TargetError
from tinykit_ops.backup.fetch import fetch_manifest, fetch_part, upload_parts
from tinykit_ops.backup.keys import read_identities
from tinykit_ops.backup.manifest import Index, new_id
from tinykit_ops.backup.stored import StoredUploads
from tinykit_ops.backup.targets import s3_client, s3_multipart
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.backup.uploads import list_uploads
from tinykit_ops.settings.backup_targets import S3Target

SECRET = b"dedup-secret"


class Host:
    """A folder of uploads, and what a host remembers of its runs."""

    def __init__(self, root: Path, s3: S3Server, proxy: FaultyProxy) -> None:
        self.storage, self.state = root / "storage", root / "state"
        self.copy = root / "data.db"
        self.copy.write_bytes(b"database")
        self.s3, self.proxy = s3, proxy
        self.bucket = s3.make_bucket()
        self.identity = pyrage.x25519.Identity.generate()
        self.key_file = root / "key"
        self.key_file.write_text(str(self.identity))
        self.key_file.chmod(0o600)
        self.sealed = True

    def add(self, name: str, content: bytes) -> None:
        path = self.storage / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @property
    def store(self) -> S3Store:
        told = {
            "kind": "s3",
            "name": "offsite",
            "bucket": self.bucket,
            "endpoint": self.proxy.endpoint,
            "access_key_id": {"env": "ID"},
            "secret_access_key": {"env": "KEY"},
            "encryption": [str(self.identity.to_public())] if self.sealed else "none",
        }
        return S3Store(
            S3Target.model_validate(told),
            access_key_id=ACCESS_KEY,
            secret_access_key=self.s3.secret,
        )

    def run(self, *, named: Any = None) -> Index:
        self.proxy.seen.clear()
        self.proxy.done.clear()
        store, uploads = self.store, list_uploads(self.storage)
        store.tidy()
        now = datetime.now(UTC)
        source = Source(
            id=new_id(now),
            created=now,
            copy=self.copy,
            contents=Contents({}, frozenset(named or uploads), False),
            storage=self.storage,
            uploads=uploads,
            boot=b"tar",
            state=self.state,
            domains=["apps.example.com"],
            pocketbase="0.40.6",
            release="none",
        )
        stored = StoredUploads(store, self.state / "sent-offsite.jsonl")
        return Archive(store, source, stored, SECRET).write()

    def restored(self, index: Index) -> dict[str, bytes]:
        import io

        keys = read_identities(self.key_file) if self.sealed else []
        manifest = fetch_manifest(self.store, index, keys)
        parts = upload_parts(index, manifest)
        found = {}
        for upload in manifest.uploads:
            into = io.BytesIO()
            fetch_part(self.store, parts[upload.key], into, keys)
            found[upload.path] = into.getvalue()
        return found

    def sent(self) -> list[str]:
        """Keys of uploads that were sent whole."""
        return [
            one.path.split("?")[0].partition("/uploads/")[2]
            for one in self.proxy.done
            if one.method == "PUT" and "/uploads/" in one.path and "partNumber" not in one.path
        ]


@pytest.fixture
def host(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 2)
    monkeypatch.setattr(upload_hashes, "SETTLED_NS", 0)
    with FaultyProxy(s3.port) as proxy:
        yield Host(tmp_path, s3, proxy)


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "plain"])
def test_all_uploads_come_back_and_each_content_was_sent_once(host: Host, sealed: bool) -> None:
    host.sealed = sealed
    dice = random.Random(1)
    contents = [dice.randbytes(dice.randrange(50_000)) for _ in range(12)]
    for number in range(40):
        host.add(f"file{number}", contents[number % 12])
    index = host.run()
    assert host.restored(index) == {
        f"notes/file{number}": contents[number % 12] for number in range(40)
    }
    assert len(host.sent()) == len(set(host.sent())) == len(index.uploads) == 12
    host.run()
    assert host.sent() == []


def test_a_second_run_reads_no_upload_that_it_knows(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        host.add(f"file{number}", f"{number}".encode() * 1000)
    time.sleep(0.05)
    first = host.run()
    read: list[str] = []
    real = archive_uploads._File.content
    monkeypatch.setattr(
        archive_uploads._File, "content", lambda file: (read.append(file.path), real(file))[1]
    )
    host.add("new", b"new")
    second = host.run()
    assert set(read) == {"notes/new"}
    assert len(host.sent()) == 1
    assert len(second.uploads) == len(first.uploads) + 1


def test_uploads_are_sent_side_by_side_and_not_more_than_four(host: Host) -> None:
    for number in range(12):
        host.add(f"file{number}", f"{number}".encode())
    lock, inside, most = threading.Lock(), 0, 0
    two = threading.Event()
    forward = host.proxy.fault_for

    def counted(request: Any) -> Fault | None:
        nonlocal inside, most
        if request.method != "PUT" or "/uploads/" not in request.path:
            return forward(request)
        with lock:
            inside += 1
            most = max(most, inside)
        if most > 1:
            two.set()
        two.wait(PATIENCE)  # the first for a second one, as long as it takes
        time.sleep(0.05)  # time for more than there may be
        with lock:
            inside -= 1
        return forward(request)

    host.proxy.fault_for = counted  # type: ignore[method-assign]
    host.run()
    assert 2 <= most <= archive_uploads.LANES


@contextmanager
def killed_at(host: Host, number: int) -> Iterator[None]:
    """The process ends, as far as the target can see, at one request for a part."""

    class Killed(BaseException):
        pass

    real, count = s3_multipart.Multipart._send_part, 0

    def send_part(self: Any, upload: Any, part: int, content: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            raise Killed
        return real(self, upload, part, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3_multipart.Multipart, "_send_part", send_part)
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "plain"])
@pytest.mark.parametrize("part", [2, 3])
def test_a_big_upload_goes_on_after_a_kill_also_when_it_is_sealed(
    host: Host, sealed: bool, part: int
) -> None:
    host.sealed = sealed
    content = random.Random(2).randbytes(20 << 20)
    host.add("big", content)
    with killed_at(host, part):
        host.run()
    before = host.proxy.parts_sent()
    index = host.run()
    after = [
        one
        for one in host.proxy.done
        if one.method == "PUT" and "partNumber" in one.path and "/uploads/" in one.path
    ]
    assert len(before) == part - 1
    assert len(after) == 3 - len(before)
    assert host.restored(index) == {"notes/big": content}
    assert not list(host.state.glob("sealed-*"))


def test_a_target_that_fails_ends_the_run_soon_and_the_next_goes_on(host: Host) -> None:
    for number in range(30):
        host.add(f"file{number}", f"{number}".encode())
    count = [0]

    def later(request: Any) -> bool:
        count[0] += "/uploads/" in request.path and request.method == "PUT"
        return count[0] > 10

    host.proxy.faults = [Fault("status", later, status=403, code="AccessDenied")]
    with pytest.raises(TargetError, match="AccessDenied"):
        host.run()
    done = len(host.sent())
    assert done == 10 and count[0] < 20
    host.proxy.faults = []
    assert len(host.run().uploads) == 30
    assert len(host.sent()) == 20


def test_a_file_that_is_gone_matters_only_when_a_record_names_it(host: Host) -> None:
    host.add("kept", b"kept")
    host.add("gone", b"gone")
    uploads = list_uploads(host.storage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("test_target_uploads.list_uploads", lambda _: uploads)
        (host.storage / "notes" / "gone").unlink()
        assert len(host.run(named=["notes/kept"]).uploads) == 1
        with pytest.raises(MissingUploadsError, match="notes/gone"):
            host.run()

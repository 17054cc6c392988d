"""Uploads side by side: each content once, in order, and nothing more after a failure."""

from __future__ import annotations

import time

import pytest

from tinykit_ops.backup.archive_uploads import LANES, UploadsPart
from tinykit_ops.backup.errors import BackupError, MissingUploadsError
from tinykit_ops.backup.manifest import Part, Stored
from tinykit_ops.backup.upload_hashes import UploadHashes


class Held:
    """In place of what a target holds."""

    def __init__(self) -> None:
        self.known: dict[str, Stored] = {}

    def place(self, key: str) -> str:
        return key

    def find(self, key: str) -> Stored | None:
        return self.known.get(key)

    def add(self, stored: Stored) -> None:
        self.known[stored.key] = stored


@pytest.fixture
def part(tmp_path):
    storage = tmp_path / "storage"
    storage.mkdir()

    def make(files, put, named=()):
        for name, content in files.items():
            (storage / name).write_bytes(content)
        hashes = UploadHashes(tmp_path / "hashes.db")
        return UploadsPart(storage, named, Held(), hashes, (b"secret", []), put)

    return make


def took(key, content):
    stored = Stored(key=key, size=content.measure.size, sha256=content.sha256)
    return Part(stored=stored, size=stored.size, sha256=content.sha256)


def test_every_upload_is_answered_in_the_order_of_its_path(part):
    files = {f"{number:03}": str(number).encode() for number in range(60)}
    done = part(files, lambda key, content, size: took(key, content)).send(sorted(files))
    assert [upload.path for upload, _ in done] == sorted(files)
    assert all(upload.key == stored.key for upload, stored in done)


def test_the_same_content_at_once_in_all_lanes_is_sent_once(part):
    sent = []

    def put(key, content, size):
        time.sleep(0.2)  # the other lanes come by meanwhile
        sent.append(key)
        return took(key, content)

    files = {f"{number:03}": b"the same" for number in range(5 * LANES)}
    done = part(files, put).send(sorted(files))
    assert len(sent) == 1
    assert len(done) == len(files)


def test_after_a_failure_nothing_more_is_begun(part):
    begun = []

    def put(key, content, size):
        begun.append(key)
        raise BackupError("the target is away")

    files = {f"{number:03}": str(number).encode() for number in range(100)}
    with pytest.raises(BackupError, match="the target is away"):
        part(files, put).send(sorted(files))
    assert len(begun) <= LANES


def test_an_upload_that_nobody_names_may_go_meanwhile_and_a_named_one_may_not(part):
    files = {"a": b"1", "b": b"2"}

    def put(key, content, size):
        return took(key, content)

    assert [one.path for one, _ in part(files, put).send(["a", "gone", "b"])] == ["a", "b"]
    with pytest.raises(MissingUploadsError):
        part(files, put, named={"gone"}).send(["a", "gone", "b"])

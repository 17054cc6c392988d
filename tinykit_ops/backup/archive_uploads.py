"""The uploads of a snapshot: what the target lacks is sent, several side by side."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from tinykit_ops.backup.errors import MissingUploadsError
from tinykit_ops.backup.manifest import Part, Stored, Upload
from tinykit_ops.backup.stored import StoredUploads, upload_key
from tinykit_ops.backup.targets import Readable
from tinykit_ops.backup.upload_hashes import UploadHashes
from tinykit_ops.backup.uploads import open_upload

LANES = 4  #: many small objects cost round trips; four at once hide most of them
CHUNK = 1 << 20

#: Sends one object: its key, its content at the start, the content's size.
Send = Callable[[str, BinaryIO, int], Part]


class UploadsPart:
    """Finds or sends the content of every upload. Call `send` once.

    Args:
        storage: PocketBase's folder of uploads.
        named: the paths that the database names; only these have to be there.
        hashes: of files that were read before.
        put: sends one object, from several threads at once.
    """

    def __init__(
        self,
        storage: Path,
        named: Collection[str],
        stored: StoredUploads,
        hashes: UploadHashes,
        key: tuple[bytes, Sequence[str]],
        put: Send,
    ) -> None:
        self._storage = storage
        self._named = named
        self._stored = stored
        self._hashes = hashes
        self._secret, self._recipients = key
        self._put = put
        self._lock = threading.Lock()
        self._sending: dict[str, Future[Stored]] = {}

    def send(self, paths: Sequence[str]) -> list[tuple[Upload, Stored]]:
        """Returns what is in the target then, in the order of the paths.

        Raises:
            MissingUploadsError: a file that the database names is gone.
            BackupError: the target failed. Nothing more is begun after the first failure.
        """
        with ThreadPoolExecutor(LANES, thread_name_prefix="upload") as lanes:
            done = list(lanes.map(self._one, paths))
        return [one for one in done if one is not None]

    def _one(self, path: str) -> tuple[Upload, Stored] | None:
        try:
            with open_upload(self._storage, path) as file:
                return self._found_or_sent(path, file)
        except MissingUploadsError:
            if path in self._named:
                raise
            return None  # no record names it: it was deleted since we listed, or is nobody's

    def _found_or_sent(self, path: str, file: BinaryIO) -> tuple[Upload, Stored]:
        size = os.fstat(file.fileno()).st_size
        digest = self._digest(path, file)
        key = self._stored.place(upload_key(self._secret, digest, self._recipients))

        def send() -> Stored:
            return self._stored.find(key) or self._send(key, path, file, digest)

        stored = self._once(key, send)
        return Upload(path=path, key=key, size=size, sha256=digest), stored

    def _digest(self, path: str, file: BinaryIO) -> str:
        found = os.fstat(file.fileno())
        known = self._hashes.get(path, found)
        if known is None:
            known = _sha256(file)
            self._hashes.remember(path, found, known)
        return known

    def _once(self, key: str, send: Callable[[], Stored]) -> Stored:
        """The same content in two lanes is sent by the first; the other waits for it."""
        with self._lock:
            future = self._sending.get(key)
            if mine := future is None:
                future = self._sending[key] = Future()
        assert future is not None  # noqa: S101
        if mine:
            try:
                future.set_result(send())
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _send(self, key: str, path: str, file: BinaryIO, digest: str) -> Stored:
        file.seek(0)
        part = self._put(key, file, os.fstat(file.fileno()).st_size)
        if part.sha256 != digest:
            # PocketBase never changes a stored file; this one is still being written.
            self._hashes.forget(path)
            raise MissingUploadsError(
                "An upload changed while it was read", where=path, hint="run the backup again"
            )
        self._stored.add(part.stored)
        return part.stored


def _sha256(file: Readable) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

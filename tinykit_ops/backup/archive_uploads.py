"""The uploads of a snapshot: what the target lacks is sent, several side by side."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from tinykit_ops.backup.errors import MissingUploadsError
from tinykit_ops.backup.manifest import Part, Stored, Upload
from tinykit_ops.backup.memory import Budget
from tinykit_ops.backup.stored import StoredUploads, upload_key
from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.upload_hashes import UploadHashes
from tinykit_ops.backup.uploads import open_upload

LANES = 4  #: many small objects cost round trips; four at once hide most of them
CHUNK = 1 << 20
BIG_BYTES = 8 << 20  #: bigger files are streamed; others are read once and held in memory
HELD_BYTES = 12 << 20  #: at most, of all that are held at once; sealing needs as much again

#: Sends one object: its key, its content (a big one's file, at its start), the content's size.
Send = Callable[[str, Whole | BinaryIO, int], Part]


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
        self._held = Budget(HELD_BYTES)
        self._sending: dict[str, Future[Stored]] = {}
        self._stopped = False

    def send(self, paths: Sequence[str]) -> list[tuple[Upload, Stored]]:
        """Returns what is in the target then, in the order of the paths.

        Raises:
            MissingUploadsError: a file that the database names is gone.
            BackupError: the target failed. Nothing more is begun after the first failure.
        """
        # A task for each lane, not for each path: with a hundred thousand of them that is memory.
        done: list[tuple[Upload, Stored] | None] = [None] * len(paths)
        left = iter(enumerate(paths))
        with ThreadPoolExecutor(LANES, thread_name_prefix="upload") as lanes:
            try:
                for lane in [lanes.submit(self._lane, left, done) for _ in range(LANES)]:
                    lane.result()
            finally:
                self._stopped = True
        return [one for one in done if one is not None]

    def _lane(
        self, left: Iterator[tuple[int, str]], done: list[tuple[Upload, Stored] | None]
    ) -> None:
        try:
            while (following := self._next(left)) is not None:
                place, path = following
                done[place] = self._one(path)
        finally:
            self._stopped = True  # nothing is left, or this one failed

    def _next(self, left: Iterator[tuple[int, str]]) -> tuple[int, str] | None:
        with self._lock:
            return None if self._stopped else next(left, None)

    def _one(self, path: str) -> tuple[Upload, Stored] | None:
        try:
            with open_upload(self._storage, path) as file:
                upload = _File(path, file)
                with self._held.hold(upload.size if upload.size <= BIG_BYTES else 0):
                    return self._found_or_sent(upload)
        except MissingUploadsError:
            if path in self._named:
                raise
            return None  # no record names it: it was deleted since we listed, or is nobody's

    def _found_or_sent(self, upload: _File) -> tuple[Upload, Stored]:
        digest = self._digest(upload)
        key = self._stored.place(upload_key(self._secret, digest, self._recipients))

        def send() -> Stored:
            return self._stored.find(key) or self._send(key, upload, digest)

        stored = self._once(key, send)
        return Upload(path=upload.path, key=key, size=upload.size, sha256=digest), stored

    def _digest(self, upload: _File) -> str:
        known = self._hashes.get(upload.path, upload.found)
        if known is None:
            known = upload.sha256()
            self._hashes.remember(upload.path, upload.found, known)
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
            with self._lock:
                del self._sending[key]  # from now on it is found, or tried again
        return future.result()

    def _send(self, key: str, upload: _File, digest: str) -> Stored:
        part = self._put(key, upload.content(), upload.size)
        if part.sha256 != digest:
            self._hashes.forget(upload.path)
            raise _changed(upload.path)
        self._stored.add(part.stored)
        return part.stored


class _File:
    """An upload that is open; a small one is read only once."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path = path
        self.found = os.fstat(file.fileno())
        self._file = file
        self._whole: Whole | None = None

    @property
    def size(self) -> int:
        return self.found.st_size

    def sha256(self) -> str:
        content = self.content()
        return content.sha256 if isinstance(content, Whole) else _sha256(content)

    def content(self) -> Whole | BinaryIO:
        """All of it when it is small, else the file at its start."""
        if self.size > BIG_BYTES:
            self._file.seek(0)
            return self._file
        if self._whole is None:
            self._whole = Whole(self._file.read(self.size + 1))
            if len(self._whole.content) != self.size:
                raise _changed(self.path)
        return self._whole


def _changed(path: str) -> MissingUploadsError:
    """PocketBase never changes a stored file; this one is still being written."""
    return MissingUploadsError(
        "An upload changed while it was read", where=path, hint="run the backup again"
    )


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()

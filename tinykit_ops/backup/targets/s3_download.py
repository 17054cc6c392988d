"""Reading an object, continued where a connection broke."""

from __future__ import annotations

from typing import Any

from tinykit_ops.backup.targets.s3_client import FAILURES, S3Service

BREAKS = 5  #: how many broken connections in a row, with no byte between them, are too many


class Download:
    """The bytes of one object. Close it.

    Raises NotStoredError at once when there is no such object, TargetError while reading.
    """

    def __init__(self, service: S3Service, key: str) -> None:
        self._service = service
        self._key = key
        self._offset = 0
        self._breaks = 0
        self._etag = ""
        self._size = 0
        self._body = self._open()

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, fewer only at the end: half an answer is not taken for a small object."""
        left = self._size - self._offset
        missing = left if size < 0 else min(size, left)
        pieces: list[bytes] = []
        while missing and (piece := self._some(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _some(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end."""
        while True:
            try:
                content: bytes = self._body.read(size)
            except FAILURES as error:
                self._after_break(error)
                continue
            if not content and self._offset < self._size:
                self._after_break(ConnectionError("it ended too early"))
                continue
            self._offset += len(content)
            self._breaks = 0 if content else self._breaks
            return content

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()

    def _open(self) -> Any:
        rest = {"Range": f"bytes={self._offset}-"} if self._offset else {}
        if rest and self._etag:
            rest["IfMatch"] = self._etag  # the rest of another object is no rest

        def get() -> Any:
            return self._service.client.get_object(
                Bucket=self._service.bucket, Key=self._service.prefix + self._key, **rest
            )

        answer = self._service.call("fetch", self._key, get)
        if not rest:
            self._etag, self._size = answer.get("ETag", ""), answer["ContentLength"]
        elif not self._is_the_rest(answer):
            self._service.fail("fetch", self._key, ConnectionError("it cannot be continued"))
        return answer["Body"]

    def _is_the_rest(self, answer: Any) -> bool:
        """Some services know neither `If-Match` nor ranges."""
        told = str(answer.get("ContentRange", ""))
        return told.startswith(f"bytes {self._offset}-") and answer.get("ETag", "") == self._etag

    def _after_break(self, error: Exception) -> None:
        self._breaks += 1
        self._body.close()
        if self._breaks >= BREAKS:
            self._service.fail("fetch", self._key, error)
        self._body = self._open()

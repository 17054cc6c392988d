"""A bucket of any S3-compatible service as a target."""

from __future__ import annotations

import builtins
import io
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from tinykit_ops.backup.errors import LockedError, TargetAccessError
from tinykit_ops.backup.holding import reach
from tinykit_ops.backup.manifest import SNAPSHOTS, UPLOADS
from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.targets import Readable, StoredObject, recipients_of
from tinykit_ops.backup.targets.s3_checksums import Content
from tinykit_ops.backup.targets.s3_client import FAILURES, S3Service
from tinykit_ops.backup.targets.s3_download import Download
from tinykit_ops.backup.targets.s3_multipart import Multipart, abort_stale, parts_of
from tinykit_ops.backup.targets.s3_signing import Body
from tinykit_ops.settings.backup_targets import S3Target


class S3Store:
    """Objects are S3 objects under the prefix of the settings."""

    resumes = True

    def __init__(self, settings: S3Target, *, access_key_id: str, secret_access_key: str) -> None:
        self.name = settings.name
        self.encryption = recipients_of(settings)
        self._settings = settings
        self._service = S3Service(
            settings, access_key_id=access_key_id, secret_access_key=secret_access_key
        )
        self._client = self._service.client

    def check_writable(self) -> None:
        """Prove that an object can be stored."""
        self.put("write-test", io.BytesIO(b"tinykit-ops can write here\n"))

    def put(self, key: str, stream: Readable) -> None:
        """Store all that the stream gives under that key, or nothing.

        Uploads have keys that name their content, so one that was cut off is continued.
        """
        if isinstance(stream, Whole):
            self._put_whole(key, Content(stream.content, stream.sha256))
            return
        parts = parts_of(stream)
        begun = deque(islice(parts, 2))
        if len(begun) < 2:
            self._put_whole(key, Content(begun.pop() if begun else b""))
            return
        Multipart(
            self._service,
            self._service.prefix + key,
            self._options(key),
            resume=key.startswith(UPLOADS),
        ).send(_drained(begun, parts))

    def _put_whole(self, key: str, content: Content) -> None:
        def put() -> None:
            answer = self._client.put_object(
                **self._at(key),
                Body=Body(content),
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=content.sha256,
                **self._options(key),
            )
            content.must_be_told_by(answer)

        self._service.call("store", key, put)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._service.bucket, "Key": self._service.prefix + key}

    def _options(self, key: str) -> dict[str, Any]:
        """What the settings want of an object; a lock and a storage class only for backups."""
        settings = self._settings
        options: dict[str, Any] = {}
        if settings.sse:
            options["ServerSideEncryption"] = settings.sse
        if settings.sse_kms_key_id:
            options["SSEKMSKeyId"] = settings.sse_kms_key_id
        if not key.startswith((SNAPSHOTS, UPLOADS)):
            return options
        if settings.storage_class:
            options["StorageClass"] = settings.storage_class
        if settings.lock_mode and self.lock:
            # Uploads are shared by later snapshots, which extend this (see `holding`).
            length = reach(self.lock) if key.startswith(UPLOADS) else self.lock
            options["ObjectLockMode"] = settings.lock_mode.upper()
            options["ObjectLockRetainUntilDate"] = datetime.now(UTC) + length
        return options

    # Locking -----------------------------------------------------------------------------------

    @property
    def lock(self) -> timedelta | None:
        """How long what is sent for a snapshot is locked."""
        settings = self._settings
        locks = settings.lock_mode and settings.lock_days
        return timedelta(days=settings.lock_days or 0) if locks else None

    def extend_lock(self, key: str, until: datetime) -> None:
        """Lock an object at least so long; one that is locked longer stays so.

        Raises:
            TargetAccessError: these credentials may not.
        """
        mode = (self._settings.lock_mode or "").upper()
        retention = {"Mode": mode, "RetainUntilDate": until}
        try:
            self._service.call(
                "extend the lock of",
                key,
                lambda: self._client.put_object_retention(**self._at(key), Retention=retention),
            )
        except TargetAccessError:
            # A longer lock cannot be made shorter, which services refuse in the same words.
            held = self._locked_until(key)
            if held is None or held < until:
                raise

    # Reading -----------------------------------------------------------------------------------

    @contextmanager
    def get(self, key: str) -> Iterator[Readable]:
        """Open an object."""
        with closing(Download(self._service, key)) as download:
            yield download

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key starts so."""
        after: dict[str, str] = {}
        while True:
            page = self._page(prefix, after)
            for found in page.get("Contents", []):
                key = found["Key"].removeprefix(self._service.prefix)
                yield StoredObject(key, found["Size"], found["LastModified"])
            if not page.get("NextContinuationToken"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def _page(self, prefix: str, after: Mapping[str, str]) -> Mapping[str, Any]:
        def page() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = self._client.list_objects_v2(
                **self._at_prefix(prefix), **after
            )
            return answer

        return self._service.call("list", prefix, page)

    def _at_prefix(self, prefix: str) -> dict[str, str]:
        return {"Bucket": self._service.bucket, "Prefix": self._service.prefix + prefix}

    # Removing ----------------------------------------------------------------------------------

    def delete(self, key: str) -> None:
        """Remove an object, in all its versions when the settings lock objects.

        A plain deletion would only hide a locked object: it would look gone, and cost on.

        Raises:
            LockedError: it may go later.
        """
        if self._settings.lock_mode is None:
            self._service.call("delete", key, lambda: self._client.delete_object(**self._at(key)))
            return
        self._refuse_locked(key)
        for version in self._versions(key):
            self._delete_version(key, version)

    def _delete_version(self, key: str, version: str) -> None:
        self._service.call(
            "delete", key, lambda: self._client.delete_object(**self._at(key), VersionId=version)
        )

    def _versions(self, key: str) -> builtins.list[str]:
        def versions() -> builtins.list[str]:
            pages = self._client.get_paginator("list_object_versions").paginate(
                **self._at_prefix(key)
            )
            wanted = self._service.prefix + key
            return [
                one["VersionId"]
                for page in pages
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
                if one["Key"] == wanted
            ]

        return self._service.call("delete", key, versions)

    def _refuse_locked(self, key: str) -> None:
        """Looked at first: the refusal of a service does not tell a lock from a lacking right."""
        until = self._locked_until(key)
        if until is not None and until > datetime.now(UTC):
            raise LockedError(
                f"Target {self.name!r} keeps an object locked until {until:%Y-%m-%d %H:%M} UTC",
                where=f"bucket {self._service.bucket} key {self._service.prefix}{key}",
                hint="prune again after that; object lock is meant to work like this",
            )

    def _locked_until(self, key: str) -> datetime | None:
        """None also when it is gone or not ours to look at."""
        try:
            told = self._client.head_object(**self._at(key))
        except FAILURES:
            return None
        until: datetime | None = told.get("ObjectLockRetainUntilDate")
        return until

    def tidy(self) -> None:
        """Abort multipart uploads of ours that nobody will continue."""
        abort_stale(self._service, (SNAPSHOTS, UPLOADS), UPLOADS)


def _drained(begun: deque[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    """All parts; none is held here any longer than it is needed."""
    while begun:
        yield begun.popleft()
    yield from rest

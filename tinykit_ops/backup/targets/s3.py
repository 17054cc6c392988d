"""A bucket of any S3-compatible service as a target."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tinykit_ops.backup.errors import (
    NotStoredError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)
from tinykit_ops.backup.targets import Readable, StoredObject, recipients_of
from tinykit_ops.settings.backup_targets import S3Target

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MEBI = 1 << 20
#: S3 allows 10,000 parts, so 8 MiB each carry an object of 78 GiB.
PART_BYTES = 8 * MEBI
TRANSFER = TransferConfig(
    multipart_threshold=PART_BYTES,
    multipart_chunksize=PART_BYTES,
    max_concurrency=2,
)
# boto3 would keep ten parts of a stream in memory; its own configuration cannot say otherwise.
TRANSFER.max_in_memory_upload_chunks = 2
_ATTEMPTS = 5


class S3Store:
    """Objects are S3 objects under the prefix of the settings."""

    def __init__(self, settings: S3Target, *, access_key_id: str, secret_access_key: str) -> None:
        self.name = settings.name
        self.encryption = recipients_of(settings)
        self._bucket = settings.bucket
        self._prefix = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""
        self._endpoint = settings.endpoint or "AWS"
        self._s3: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
                connect_timeout=10,
                read_timeout=60,
                # What comes back is checked against our own SHA-256; botocore's check breaks on
                # answers such as 503 to a download.
                response_checksum_validation="when_required",
                # Other services than AWS rarely have a host name for each bucket.
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
            ),
        )

    def check_writable(self) -> None:
        """Prove that an object can be stored."""
        self.put("write-test", io.BytesIO(b"tinykit-ops can write here\n"))

    def put(self, key: str, stream: Readable) -> None:
        """Store all that the stream gives under that key, or nothing.

        boto3 sends a checksum with every part, and gives a multipart upload up when one fails.
        """
        watched = _Watched(stream)
        try:
            self._s3.upload_fileobj(
                cast(Any, watched), self._bucket, self._prefix + key, Config=TRANSFER
            )
        except (ClientError, BotoCoreError, Boto3Error) as error:
            watched.raise_own()
            self._fail("store", key, error)

    @contextmanager
    def get(self, key: str) -> Iterator[Readable]:
        """Open an object."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]
        except (ClientError, BotoCoreError) as error:
            self._fail("fetch", key, error)
        try:
            yield _Body(body, lambda error: self._fail("fetch", key, error))
        finally:
            body.close()

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Every object whose key starts so."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix
        )
        try:
            for page in pages:
                for found in page.get("Contents", []):
                    key = found["Key"].removeprefix(self._prefix)
                    yield StoredObject(key, found["Size"], found["LastModified"])
        except (ClientError, BotoCoreError) as error:
            self._fail("list", prefix, error)

    def delete(self, key: str) -> None:
        """Remove an object."""
        try:
            self._s3.delete_object(Bucket=self._bucket, Key=self._prefix + key)
        except (ClientError, BotoCoreError) as error:
            self._fail("delete", key, error)

    def tidy(self) -> None:
        """Abort multipart uploads of ours that a killed run left: they cost money unseen."""
        try:
            pages = self._s3.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for upload in page.get("Uploads", []):
                    self._s3.abort_multipart_upload(
                        Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
        except ClientError as error:
            # Some services cannot list them, and some credentials may not: no harm to the backup.
            if _code(error) not in _TIDY_MAY_LACK:
                self._fail("tidy", "", error)
        except BotoCoreError as error:
            self._fail("tidy", "", error)

    def _fail(self, action: str, key: str, error: Exception) -> NoReturn:
        where = f"{self._endpoint} bucket {self._bucket} key {self._prefix}{key}"
        code = _code(error)
        kind, hint = _CODES.get(code, (TargetError, "the service's own status page may tell more"))
        if not isinstance(error, ClientError):
            kind, hint = TargetUnreachableError, "check the endpoint, the network and the firewall"
        raise kind(
            f"Target {self.name!r} could not {action} ({code})", where=where, hint=hint
        ) from None


class _Watched:
    """A stream that remembers its own failure, which boto3 would hand on in other clothes.

    It also fills every read: boto3 takes a short one for the end.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._error: Exception | None = None

    def read(self, size: int = -1, /) -> bytes:
        pieces: list[bytes] = []
        missing = size
        try:
            while (size < 0 or missing > 0) and (piece := self._stream.read(missing)):
                pieces.append(piece)
                missing = missing - len(piece) if size >= 0 else size
        except Exception as error:
            self._error = error
            raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def raise_own(self) -> None:
        if self._error is not None:
            raise self._error


class _Body:
    """An answer's body whose network errors come out as ours."""

    def __init__(self, body: Any, fail: Any) -> None:
        self._body = body
        self._fail = fail

    def read(self, size: int = -1, /) -> bytes:
        try:
            content: bytes = self._body.read(None if size < 0 else size)
        except (ClientError, BotoCoreError, OSError) as error:
            self._fail(error)
        return content


def _code(error: Exception) -> str:
    """S3's code of an error, or the kind of a network error; never what was sent."""
    while not isinstance(error, ClientError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__


_WRONG_KEY = "check the access key and its secret in the inventory"
_NO_RIGHT = "let these credentials put, get and list objects of this bucket"
_CODES: dict[str, tuple[type[TargetError], str]] = {
    "SignatureDoesNotMatch": (TargetAccessError, _WRONG_KEY),
    "InvalidAccessKeyId": (TargetAccessError, _WRONG_KEY),
    "AccessDenied": (TargetAccessError, _NO_RIGHT),
    "403": (TargetAccessError, _NO_RIGHT),
    "NoSuchBucket": (TargetAccessError, "make the bucket first, or correct its name"),
    "NoSuchKey": (NotStoredError, "was it deleted by hand, or by a lifecycle rule of the bucket?"),
    "404": (NotStoredError, "was it deleted by hand, or by a lifecycle rule of the bucket?"),
    "RequestTimeTooSkewed": (TargetAccessError, "this host's clock is wrong: `timedatectl`"),
    "SlowDown": (TargetUnreachableError, "the service limits us: run again later"),
    "ServiceUnavailable": (TargetUnreachableError, "the service has a problem: run again later"),
    "InternalError": (TargetUnreachableError, "the service has a problem: run again later"),
}
#: NoSuchUpload is what rclone's server says when there are none.
_TIDY_MAY_LACK = {
    "AccessDenied",
    "MethodNotAllowed",
    "NoSuchUpload",
    "NotImplemented",
    "403",
    "404",
    "405",
    "501",
}

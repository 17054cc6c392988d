"""Objects of several parts, continued after a kill.

No state is kept on the host: an upload that was cut off is found in the bucket, and each part of
the new stream is compared with what lies there. So a part is skipped only when it is the same,
whatever the stream is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tinykit_ops.backup.errors import TargetError, TargetUnreachableError
from tinykit_ops.backup.targets import Readable
from tinykit_ops.backup.targets.s3_checksums import Content
from tinykit_ops.backup.targets.s3_client import FAILURES, S3Service
from tinykit_ops.backup.targets.s3_download import Download
from tinykit_ops.backup.targets.s3_errors import code_of, status_of
from tinykit_ops.backup.targets.s3_signing import Body

PART_BYTES = 8 << 20
PIECE_BYTES = 256 << 10  #: what compresses makes room for all that it is asked for at once
MOST_PARTS = 10_000  #: S3's limit; with PART_BYTES an object of 78 GiB
STALE = timedelta(days=2)  #: after it nobody continues an upload
#: Some services cannot list uploads, and some credentials may not: that harms no backup.
#: NoSuchUpload is what rclone's server says when there are none.
_MAY_LACK = {"AccessDenied", "MethodNotAllowed", "NoSuchUpload", "NotImplemented"}
_MAY_LACK_STATUS = {403, 404, 405, 501}


@dataclass
class _Open:
    """An upload that is not complete, with the parts that are there, by number."""

    id: str
    parts: Mapping[int, Mapping[str, Any]]


class Multipart:
    """One object on its way, part by part; one part travels while the next one is made.

    Args:
        key: with the prefix.
        options: for the object: encryption, storage class, lock.
        resume: look for an upload of that key that was cut off, and leave one behind when the
            connection fails. Only for keys that always get the same content.
    """

    def __init__(
        self, service: S3Service, key: str, options: Mapping[str, Any], *, resume: bool
    ) -> None:
        self._service = service
        self._client = service.client
        self._at = {"Bucket": service.bucket, "Key": key}
        self._key = key.removeprefix(service.prefix)
        self._options = options
        self._resume = resume
        self._hashes: list[str] = []  # of all parts

    def send(self, parts: Iterator[bytes]) -> None:
        """Send what is not there yet, and make the object of it.

        Raises:
            TargetError: it could not be done; no object is there then.
            Exception: of `parts`, unchanged.
        """
        found = self._continue() if self._resume else None
        upload = found or _Open(self._begin(), {})
        try:
            done = self._send_parts(upload, parts)
            self._complete(upload, done)
        except TargetUnreachableError:
            if not self._resume:
                self._abort(upload)
            raise
        except Exception:
            # Also a refusal: whatever is wrong with this upload, the next run begins anew.
            self._abort(upload)
            raise

    # Finding and opening -----------------------------------------------------------------------

    def _continue(self) -> _Open | None:
        try:
            answer = self._client.list_multipart_uploads(
                Bucket=self._at["Bucket"], Prefix=self._at["Key"]
            )
            found = [one for one in answer.get("Uploads", []) if one["Key"] == self._at["Key"]]
            if not found:
                return None
            newest = max(found, key=lambda one: one["Initiated"])["UploadId"]
            parts = self._client.get_paginator("list_parts").paginate(**self._at, UploadId=newest)
            there = [part for page in parts for part in page.get("Parts", [])]
        except FAILURES:
            return None  # then it begins anew; what is wrong shows itself there
        return _Open(newest, {part["PartNumber"]: part for part in there})

    def _begin(self) -> str:
        def create() -> str:
            answer = self._client.create_multipart_upload(
                **self._at, ChecksumAlgorithm="SHA256", **self._options
            )
            return str(answer["UploadId"])

        return self._service.call("store", self._key, create)

    # Parts -------------------------------------------------------------------------------------

    def _send_parts(self, upload: _Open, parts: Iterator[bytes]) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = []
        travelling: Future[dict[str, Any]] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="part") as lane:
            for number, body in enumerate(parts, 1):
                if number > MOST_PARTS:
                    raise TargetError(
                        f"An object is bigger than {MOST_PARTS * PART_BYTES >> 30} GiB",
                        where=self._key,
                        hint="S3 takes 10,000 parts; a directory or volume target has no limit",
                    )
                if travelling is not None:
                    done.append(travelling.result())
                travelling = lane.submit(self._send_part, upload, number, body)
            if travelling is not None:
                done.append(travelling.result())
        return done

    def _send_part(self, upload: _Open, number: int, body: bytes) -> dict[str, Any]:
        content = Content(body)
        self._hashes.append(content.sha256)
        there = upload.parts.get(number)
        if there and there["Size"] == len(content.body) and content.is_told_by(there):
            return _receipt(number, there)
        if there and number == 1:
            # The stream is another one. Not every service lets a part be sent over.
            self._abort(upload)
            upload.id, upload.parts = self._begin(), {}

        def send() -> dict[str, Any]:
            answer = self._client.upload_part(
                **self._at,
                UploadId=upload.id,
                PartNumber=number,
                Body=Body(content),
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=content.sha256,
            )
            content.must_be_told_by(answer)
            return _receipt(number, answer)

        return self._service.call("store", self._key, send)

    # Closing -----------------------------------------------------------------------------------

    def _complete(self, upload: _Open, parts: list[dict[str, Any]]) -> None:
        def complete() -> None:
            try:
                self._client.complete_multipart_upload(
                    **self._at, UploadId=upload.id, MultipartUpload={"Parts": parts}
                )
            except ClientError as error:
                # The answer to a first try may have been lost after it was done.
                if code_of(error) != "NoSuchUpload" or not self._is_there():
                    raise

        self._service.call("store", self._key, complete)

    def _is_there(self) -> bool:
        """Read it back: what services say of an object made of parts differs too much."""
        try:
            with closing(Download(self._service, self._key)) as download:
                found = [Content(part).sha256 for part in parts_of(download)]
        except TargetError:
            return False
        return found == self._hashes

    def _abort(self, upload: _Open) -> None:
        try:
            self._client.abort_multipart_upload(**self._at, UploadId=upload.id)
        except FAILURES:
            return  # `abort_stale` tries again


def parts_of(stream: Readable) -> Iterator[bytes]:
    """The stream in pieces of PART_BYTES, the last one shorter."""
    while True:
        pieces: list[bytes] = []
        missing = PART_BYTES
        while missing and (piece := stream.read(min(missing, PIECE_BYTES))):
            pieces.append(piece)
            missing -= len(piece)
        if pieces:
            yield b"".join(pieces)
        if missing:
            return


def _receipt(number: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    receipt = {"PartNumber": number, "ETag": answer["ETag"]}
    if told := answer.get("ChecksumSHA256"):
        receipt["ChecksumSHA256"] = told
    return receipt


def abort_stale(service: S3Service, ours: Sequence[str], resumable: str) -> None:
    """Abort uploads of ours that nobody will continue: they cost money unseen.

    Args:
        ours: how keys begin that only we store. A prefix, or none, may be above other people's.
        resumable: keys that begin so get `STALE` to be continued; others are never continued.
    """
    client, now = service.client, datetime.now(UTC)
    folders = tuple(service.prefix + one for one in ours)
    try:
        pages = client.get_paginator("list_multipart_uploads").paginate(
            Bucket=service.bucket, Prefix=service.prefix
        )
        for upload in [one for page in pages for one in page.get("Uploads", [])]:
            if not upload["Key"].startswith(folders):
                continue
            fresh = now - upload["Initiated"] < STALE
            if fresh and upload["Key"].startswith(service.prefix + resumable):
                continue
            client.abort_multipart_upload(
                Bucket=service.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    except FAILURES as error:
        if code_of(error) not in _MAY_LACK and status_of(error) not in _MAY_LACK_STATUS:
            service.fail("tidy", "", error)

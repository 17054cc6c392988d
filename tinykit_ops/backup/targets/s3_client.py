"""Calls of an S3 service: bounded in time and number, their failures in our words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from tinykit_ops.backup.targets.s3_errors import (
    OtherBytesError,
    code_of,
    header_of,
    retries_of,
    status_of,
    told_as,
)
from tinykit_ops.backup.targets.s3_signing import sign_with_known_hashes
from tinykit_ops.settings.backup_targets import S3Target

ATTEMPTS = 5  #: of one call, with growing pauses between them
CONNECT_SECONDS = 10  #: also how long 16 KiB of a request may take to be taken
READ_SECONDS = 60
LONGEST_PAUSE = 30.0

T = TypeVar("T")
#: What boto raises for an answer, for no answer, and for half an answer.
FAILURES = (ClientError, BotoCoreError, HTTPError, OSError, OtherBytesError)
#: botocore tries again by itself after these: 5xx, SlowDown, dropped connections. It does not
#: after a plain 429, nor when the service received other bytes than we sent.
_AGAIN = {"BadDigest", "XAmzContentSHA256Mismatch", "TooManyRequests", "RequestTimeout"}


class S3Service:
    """One bucket with one pair of credentials."""

    def __init__(self, settings: S3Target, *, access_key_id: str, secret_access_key: str) -> None:
        self.bucket = settings.bucket
        self.prefix = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""
        self._name = settings.name
        self._endpoint = settings.endpoint or "AWS"
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                retries={"max_attempts": ATTEMPTS, "mode": "standard"},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                # We send a SHA-256 of our own where it counts, and what comes back is checked
                # against the manifest's; botocore's check breaks on a 503 to a download.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                # Other services than AWS rarely have a host name for each bucket.
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
            ),
        )
        sign_with_known_hashes(self.client)

    def call(self, action: str, key: str, do: Callable[[], T]) -> T:
        """Do it, again when a short pause may help. `do` has to start anew each time.

        Args:
            action, key: for the error: what could not be done, to what.

        Raises:
            TargetError: it failed for good.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return do()
            except FAILURES as error:
                if attempt == ATTEMPTS or not _may_help(error):
                    self.fail(action, key, error)
                time.sleep(_pause(error, attempt))
        raise AssertionError("unreachable")

    def fail(self, action: str, key: str, error: Exception) -> NoReturn:
        """Raise our error for one of boto's."""
        where = f"{self._endpoint} bucket {self.bucket} key {self.prefix}{key}"
        raise told_as(error, f"Target {self._name!r} could not {action}", where) from None


def _may_help(error: Exception) -> bool:
    if retries_of(error):
        return False  # botocore tried often enough
    return isinstance(error, OtherBytesError) or status_of(error) == 429 or code_of(error) in _AGAIN


def _pause(error: Exception, attempt: int) -> float:
    """Seconds: what the service asks for, else twice as long each time; never long."""
    asked = header_of(error, "retry-after")
    wanted = float(asked) if asked.isdecimal() else 0.25 * 2**attempt
    return min(wanted, LONGEST_PAUSE)

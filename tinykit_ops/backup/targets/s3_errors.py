"""What an S3 service says when it refuses, in words that tell a person what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from tinykit_ops.backup.errors import (
    NotStoredError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)

SKEW_SECONDS = 300  #: services refuse requests that are 15 minutes off; less is worth a word

_WRONG_KEY = "check the access key and its secret in the inventory"
_NO_RIGHT = "let these credentials put, get and list objects of this bucket"
_LATER = "the service has a problem: run again later"
_LIMITED = "the service limits us: run again later"
_GONE = "was it deleted by hand, or by a lifecycle rule of the bucket?"
_LOCK = "make a bucket with object lock, or take lock_mode and lock_days out of the settings"
_KMS = "look at sse_kms_key_id, and let these credentials use that key (kms:GenerateDataKey)"
_CLOCK = "this host's clock is wrong: see `timedatectl`"
_ARCHIVED = "a lifecycle rule moved it to slow storage: restore it there first"
_CODES: dict[str, tuple[type[TargetError], str]] = {
    "SignatureDoesNotMatch": (TargetAccessError, _WRONG_KEY),
    "InvalidAccessKeyId": (TargetAccessError, _WRONG_KEY),
    "AccessDenied": (TargetAccessError, _NO_RIGHT),
    "403": (TargetAccessError, _NO_RIGHT),
    "NoSuchBucket": (TargetAccessError, "make the bucket first, or correct its name"),
    "NoSuchKey": (NotStoredError, _GONE),
    "404": (NotStoredError, _GONE),
    "RequestTimeTooSkewed": (TargetAccessError, _CLOCK),
    "SlowDown": (TargetUnreachableError, _LIMITED),
    "TooManyRequests": (TargetUnreachableError, _LIMITED),
    "429": (TargetUnreachableError, _LIMITED),
    "ServiceUnavailable": (TargetUnreachableError, _LATER),
    "InternalError": (TargetUnreachableError, _LATER),
    "InvalidObjectState": (TargetError, _ARCHIVED),
    "ObjectLockConfigurationNotFoundError": (TargetAccessError, _LOCK),
    "KMS.NotFoundException": (TargetAccessError, _KMS),
    "KMS.DisabledException": (TargetAccessError, _KMS),
    "KMS.KMSInvalidStateException": (TargetAccessError, _KMS),
    "BadDigest": (TargetError, "the network changed what was sent: run again, look at the network"),
}
_STATUS: dict[int, tuple[type[TargetError], str]] = {
    403: (TargetAccessError, _NO_RIGHT),
    404: (NotStoredError, _GONE),
    429: (TargetUnreachableError, _LIMITED),
    500: (TargetUnreachableError, _LATER),
    502: (TargetUnreachableError, _LATER),
    503: (TargetUnreachableError, _LATER),
    504: (TargetUnreachableError, _LATER),
}


class OtherBytesError(Exception):
    """The service told another checksum than that of what was sent."""


def told_as(error: Exception, what: str, where: str) -> TargetError:
    """Our error for one of boto's; `what` gets the reason in brackets behind it."""
    kind, hint = _meaning(error)
    return kind(f"{what} ({code_of(error)})", where=where, hint=hint)


def code_of(error: Exception) -> str:
    """S3's code of an error, or the kind of a network error; never what was sent."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return "stored other bytes" if isinstance(error, OtherBytesError) else type(error).__name__


def status_of(error: Exception) -> int:
    """The HTTP status of an answer; 0 when there was none."""
    return int(_answer(error).get("HTTPStatusCode", 0))


def retries_of(error: Exception) -> int:
    """How often botocore tried again by itself."""
    return int(_answer(error).get("RetryAttempts", 0))


def header_of(error: Exception, name: str) -> str:
    """A header of the answer, by its name in lower case; empty when there is none."""
    return str(_answer(error).get("HTTPHeaders", {}).get(name, ""))


def _answer(error: Exception) -> dict[str, Any]:
    if not isinstance(error, ClientError):
        return {}
    return dict(error.response.get("ResponseMetadata", {}))


def _meaning(error: Exception) -> tuple[type[TargetError], str]:
    if isinstance(error, OtherBytesError):
        return TargetError, "something between here and there changes data: look at the network"
    if not isinstance(error, ClientError):
        return TargetUnreachableError, "check the endpoint, the network and the firewall"
    unknown = (TargetError, "the service's own status page may tell more")
    kind, hint = _CODES.get(code_of(error)) or _STATUS.get(status_of(error), unknown)
    if "objectlock" in str(error).lower().replace(" ", ""):
        hint = _LOCK
    skew = _clock_skew(error) if status_of(error) == 403 else ""
    return kind, f"{skew}; {_CLOCK}" if skew else hint


def _clock_skew(error: ClientError) -> str:
    """How far our clock is from the service's, when that is worth a word."""
    try:
        theirs = parsedate_to_datetime(header_of(error, "date"))
    except ValueError:
        return ""
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    seconds = (datetime.now(UTC) - theirs).total_seconds()
    if abs(seconds) < SKEW_SECONDS:
        return ""
    amount = f"{abs(seconds) / 3600:.1f} hours" if abs(seconds) > 7200 else f"{abs(seconds):.0f} s"
    return f"this host is {amount} {'ahead of' if seconds > 0 else 'behind'} the service"

"""What EC2 says when it refuses, in words that tell a person what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from tinykit_ops.backup.errors import (
    LockedError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)

_KEYS = "check the access key, or the role of the instance"
_LATER = "EC2 limits us: run again later"
_CODES: dict[str, tuple[type[TargetError], str]] = {
    "UnauthorizedOperation": (
        TargetAccessError,
        "allow ec2:CreateSnapshot, CreateTags, CopySnapshot, Describe*, and DeleteSnapshot where "
        "old ones are pruned",
    ),
    "AuthFailure": (TargetAccessError, f"{_KEYS}; a wrong clock does this too: `timedatectl`"),
    "RequestExpired": (TargetAccessError, "this host's clock is wrong: see `timedatectl`"),
    "InvalidClientTokenId": (TargetAccessError, _KEYS),
    "SnapshotLocked": (LockedError, "prune again when its lock has ended"),
    "InvalidSnapshot.InUse": (LockedError, "an image uses it: deregister that first"),
    "SnapshotCreationPerVolumeRateExceeded": (TargetUnreachableError, _LATER),
    "RequestLimitExceeded": (TargetUnreachableError, _LATER),
    "ResourceLimitExceeded": (TargetError, "raise the limit of snapshots, or keep fewer"),
    "SnapshotLimitExceeded": (TargetError, "raise the limit of snapshots, or keep fewer"),
}


@contextmanager
def ec2_errors(name: str, action: str, where: str) -> Iterator[None]:
    """Turn boto's errors into ours."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        kind, hint = _CODES.get(code, (TargetError, "the service's own status page may tell more"))
        raise kind(f"Target {name!r} could not {action} ({code})", where=where, hint=hint) from None
    except NoCredentialsError:
        raise TargetAccessError(
            f"Target {name!r} has no credentials",
            where=where,
            hint="give the instance a role, or access_key_id and secret_access_key",
        ) from None
    except BotoCoreError as error:
        raise TargetUnreachableError(
            f"Target {name!r} could not {action} ({type(error).__name__})",
            where=where,
            hint="check the network, the region and the firewall",
        ) from None

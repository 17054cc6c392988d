"""Which EC2 instance this host is: the instance metadata service, version 2 (with a token)."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from tinykit_ops.backup.errors import TargetUnreachableError

METADATA = "http://169.254.169.254"
SECONDS = 5  #: it answers at once, from the same machine


@dataclass(frozen=True)
class InstanceIdentity:
    """This host for EC2."""

    id: str
    region: str


def instance_identity(metadata: str = METADATA) -> InstanceIdentity:
    """Ask the metadata service.

    Raises:
        TargetUnreachableError: this is no EC2 instance, or the service is closed.
    """
    session = requests.Session()
    session.trust_env = False  # a proxy would tell of another machine
    try:
        token = session.put(
            f"{metadata}/latest/api/token",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"},
            timeout=SECONDS,
        )
        token.raise_for_status()
        answer = session.get(
            f"{metadata}/latest/dynamic/instance-identity/document",
            headers={"X-aws-ec2-metadata-token": token.text},
            timeout=SECONDS,
        )
        answer.raise_for_status()
        told = answer.json()
        return InstanceIdentity(str(told["instanceId"]), str(told["region"]))
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise TargetUnreachableError(
            f"EC2's instance metadata could not be read ({type(error).__name__})",
            where=metadata,
            hint="is this an EC2 instance, and is its metadata service enabled?",
        ) from None

"""Backup targets that snapshot the volume of the data itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tinykit_ops.settings.backup_plan import PlannedTarget, TargetName
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.values import HostPath, OneLine, Region, WebAddress


def _both_keys_or_none(target: EbsTarget) -> Iterator[Problem]:
    if (target.access_key_id is None) != (target.secret_access_key is None):
        lacking = "access_key_id" if target.access_key_id is None else "secret_access_key"
        yield Problem(lacking, "is missing: a key has an id and a secret", "or leave out both")


class EbsTarget(PlannedTarget):
    """Snapshots of the Amazon EBS volume that holds the data."""

    rules = (_both_keys_or_none,)

    kind: Literal["ebs"] = Field(description="Snapshots of an EBS volume.", examples=["ebs"])
    name: TargetName
    copy_to_region: Region | None = Field(
        default=None,
        description="Another region that gets a copy of every snapshot.",
        examples=["eu-west-1"],
    )
    copy_kms_key_id: OneLine | None = Field(
        default=None,
        description="The key of that region for the copies of encrypted volumes; its default key "
        "when left out.",
        examples=["alias/backups"],
    )
    wait_minutes: int = Field(
        default=120,
        ge=1,
        le=1440,
        description="How long to wait for a snapshot, and for its copy. The first one of a big "
        "volume can take hours.",
        examples=[120],
    )
    access_key_id: Secret | None = Field(
        default=None,
        description="Id of an access key; the instance's role is used when left out.",
        examples=[{"env": "TINYKIT_EBS_ACCESS_KEY_ID"}],
    )
    secret_access_key: Secret | None = Field(
        default=None,
        description="The access key's secret.",
        examples=[{"env": "TINYKIT_EBS_SECRET_ACCESS_KEY"}],
    )
    endpoint: WebAddress | None = Field(
        default=None,
        description="Address of an EC2-compatible service; Amazon's when left out.",
        examples=["https://ec2.example.com"],
    )


class BtrfsTarget(PlannedTarget):
    """Read-only snapshots of the btrfs subvolume that holds the data."""

    kind: Literal["btrfs"] = Field(description="Snapshots of btrfs.", examples=["btrfs"])
    name: TargetName
    path: HostPath = Field(
        description="Folder for the snapshots, on the same btrfs file system as the data.",
        examples=["/var/lib/tinykit-snapshots"],
    )


VolumeTarget = EbsTarget | BtrfsTarget  #: snapshots the disk itself, where it is

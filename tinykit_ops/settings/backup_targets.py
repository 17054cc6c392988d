"""Where backups go: one section a kind of target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tinykit_ops.settings.backup_keys import AGE_EXAMPLE, Encryption, Signers, signed_by
from tinykit_ops.settings.backup_plan import PlannedTarget, TargetName
from tinykit_ops.settings.backup_volumes import BtrfsTarget, EbsTarget, VolumeTarget
from tinykit_ops.settings.problems import Problem
from tinykit_ops.settings.secrets import Secret
from tinykit_ops.settings.values import HostPath, OneLine, Region, WebAddress

__all__ = [
    "ArchiveTarget",
    "BtrfsTarget",
    "DirectoryTarget",
    "EbsTarget",
    "Encryption",
    "S3Target",
    "Target",
    "VolumeTarget",
]


def _bucket(value: str) -> str:
    """Amazon's rules for general purpose buckets, which every S3 service keeps."""
    text = value.strip()
    if not 3 <= len(text) <= 63:
        raise ValueError("must have 3 to 63 characters")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", text) or ".." in text:
        raise ValueError(
            "must be lower-case letters, digits, dashes and single dots, and start and end with "
            "a letter or digit"
        )
    try:
        ip_address(text)
    except ValueError:
        return text
    raise ValueError("must not look like an IP address")


def _prefix(value: str) -> str:
    text = value.strip().strip("/")
    if len(text) > 200 or not re.fullmatch(r"[A-Za-z0-9!_.*'()/-]*", text):
        raise ValueError("must be at most 200 letters, digits and ! _ . * ' ( ) / -")
    if any(part in ("", ".", "..") for part in text.split("/")) and text:
        raise ValueError("has an empty or dotted part")
    return f"{text}/" if text else ""


def _lock_is_whole(target: S3Target) -> Iterator[Problem]:
    if (target.lock_mode is None) != (target.lock_days is None):
        lacking = "lock_days" if target.lock_days is None else "lock_mode"
        yield Problem(lacking, "is missing: a lock has a mode and a length", "example: 30 days")


def _kms_key_is_used(target: S3Target) -> Iterator[Problem]:
    if target.sse_kms_key_id is not None and target.sse != "aws:kms":
        yield Problem("sse_kms_key_id", 'is only read with sse = "aws:kms"', 'set sse to "aws:kms"')


class S3Target(PlannedTarget):
    """A bucket of any S3-compatible service."""

    rules = (_lock_is_whole, _kms_key_is_used)

    kind: Literal["s3"] = Field(description="A bucket.", examples=["s3"])
    name: TargetName
    bucket: Annotated[str, AfterValidator(_bucket)] = Field(
        description="The bucket; it has to exist.", examples=["acme-tinykit-backups"]
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        default="",
        description="Folder in the bucket, so that instances can share one.",
        examples=["apps-1/"],
    )
    endpoint: WebAddress | None = Field(
        default=None,
        description="Address of the service; Amazon's when left out.",
        examples=["https://s3.eu-central-003.backblazeb2.com"],
    )
    region: Region = Field(
        default="us-east-1", description="The bucket's region.", examples=["eu-central-1"]
    )
    access_key_id: Secret = Field(
        description="Id of an access key that may write to the bucket, and better not delete.",
        examples=[{"env": "TINYKIT_S3_ACCESS_KEY_ID"}],
    )
    secret_access_key: Secret = Field(
        description="The access key's secret.", examples=[{"env": "TINYKIT_S3_SECRET_ACCESS_KEY"}]
    )
    signed_by: Signers = signed_by()
    encryption: Encryption = Field(
        description='Public keys (`age1…`) that backups are sealed to, or the word "none". It has '
        "to be said, because a bucket is somebody else's computer. `age-keygen` makes a pair; "
        "the private key stays away from the host.",
        examples=[[AGE_EXAMPLE], "none"],
    )
    sse: Literal["AES256", "aws:kms"] | None = Field(
        default=None,
        description="Encryption by the service, beside our own: `AES256` with its keys, `aws:kms` "
        "with one of Amazon's key service.",
        examples=["AES256", "aws:kms"],
    )
    sse_kms_key_id: OneLine | None = Field(
        default=None,
        description="The key for `aws:kms`; the account's own for S3 when left out.",
        examples=["arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )
    # Classes that answer only after hours (GLACIER, DEEP_ARCHIVE) are not offered: indexes and
    # shared uploads are read by every run.
    storage_class: (
        Literal["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"] | None
    ) = Field(
        default=None,
        description="What the service shall store on; its default when left out. Only classes that "
        "answer at once can be used.",
        examples=["STANDARD_IA"],
    )
    lock_mode: Literal["governance", "compliance"] | None = Field(
        default=None,
        description="Object lock: what was sent cannot be changed or removed for `lock_days`, by "
        "nobody (`compliance`) or only with a special right (`governance`). The bucket must have "
        "been made with object lock.",
        examples=["governance"],
    )
    lock_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="How long an object is locked, counted from when it was sent.",
        examples=[30],
    )


class DirectoryTarget(PlannedTarget):
    """A folder on another disk or mount."""

    kind: Literal["directory"] = Field(description="A folder.", examples=["directory"])
    name: TargetName
    path: HostPath = Field(
        description="Absolute path on the host.", examples=["/mnt/backup/tinykit"]
    )
    must_be_mount: bool = Field(
        default=False,
        description="Refuse when the folder lies on the root file system, as it "
        "does when its disk is not mounted.",
        examples=[True],
    )
    signed_by: Signers = signed_by()
    encryption: Encryption = Field(
        default="none",
        description='Public keys (`age1…`) that backups are sealed to, or "none".',
        examples=[[AGE_EXAMPLE], "none"],
    )


ArchiveTarget = S3Target | DirectoryTarget  #: gets archives: parts, manifest, index
Target = Annotated[
    S3Target | DirectoryTarget | EbsTarget | BtrfsTarget, Field(discriminator="kind")
]

"""Snapshots of the Amazon EBS volume that holds the data, with an optional copy elsewhere."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tinykit_ops.backup.errors import BackupSettingsError, TargetError, TargetUnreachableError
from tinykit_ops.backup.files import flush_file_system
from tinykit_ops.backup.targets.ebs_errors import ec2_errors
from tinykit_ops.backup.targets.ebs_metadata import InstanceIdentity, instance_identity
from tinykit_ops.backup.targets.ebs_volume import volume_of
from tinykit_ops.backup.targets.volume import VolumeSnapshot, is_id
from tinykit_ops.backup.verified import Verified
from tinykit_ops.settings.backup_targets import EbsTarget

POLL_SECONDS = 15.0
INSTANCE_TAG = "tinykit-ops:instance"
TARGET_TAG = "tinykit-ops:target"
ID_TAG = "tinykit-ops:snapshot"
VERIFIED_TAG = "tinykit-ops:verified"


class EbsStore:
    """Snapshots that carry our tags; others are never touched.

    Args:
        instance: the main domain: what the snapshots of this instance are tagged with.
        keys: id and secret of an access key; the instance's role when None.
        identify, find_volume: how this host learns who it is and where its data lies.
    """

    def __init__(
        self,
        settings: EbsTarget,
        *,
        instance: str,
        keys: tuple[str, str] | None = None,
        identify: Callable[[], InstanceIdentity] = instance_identity,
        find_volume: Callable[[Path, dict[str, str]], str] = volume_of,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._instance = instance
        self._keys = keys
        self._identify = identify
        self._find_volume = find_volume
        self._clients: dict[str, Any] = {}

    # The protocol ------------------------------------------------------------------------------

    def take(self, snapshot: str, data: Path) -> VolumeSnapshot:
        """Snapshot the volume, wait for it, and copy it to the other region when one is set."""
        host = self._identify()
        volume = self._find_volume(data, self._attached(host))
        # What was acknowledged has to be on the volume, not in memory: PocketBase's WAL is written
        # at a commit and flushed later.
        flush_file_system(data)
        with ec2_errors(self.name, "make a snapshot", f"{host.region} {volume}"):
            made = self._ec2(host.region).create_snapshot(
                VolumeId=volume,
                Description=f"tinykit {self._instance}, {snapshot}",
                TagSpecifications=self._tags(snapshot),
            )["SnapshotId"]
        self._wait(host.region, made)
        if self._settings.copy_to_region:
            self._wait(self._settings.copy_to_region, self._copy(snapshot, host.region, made))
        return next(one for one in self.list() if one.id == snapshot)

    def list(self) -> builtins.list[VolumeSnapshot]:
        """Every snapshot in this region with our tags, oldest first."""
        found = [_read_snapshot(one) for one in self._tagged(self._identify().region)]
        return sorted((one for one in found if is_id(one.id)), key=lambda one: one.id)

    def delete(self, snapshot: str) -> None:
        """Remove a snapshot: the copies first, so that what is left of it stays listed."""
        for region in self._regions():
            for found in self._tagged(region, snapshot):
                with ec2_errors(self.name, "delete a snapshot", f"{region} {found['SnapshotId']}"):
                    self._ec2(region).delete_snapshot(SnapshotId=found["SnapshotId"])

    def sign_off(self, snapshot: str, result: Verified) -> None:
        """A tag on the snapshot and on its copy; a later one takes its place."""
        tag = {"Key": VERIFIED_TAG, "Value": result.as_text()}
        for region in self._regions():
            found = [one["SnapshotId"] for one in self._tagged(region, snapshot)]
            if found:
                with ec2_errors(self.name, "tag a snapshot", f"{region} {found[0]}"):
                    self._ec2(region).create_tags(Resources=found, Tags=[tag])

    def folder_of(self, snapshot: str, data: Path) -> Path:
        """Always refused: only EC2 can make a volume of a snapshot."""
        raise BackupSettingsError(
            f"A snapshot of target {self.name!r} has to be attached before it can be read",
            where=snapshot,
            hint="make a volume of it, attach and mount it, and copy PocketBase's data from there "
            "(docs/backup.md, Targets)",
        )

    # EC2 ---------------------------------------------------------------------------------------

    def _regions(self) -> builtins.list[str]:
        regions = [self._settings.copy_to_region, self._identify().region]
        return [one for one in regions if one]

    def _ec2(self, region: str) -> Any:
        if region not in self._clients:
            identity, secret = self._keys or (None, None)
            self._clients[region] = boto3.session.Session().client(
                "ec2",
                region_name=region,
                endpoint_url=self._settings.endpoint,
                aws_access_key_id=identity,
                aws_secret_access_key=secret,
                config=Config(
                    retries={"max_attempts": 5, "mode": "standard"},
                    connect_timeout=10,
                    read_timeout=60,
                ),
            )
        return self._clients[region]

    def _attached(self, host: InstanceIdentity) -> dict[str, str]:
        with ec2_errors(self.name, "look at this instance", f"{host.region} {host.id}"):
            told = self._ec2(host.region).describe_instances(InstanceIds=[host.id])
        return {
            mapping["DeviceName"]: mapping["Ebs"]["VolumeId"]
            for reservation in told["Reservations"]
            for instance in reservation["Instances"]
            for mapping in instance.get("BlockDeviceMappings", [])
            if "Ebs" in mapping
        }

    def _copy(self, snapshot: str, region: str, made: str) -> str:
        there = self._settings.copy_to_region or region
        key = self._settings.copy_kms_key_id
        with ec2_errors(self.name, f"copy a snapshot to {there}", f"{region} {made}"):
            answer = self._ec2(there).copy_snapshot(
                SourceRegion=region,
                SourceSnapshotId=made,
                Description=f"tinykit {self._instance}, {snapshot}",
                TagSpecifications=self._tags(snapshot),
                **({"Encrypted": True, "KmsKeyId": key} if key else {}),
            )
        return str(answer["SnapshotId"])

    def _tags(self, snapshot: str) -> builtins.list[dict[str, Any]]:
        tags = {
            "Name": f"tinykit {self._instance}",
            INSTANCE_TAG: self._instance,
            TARGET_TAG: self.name,
            ID_TAG: snapshot,
        }
        return [
            {
                "ResourceType": "snapshot",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ]

    def _tagged(self, region: str, snapshot: str | None = None) -> builtins.list[dict[str, Any]]:
        wanted = {INSTANCE_TAG: self._instance, TARGET_TAG: self.name}
        if snapshot is not None:
            wanted[ID_TAG] = snapshot
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
        with ec2_errors(self.name, "list snapshots", region):
            pages = (
                self._ec2(region)
                .get_paginator("describe_snapshots")
                .paginate(OwnerIds=["self"], Filters=filters)
            )
            return [one for page in pages for one in page["Snapshots"]]

    def _wait(self, region: str, made: str) -> None:
        """Poll until it is complete. What is not by then goes on without us, and is listed."""
        last = time.monotonic() + self._settings.wait_minutes * 60
        while True:
            with ec2_errors(self.name, "look at a snapshot", f"{region} {made}"):
                told = self._ec2(region).describe_snapshots(SnapshotIds=[made])["Snapshots"][0]
            if told["State"] == "completed":
                return
            if told["State"] == "error":
                raise TargetError(
                    f"EC2 could not make the snapshot ({told.get('StateMessage') or 'no reason'})",
                    where=f"{region} {made}",
                    hint="look at the volume and its key in the console, then run again",
                )
            if time.monotonic() > last:
                raise TargetUnreachableError(
                    f"The snapshot was not complete after {self._settings.wait_minutes} minutes",
                    where=f"{region} {made} {told.get('Progress', '')}",
                    hint="it goes on by itself and counts when it is; raise wait_minutes",
                )
            time.sleep(POLL_SECONDS)


def _read_snapshot(told: dict[str, Any]) -> VolumeSnapshot:
    tags = {tag["Key"]: tag["Value"] for tag in told.get("Tags", [])}
    failed = told["State"] == "error"
    return VolumeSnapshot(
        id=tags.get(ID_TAG, ""),
        place=told["SnapshotId"],
        complete=told["State"] == "completed",
        size=int(told.get("VolumeSize", 0)) << 30,
        fault=str(told.get("StateMessage") or "EC2 could not make it") if failed else "",
        verified=Verified.from_text(tags.get(VERIFIED_TAG, "")),
    )

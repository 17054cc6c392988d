"""EBS snapshots against moto's EC2; the instance's metadata and sysfs are played."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto_kit import KEYS, client, moto

from tinykit_ops.backup.errors import (
    BackupSettingsError,
    SnapshotError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
    VolumeLayoutError,
)
from tinykit_ops.backup.manifest import new_id
from tinykit_ops.backup.targets import ebs as ebs_module
from tinykit_ops.backup.targets.ebs import EbsStore
from tinykit_ops.backup.targets.ebs_metadata import InstanceIdentity, instance_identity
from tinykit_ops.backup.targets.ebs_volume import volume_of
from tinykit_ops.backup.verified import Verified
from tinykit_ops.backup.volumes import prune_volume, snapshot_volume, volume_summaries
from tinykit_ops.settings.backup_targets import EbsTarget
from tinykit_ops.settings.retention import RetentionSettings

HOME, AWAY = "eu-central-1", "eu-west-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as address:
        yield address


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "pb_data"
    (folder / "storage" / "notes").mkdir(parents=True)
    (folder / "data.db").write_bytes(b"db")
    return folder


class Host:
    """An instance with one EBS volume at /dev/sdf that holds the data."""

    def __init__(self, endpoint: str, root: Path) -> None:
        self.ec2 = client("ec2", endpoint, HOME)
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        started = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)
        self.id = started["Instances"][0]["InstanceId"]
        zone = started["Instances"][0]["Placement"]["AvailabilityZone"]
        self.volume = self.ec2.create_volume(AvailabilityZone=zone, Size=8)["VolumeId"]
        self.ec2.attach_volume(VolumeId=self.volume, InstanceId=self.id, Device="/dev/sdf")
        self.sys = root / "sys"
        self.mountinfo = root / "mountinfo"

    def disk(self, name: str, *, serial: str = "", model: str = "Amazon Elastic Block Store"):
        device = self.sys / "devices" / name
        (device / "device").mkdir(parents=True)
        (device / "device" / "model").write_text(f"{model}\n")
        if serial:
            (device / "device" / "serial").write_text(f"{serial}\n")
        return self._known(device)

    def part_of(self, disk: Path, name: str) -> Path:
        (disk / name).mkdir()
        (disk / name / "partition").write_text("1\n")
        return self._known(disk / name)

    def mapped(self, name: str, *below: Path) -> Path:
        device = self.sys / "devices" / name
        (device / "slaves").mkdir(parents=True)
        for one in below:
            (device / "slaves" / one.name).symlink_to(one)
        return self._known(device)

    def _known(self, device: Path) -> Path:
        block = self.sys / "class" / "block"
        block.mkdir(parents=True, exist_ok=True)
        (block / device.name).symlink_to(device)
        return device

    def mount(self, point: Path, source: str, kind: str = "ext4") -> None:
        self.mountinfo.write_text(
            "1 0 8:1 / / rw - ext4 /dev/root rw\n"
            f"2 1 259:1 / {point} rw shared:1 - {kind} {source} rw\n"
        )

    def volume_of(self, data: Path, attached: dict[str, str]) -> str:
        return volume_of(data, attached, mountinfo=self.mountinfo, sys=self.sys)

    @property
    def serial(self) -> str:
        return self.volume.replace("-", "")


@pytest.fixture
def host(endpoint: str, tmp_path: Path, data: Path) -> Host:
    one = Host(endpoint, tmp_path)
    disk = one.disk("nvme1n1", serial=one.serial)
    one.part_of(disk, "nvme1n1p1")
    one.mount(data, "/dev/nvme1n1p1")
    return one


def store(endpoint: str, host: Host, instance: str = "apps.example.com", **settings: Any):
    told = {"kind": "ebs", "name": "disk", "endpoint": endpoint, "wait_minutes": 1, **settings}
    return EbsStore(
        EbsTarget.model_validate(told),
        instance=instance,
        keys=KEYS,
        identify=lambda: InstanceIdentity(host.id, HOME),
        find_volume=host.volume_of,
    )


def test_a_snapshot_is_made_of_the_right_volume_tagged_and_listed(
    endpoint: str, host: Host, data: Path
) -> None:
    one = store(endpoint, host, "one.example.com")
    made = snapshot_volume(one, data)
    assert made.complete and made.size == 8 << 30
    found = host.ec2.describe_snapshots(SnapshotIds=[made.place])["Snapshots"][0]
    assert found["VolumeId"] == host.volume
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags["tinykit-ops:instance"] == "one.example.com"
    assert [summary.id for summary in volume_summaries(one)] == [made.id]
    # Another instance of the same account sees none of it.
    assert store(endpoint, host, "two.example.com").list() == []


def test_a_copy_goes_to_another_region_and_both_are_pruned(
    endpoint: str, host: Host, data: Path
) -> None:
    one = store(endpoint, host, "copied.example.com", copy_to_region=AWAY)
    now = datetime.now(UTC)
    for days in (3, 2, 1):
        one.take(new_id(now - timedelta(days=days)), data)
    away = client("ec2", endpoint, AWAY)
    ours = [{"Name": "tag:tinykit-ops:instance", "Values": ["copied.example.com"]}]
    assert len(away.describe_snapshots(Filters=ours)["Snapshots"]) == 3
    keep = RetentionSettings(keep_last=1, daily=0, weekly=0, monthly=0)
    oldest, middle, newest = (snapshot.id for snapshot in one.list())
    dry = prune_volume(one, keep, dry_run=True)
    assert [d.id for d in dry.decisions if not d.stays] == [middle, oldest]
    assert len(one.list()) == 3
    prune_volume(one, keep, protected=[oldest])
    assert [snapshot.id for snapshot in one.list()] == [oldest, newest]
    assert len(away.describe_snapshots(Filters=ours)["Snapshots"]) == 2
    one.delete(oldest)
    one.delete(oldest)  # gone already


def test_one_that_is_not_complete_in_time_is_told_and_counts_later(
    endpoint: str, host: Host, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store(endpoint, host, "slow.example.com")
    ec2 = one._ec2(HOME)
    asked = ec2.describe_snapshots
    times = iter([0.0, 30.0, 61.0])

    def pending(**how: Any) -> Any:
        answer = asked(**how)
        for found in answer["Snapshots"]:
            found.update(State="pending", Progress="40%")
        return answer

    with monkeypatch.context() as patch:
        clock = SimpleNamespace(monotonic=lambda: next(times), sleep=lambda _: None)
        patch.setattr(ebs_module, "time", clock)
        patch.setattr(ec2, "describe_snapshots", pending)
        with pytest.raises(TargetUnreachableError, match="not complete after 1 minutes"):
            snapshot_volume(one, data)
    assert [found.complete for found in one.list()] == [True]


def test_one_that_failed_is_told(
    endpoint: str, host: Host, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = store(endpoint, host, "failed.example.com")
    answer = {"Snapshots": [{"State": "error", "StateMessage": "the key is disabled"}]}
    monkeypatch.setattr(one._ec2(HOME), "describe_snapshots", lambda **_: answer)
    with pytest.raises(TargetError, match="the key is disabled"):
        snapshot_volume(one, data)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("UnauthorizedOperation", TargetAccessError, "ec2:CreateSnapshot"),
        ("RequestExpired", TargetAccessError, "clock"),
        ("RequestLimitExceeded", TargetUnreachableError, "later"),
    ],
)
def test_a_refusal_says_what_to_do(
    endpoint: str,
    host: Host,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    kind: type[TargetError],
    words: str,
) -> None:
    from botocore.exceptions import ClientError

    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "CreateSnapshot")

    one = store(endpoint, host)
    monkeypatch.setattr(one._ec2(HOME), "create_snapshot", refused)
    with pytest.raises(kind) as caught:
        snapshot_volume(one, data)
    assert code in caught.value.what and words in caught.value.hint


def test_without_a_database_no_snapshot_is_made(endpoint: str, host: Host, data: Path) -> None:
    (data / "data.db").unlink()
    with pytest.raises(SnapshotError):
        snapshot_volume(store(endpoint, host), data)


def test_restoring_says_that_it_has_to_be_attached(endpoint: str, host: Host, data: Path) -> None:
    with pytest.raises(BackupSettingsError, match="attached"):
        store(endpoint, host).folder_of("20261123T191255Z-0f3a9c", data)


# Which volume -----------------------------------------------------------------------------------


def test_a_xen_disk_is_known_by_its_name(host: Host, data: Path) -> None:
    host.disk("xvdf", model="")
    host.mount(data, "/dev/xvdf")
    assert host.volume_of(data, {"/dev/sda1": "vol-1", "/dev/sdf": host.volume}) == host.volume


def test_data_on_an_instance_store_is_refused(host: Host, data: Path) -> None:
    host.disk("nvme2n1", serial="AWS123", model="Amazon EC2 NVMe Instance Storage")
    host.mount(data, "/dev/nvme2n1")
    with pytest.raises(VolumeLayoutError, match="instance store"):
        host.volume_of(data, {"/dev/sdf": host.volume})


def test_a_disk_of_another_machine_is_refused(host: Host, data: Path) -> None:
    host.disk("nvme3n1", serial="vol0123456789")
    host.mount(data, "/dev/nvme3n1")
    with pytest.raises(VolumeLayoutError, match="no EBS volume of this instance"):
        host.volume_of(data, {"/dev/sdf": host.volume})


@pytest.mark.parametrize("kind", ["lvm", "btrfs"])
def test_data_that_spans_volumes_is_refused(host: Host, data: Path, kind: str) -> None:
    one = host.disk("nvme4n1", serial="vol0a")
    two = host.disk("nvme5n1", serial="vol0b")
    attached = {"/dev/sdg": "vol-0a", "/dev/sdh": "vol-0b"}
    if kind == "lvm":
        host.mapped("dm-0", one, two)
        host.mount(data, "/dev/dm-0")
    else:
        members = host.sys / "fs" / "btrfs" / "0123-uuid" / "devices"
        members.mkdir(parents=True)
        for disk in (one, two):
            (members / disk.name).symlink_to(disk)
        host.mount(data, "/dev/nvme4n1", "btrfs")
    with pytest.raises(VolumeLayoutError, match="spans 2 volumes: vol-0a, vol-0b"):
        host.volume_of(data, attached)


def test_lvm_on_one_volume_is_followed_to_it(host: Host, data: Path) -> None:
    disk = host.disk("nvme6n1", serial="vol0c")
    host.mapped("dm-1", host.part_of(disk, "nvme6n1p2"))
    host.mount(data, "/dev/dm-1")
    assert host.volume_of(data, {"/dev/sdg": "vol-0c"}) == "vol-0c"


def test_data_in_memory_is_on_no_disk(host: Host, data: Path) -> None:
    host.mount(data, "tmpfs", "tmpfs")
    with pytest.raises(VolumeLayoutError, match="tmpfs, not on a disk"):
        host.volume_of(data, {})


def test_a_link_to_another_file_system_is_refused(host: Host, data: Path) -> None:
    (data / "storage" / "elsewhere").symlink_to("/dev/shm")
    with pytest.raises(VolumeLayoutError, match="a link in it leads to another one"):
        host.volume_of(data, {"/dev/sdf": host.volume})


# Who this host is -------------------------------------------------------------------------------


class Metadata(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self._answer(b"token-1" if self.path == "/latest/api/token" else None)

    def do_GET(self) -> None:
        known = self.headers.get("X-aws-ec2-metadata-token") == "token-1"
        told = json.dumps({"instanceId": "i-0abc", "region": HOME}).encode()
        self._answer(told if known and self.path.endswith("identity/document") else None)

    def _answer(self, content: bytes | None) -> None:
        self.send_response(401 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


def test_the_metadata_service_is_asked_with_a_token() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    assert instance_identity(address) == InstanceIdentity("i-0abc", HOME)
    server.shutdown()
    server.server_close()
    with pytest.raises(TargetUnreachableError, match="instance metadata"):
        instance_identity(address)


def test_what_was_found_is_a_tag_on_the_snapshot_and_on_its_copy(
    endpoint: str, host: Host, data: Path
) -> None:
    one = store(endpoint, host, "signed.example.com", copy_to_region="eu-west-1")
    made = snapshot_volume(one, data)
    assert volume_summaries(one)[0].verified is None
    found = Verified(False, datetime(2026, 11, 24, 3, 15, tzinfo=UTC), "verify-1")
    one.sign_off(made.id, found)
    assert volume_summaries(one)[0].verified == found
    one.sign_off(made.id, replace(found, good=True))  # the last word counts
    assert volume_summaries(one)[0].verified == replace(found, good=True)
    for _ in range(2):
        snapshot_volume(one, data)
    prune_volume(one, RetentionSettings(keep_last=1, daily=0, weekly=0, monthly=0))
    assert made.id in [summary.id for summary in volume_summaries(one)]

"""The doctor says what is missing, and writes nothing but its probe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from backup_kit import ACCESS_KEY, CANARY, Instance, S3Server, objects
from moto.server import ThreadedMotoServer
from pocketbase_kit import EMAIL, PASSWORD

from tinykit_ops.backup.errors import TargetAccessError
from tinykit_ops.backup.targets.directory import DirectoryStore


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A server that knows versions, locks, lifecycles and policies."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def bucket(instance: Instance, endpoint: str, name: str, **how: Any) -> Any:
    """A bucket in moto as the instance's only target. Returns a client."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="x",
    )
    client.create_bucket(Bucket=name, **how)
    for kind in ("access-key-id", "secret-access-key"):
        instance.secret(f"backup-offsite-{kind}", f"AK{CANARY}")
    instance.targets.append(
        {
            "kind": "s3",
            "name": "offsite",
            "bucket": name,
            "prefix": "apps",
            "endpoint": endpoint,
            "access_key_id": {"file": "/x"},
            "secret_access_key": {"file": "/x"},
            "encryption": "none",
        }
    )
    instance.write_config()
    return client


@pytest.fixture
def doctor(instance: Instance, capsys: pytest.CaptureFixture[str]) -> Any:
    """Asks the doctor. Returns the exit code, and the signs by patient and subject."""

    def ask(*words: str) -> tuple[int, dict[str, dict[str, dict[str, str]]]]:
        code = instance.run("doctor", "--format", "json", *words)
        text = capsys.readouterr().out
        assert CANARY not in text
        return code, {
            name: {sign["about"]: sign for sign in signs}
            for name, signs in json.loads(text).items()
        }

    return ask


def test_a_sound_folder_is_fine_and_keeps_no_probe(instance: Instance, doctor: Any) -> None:
    folder = instance.add_directory()
    _, seen = doctor()
    disk = seen["disk"]
    assert {disk[about]["mark"] for about in ("put", "get", "list", "delete", "clock")} == {"ok"}
    assert disk["disk"]["mark"] == "note"  # the same disk as the data, in a test
    assert objects(folder) == {}


def test_a_folder_that_is_not_there_is_bad(instance: Instance, doctor: Any) -> None:
    instance.add_directory().rmdir()
    code, seen = doctor()
    assert code == 1
    assert seen["disk"]["reach"]["mark"] == "BAD" and "mounted" in seen["disk"]["reach"]["hint"]


def test_without_the_right_to_delete_the_probe_stays_and_that_is_said(
    instance: Instance, doctor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = instance.add_directory()

    def refuse(self: object, key: str) -> None:
        raise TargetAccessError("could not delete (AccessDenied)")

    monkeypatch.setattr(DirectoryStore, "delete", refuse)
    for _ in range(2):
        _, seen = doctor()
        assert seen["disk"]["delete"]["mark"] == "note"
        assert "doctor/probe stays" in seen["disk"]["delete"]["said"]
        assert list(objects(folder)) == ["doctor/probe"]


def test_a_wrong_key_and_a_missing_bucket_are_told_with_what_to_do(
    instance: Instance, s3: S3Server, doctor: Any
) -> None:
    instance.add_s3(s3)
    instance.secret("backup-offsite-secret-access-key", f"{CANARY}-wrong")
    code, seen = doctor()
    assert code == 1 and "access key" in seen["offsite"]["reach"]["hint"]


def test_a_service_that_knows_no_policies_is_unknown_there_and_fine_elsewhere(
    instance: Instance, s3: S3Server, doctor: Any
) -> None:
    instance.add_s3(s3)
    _, seen = doctor()
    assert seen["offsite"]["put"]["mark"] == seen["offsite"]["delete"]["mark"] == "ok"
    assert seen["offsite"]["public"]["mark"] == seen["offsite"]["lifecycle"]["mark"] == "unknown"
    assert "BAD" not in {sign["mark"] for sign in seen["offsite"].values()}


def test_lifecycle_rules_that_harm_are_bad(instance: Instance, moto: str, doctor: Any) -> None:
    client = bucket(instance, moto, "lifecycle")
    rules: list[dict[str, Any]] = [
        {
            "ID": "old ones go",
            "Status": "Enabled",
            "Filter": {"Prefix": "apps/"},
            "Expiration": {"Days": 30},
        },
        {
            "ID": "of others",
            "Status": "Enabled",
            "Filter": {"Prefix": "other/"},
            "Expiration": {"Days": 1},
        },
    ]
    client.put_bucket_lifecycle_configuration(
        Bucket="lifecycle", LifecycleConfiguration={"Rules": rules}
    )
    code, seen = doctor()
    assert code == 1
    assert "'old ones go' removes objects" in seen["offsite"]["lifecycle"]["said"]
    rules[0]["Expiration"] = {}
    del rules[0]["Expiration"]
    rules[0]["Transitions"] = [{"Days": 30, "StorageClass": "GLACIER"}]
    client.put_bucket_lifecycle_configuration(
        Bucket="lifecycle", LifecycleConfiguration={"Rules": rules}
    )
    assert "GLACIER" in doctor()[1]["offsite"]["lifecycle"]["said"]
    client.put_bucket_lifecycle_configuration(
        Bucket="lifecycle", LifecycleConfiguration={"Rules": rules[1:]}
    )
    assert doctor()[1]["offsite"]["lifecycle"]["mark"] == "ok"


def test_versions_and_locks_are_explained(instance: Instance, moto: str, doctor: Any) -> None:
    bucket(instance, moto, "plain")
    seen = doctor()[1]["offsite"]
    assert "no old versions" in seen["versions"]["said"]
    assert "nothing is locked" in seen["object lock"]["said"]
    instance.targets[0].update(lock_mode="governance", lock_days=30)
    instance.write_config()
    code, found = doctor()
    assert code == 1 and found["offsite"]["object lock"]["mark"] == "BAD"
    instance.targets.clear()
    bucket(instance, moto, "locked", ObjectLockEnabledForBucket=True)
    instance.targets[0].update(lock_mode="governance", lock_days=30)
    instance.write_config()
    seen = doctor()[1]["offsite"]
    assert "locked for 30 days" in seen["object lock"]["said"]
    assert seen["versions"]["mark"] == "ok"
    assert "costs on" in seen["lifecycle"]["said"]


def test_a_bucket_that_everybody_may_read_is_bad(
    instance: Instance, moto: str, doctor: Any
) -> None:
    client = bucket(instance, moto, "public")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::public/*",
            }
        ],
    }
    client.put_bucket_policy(Bucket="public", Policy=json.dumps(policy))
    sign = doctor()[1]["offsite"]["public"]
    assert sign["mark"] == "BAD", sign


def test_a_schedule_of_pocketbase_at_the_same_time_is_told_with_the_reason(
    instance: Instance, doctor: Any
) -> None:
    instance.secret("superuser-password", PASSWORD)
    instance.add_directory()
    config = json.loads((instance.etc / "config.json").read_text())
    config["superuser_email"] = EMAIL
    config["backup"]["schedule"] = "17 3 * * *"
    (instance.etc / "config.json").write_text(json.dumps(config))
    assert "no backups of its own" in doctor()[1]["host"]["PocketBase"]["said"]
    instance.server.pb.update_settings({"backups": {"cron": "*/10 * * * *"}})
    sign = doctor()[1]["host"]["PocketBase"]
    assert sign["mark"] == "BAD" and "holds off every write" in sign["said"]


def test_a_missing_secret_of_a_hook_is_told(instance: Instance, doctor: Any) -> None:
    instance.add_directory()
    config = json.loads((instance.etc / "config.json").read_text())
    config["backup"]["notify"] = {"ping_url": {"file": "/x"}}
    (instance.etc / "config.json").write_text(json.dumps(config))
    sign = doctor()[1]["host"]["secrets"]
    assert sign["mark"] == "BAD" and "backup-notify-ping-url" in sign["said"]


def test_text_shows_hints_below_their_signs(
    instance: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    instance.add_directory().rmdir()
    instance.run("doctor", "--target", "disk")
    lines = capsys.readouterr().out.splitlines()
    (bad,) = [number for number, line in enumerate(lines) if line.startswith("  BAD     reach")]
    assert "→ is the disk mounted?" in lines[bad + 1]

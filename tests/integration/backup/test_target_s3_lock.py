"""Object lock, versions, checksums and storage options, against moto, which knows them."""

from __future__ import annotations

import base64
import hashlib
import io
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto_kit import KEYS, client, moto

from tinykit_ops.backup.errors import LockedError, TargetAccessError
from tinykit_ops.backup.holding import reach
from tinykit_ops.backup.targets import s3_multipart
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.settings.backup_targets import S3Target

BIG = random.Random(1).randbytes((8 << 20) + (6 << 20))
INDEX = "snapshots/20261123T191255Z-0f3a9c/index.json"
UPLOAD = "uploads/ab/abcdef.zst"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto() as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> str:
    name = f"bucket-{abs(hash(request.node.name)):x}"
    client("s3", endpoint).create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def store(endpoint: str, bucket: str, **settings: Any) -> S3Store:
    told = {
        "kind": "s3",
        "name": "offsite",
        "bucket": bucket,
        "prefix": "apps",
        "endpoint": endpoint,
        "access_key_id": {"env": "ID"},
        "secret_access_key": {"env": "KEY"},
        "encryption": "none",
        **settings,
    }
    return S3Store(S3Target.model_validate(told), access_key_id=KEYS[0], secret_access_key=KEYS[1])


def head(endpoint: str, bucket: str, key: str) -> dict[str, Any]:
    answer: dict[str, Any] = client("s3", endpoint).head_object(
        Bucket=bucket, Key=f"apps/{key}", ChecksumMode="ENABLED"
    )
    return answer


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_what_is_sent_is_locked_and_its_deletion_refused(
    endpoint: str, bucket: str, mode: str
) -> None:
    locking = store(endpoint, bucket, lock_mode=mode, lock_days=30)
    locking.put(UPLOAD, io.BytesIO(b"content"))
    locking.put(INDEX, io.BytesIO(b"content"))
    told = head(endpoint, bucket, INDEX)
    assert told["ObjectLockMode"] == mode.upper()
    days = told["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=29) < days <= timedelta(days=30)
    # Uploads are shared by later snapshots, so they are locked for longer than one.
    assert head(endpoint, bucket, UPLOAD)["ObjectLockRetainUntilDate"] - datetime.now(UTC) > days
    for key in (INDEX, UPLOAD):
        with pytest.raises(LockedError, match="locked until 20"):
            locking.delete(key)
    assert [found.key for found in locking.list()] == [INDEX, UPLOAD]


def test_a_lock_can_be_extended_and_is_never_made_shorter(endpoint: str, bucket: str) -> None:
    locking = store(endpoint, bucket, lock_mode="compliance", lock_days=1)
    locking.put(UPLOAD, io.BytesIO(b"content"))
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
    locking.extend_lock(UPLOAD, later)
    assert head(endpoint, bucket, UPLOAD)["ObjectLockRetainUntilDate"] == later
    assert store(endpoint, bucket).lock is None


def test_a_refusal_is_none_when_the_object_is_locked_for_longer(
    endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    locking = store(endpoint, bucket, lock_mode="compliance", lock_days=30)
    locking.put(UPLOAD, io.BytesIO(b"content"))

    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObjectRetention")

    monkeypatch.setattr(locking._client, "put_object_retention", refused)
    locking.extend_lock(UPLOAD, datetime.now(UTC) + timedelta(days=5))
    with pytest.raises(TargetAccessError, match="extend the lock"):
        locking.extend_lock(UPLOAD, datetime.now(UTC) + timedelta(days=300))


def test_an_object_of_parts_asks_for_the_lock_when_it_begins(endpoint: str, bucket: str) -> None:
    """moto does not keep the lock of such an object, so what is asked for is looked at."""
    locking = store(endpoint, bucket, lock_mode="compliance", lock_days=30)
    asked: list[dict[str, Any]] = []
    locking._client.meta.events.register(
        "before-call.s3.CreateMultipartUpload",
        lambda params, **_: asked.append(dict(params["headers"])),
    )
    before = datetime.now(UTC)
    locking.put(UPLOAD, io.BytesIO(BIG))
    assert asked[0]["x-amz-object-lock-mode"] == "COMPLIANCE"
    until = asked[0]["x-amz-object-lock-retain-until-date"]
    days = [f"{time + reach(timedelta(days=30)):%Y-%m-%d}" for time in (before, datetime.now(UTC))]
    assert until[:10] in days  # two of them at midnight


def test_what_is_written_again_and_again_is_not_locked(endpoint: str, bucket: str) -> None:
    locking = store(endpoint, bucket, lock_mode="compliance", lock_days=30)
    locking.check_writable()
    locking.check_writable()
    assert "ObjectLockMode" not in head(endpoint, bucket, "write-test")
    locking.delete("write-test")
    left = client("s3", endpoint).list_object_versions(Bucket=bucket)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_after_the_lock_an_object_goes_in_all_its_versions(endpoint: str, bucket: str) -> None:
    plain = store(endpoint, bucket)
    plain.put(INDEX, io.BytesIO(b"one"))
    plain.put(INDEX, io.BytesIO(b"two"))
    plain.delete(INDEX)  # without a lock in the settings: hidden, and it can be brought back
    assert not list(plain.list())
    assert len(client("s3", endpoint).list_object_versions(Bucket=bucket)["Versions"]) == 2
    store(endpoint, bucket, lock_mode="governance", lock_days=1).delete(INDEX)
    left = client("s3", endpoint).list_object_versions(Bucket=bucket)
    assert not left.get("Versions") and not left.get("DeleteMarkers")


def test_a_bucket_without_object_lock_is_named(endpoint: str) -> None:
    client("s3", endpoint).create_bucket(Bucket="no-lock")
    with pytest.raises(Exception, match=r"could not store") as caught:
        store(endpoint, "no-lock", lock_mode="governance", lock_days=1).put(INDEX, io.BytesIO(b"x"))
    assert "object lock" in str(caught.value)


@pytest.mark.parametrize("content", [b"index", BIG], ids=["whole", "parts"])
def test_encryption_and_storage_class_reach_the_object(
    endpoint: str, bucket: str, content: bytes
) -> None:
    told = {"sse": "aws:kms", "sse_kms_key_id": "alias/one", "storage_class": "STANDARD_IA"}
    store(endpoint, bucket, **told).put(UPLOAD, io.BytesIO(content))
    found = head(endpoint, bucket, UPLOAD)
    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"] == "alias/one"
    assert found["StorageClass"] == "STANDARD_IA"


def test_the_service_knows_the_sha256_of_every_object(endpoint: str, bucket: str) -> None:
    one = store(endpoint, bucket)
    one.put(INDEX, io.BytesIO(b"index"))
    expected = base64.b64encode(hashlib.sha256(b"index").digest()).decode()
    assert head(endpoint, bucket, INDEX)["ChecksumSHA256"] == expected


def test_a_killed_upload_goes_on(endpoint: str, bucket: str) -> None:
    class Killed(BaseException):
        pass

    class Stops(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 8 << 20:
                raise Killed
            return super().read(size)

    one = store(endpoint, bucket)
    begun = client("s3", endpoint).create_multipart_upload(
        Bucket=bucket, Key=f"apps/{UPLOAD}", ChecksumAlgorithm="SHA256"
    )
    multipart = s3_multipart.Multipart(one._service, f"apps/{UPLOAD}", {}, resume=True)
    found = multipart._continue()
    assert found is not None and found.id == begun["UploadId"]
    with pytest.raises(Killed):
        multipart.send(s3_multipart.parts_of(Stops(BIG)))
    one.put(UPLOAD, io.BytesIO(BIG))
    with one.get(UPLOAD) as stream:
        assert stream.read() == BIG
    assert not client("s3", endpoint).list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_a_refused_deletion_is_no_lock(
    endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    one = store(endpoint, bucket, lock_mode="governance", lock_days=1)

    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteObject")

    store(endpoint, bucket).put(INDEX, io.BytesIO(b"x"))
    monkeypatch.setattr(one._client, "delete_object", refused)
    with pytest.raises(TargetAccessError) as caught:
        one.delete(INDEX)
    assert not isinstance(caught.value, LockedError)

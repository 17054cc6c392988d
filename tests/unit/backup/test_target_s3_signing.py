"""What the requests of the S3 target say of their bodies; nothing is sent."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.settings.backup_targets import S3Target

CONTENT = b"content of an object" * 1000
_ANSWERS = {
    "POST": b"<R><Bucket>bucket</Bucket><Key>key</Key><UploadId>upload-1</UploadId></R>",
    "PUT": b"",
    "GET": b"<R></R>",
}


class Sent:
    """The headers of requests that would be sent, by method."""

    def __init__(self, endpoint: str | None) -> None:
        told = {
            "kind": "s3",
            "name": "offsite",
            "bucket": "bucket",
            "endpoint": endpoint,
            "region": "eu-central-1",
            "access_key_id": {"env": "ID"},
            "secret_access_key": {"env": "KEY"},
            "encryption": "none",
        }
        settings = S3Target.model_validate(told)
        self.store = S3Store(settings, access_key_id="id", secret_access_key="secret")
        self.store._client.meta.events.register("before-send.s3", self._note)
        self.headers: list[tuple[str, dict[str, str]]] = []

    def _note(self, request: Any, **_: Any) -> AWSResponse:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        self.headers.append((request.method, headers))
        answer = AWSResponse(request.url, 200, {"ETag": '"unknown"'}, None)
        answer._content = _ANSWERS[request.method]
        return answer

    def of(self, method: str) -> list[dict[str, str]]:
        return [headers for found, headers in self.headers if found == method]


@pytest.fixture(
    params=["http://minio.example.com:9000", "https://s3.example.com", None],
    ids=["http", "https", "amazon"],
)
def sent(request: pytest.FixtureRequest) -> Sent:
    return Sent(request.param)


def test_the_hash_of_every_body_is_in_its_signature(sent: Sent) -> None:
    sent.store.put("snapshots/a", io.BytesIO(CONTENT))
    sent.store.put("snapshots/b", Whole(CONTENT))
    expected = hashlib.sha256(CONTENT).hexdigest()
    assert [headers["x-amz-content-sha256"] for headers in sent.of("PUT")] == [expected] * 2
    for headers in sent.of("PUT"):
        signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        assert {"x-amz-content-sha256", "x-amz-checksum-sha256"} <= set(signed.split(";"))


def test_so_is_the_hash_of_every_part(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinykit_ops.backup.targets.s3_multipart.PART_BYTES", 9000)
    sent.store.put("snapshots/a", io.BytesIO(CONTENT))
    parts = [CONTENT[at : at + 9000] for at in range(0, len(CONTENT), 9000)]
    assert len(parts) > 2
    assert [headers["x-amz-content-sha256"] for headers in sent.of("PUT")] == [
        hashlib.sha256(part).hexdigest() for part in parts
    ]


def test_other_requests_are_signed_as_botocore_does(sent: Sent) -> None:
    assert list(sent.store.list()) == []
    (headers,) = sent.of("GET")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=id/")

"""What a user is told when an S3 service misbehaves; a tiny server plays each fault."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tinykit_ops.backup.errors import (
    NotStoredError,
    SealError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)
from tinykit_ops.backup.targets import s3_client
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.settings.backup_targets import S3Target

SECRET = "canary-secret-key"


class Service(ThreadingHTTPServer):
    """Answers every request with one status and S3 error code."""

    daemon_threads = True
    status = 200
    code = ""
    half = False
    times = 0  #: how often it fails before it works
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        service = self.server
        service.asked.append(self.command)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if service.half:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self.close_connection = True
            return
        failing = service.times != 0
        if failing:
            service.times -= 1
        body = f"<Error><Code>{service.code}</Code></Error>".encode() if failing else b""
        if not failing and self.command == "POST" and "uploads" in self.path:
            body = b"<R><Bucket>bucket</Bucket><Key>key</Key><UploadId>upload-1</UploadId></R>"
        self.send_response(service.status if failing else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"etag"')
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service(("127.0.0.1", 0), Handler)
    one.asked = []
    one.times = -1
    thread = threading.Thread(target=one.serve_forever)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


@pytest.fixture
def store(service: Service, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 2)
    settings = S3Target.model_validate(
        {
            "kind": "s3",
            "name": "offsite",
            "bucket": "bucket",
            "endpoint": f"http://127.0.0.1:{service.server_address[1]}",
            "access_key_id": {"env": "ID"},
            "secret_access_key": {"env": "KEY"},
            "encryption": "none",
        }
    )
    return S3Store(settings, access_key_id="AKIA", secret_access_key=SECRET)


def every_call(store: S3Store) -> list[TargetError]:
    errors = []
    for call in (
        lambda: store.put("a/key", io.BytesIO(b"content")),
        lambda: list(store.list("a/")),
        lambda: store.get("a/key").__enter__(),
        lambda: store.delete("a/key"),
    ):
        with pytest.raises(TargetError) as caught:
            call()
        errors.append(caught.value)
    return errors


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (403, "AccessDenied", TargetAccessError, "credentials"),
        (403, "SignatureDoesNotMatch", TargetAccessError, "access key"),
        (403, "RequestTimeTooSkewed", TargetAccessError, "clock"),
        (404, "NoSuchBucket", TargetAccessError, "bucket"),
        (404, "NoSuchKey", NotStoredError, "deleted"),
        (503, "SlowDown", TargetUnreachableError, "later"),
        (500, "InternalError", TargetUnreachableError, "later"),
        (418, "Teapot", TargetError, "status"),
    ],
)
def test_every_fault_of_the_service_says_what_to_do(
    service: Service, store: S3Store, status: int, code: str, kind: type[TargetError], hint: str
) -> None:
    service.status, service.code = status, code
    for error in every_call(store):
        assert type(error) is kind
        assert code in error.what and hint in error.hint
        assert "bucket" in error.where and SECRET not in str(error)


def test_a_short_fault_is_waited_out(service: Service, store: S3Store) -> None:
    service.status, service.code, service.times = 503, "SlowDown", 1
    store.put("key", io.BytesIO(b"content"))
    assert service.asked == ["PUT", "PUT"]


def test_a_connection_cut_in_the_middle_of_a_download_is_no_end(
    service: Service, store: S3Store
) -> None:
    service.half = True
    with pytest.raises(TargetUnreachableError), store.get("key") as stream:
        while stream.read(10):
            pass


def test_nobody_there_is_unreachable(service: Service, store: S3Store) -> None:
    service.shutdown()
    service.server_close()
    for error in every_call(store):
        assert isinstance(error, TargetUnreachableError)
        assert error.exit_code == 69


class BrokenSource:
    def __init__(self) -> None:
        self.reads = 0

    def read(self, size: int = -1, /) -> bytes:
        self.reads += 1
        if self.reads > 5:
            raise SealError("the disk failed")
        return b"x" * (4 << 20)


def test_a_source_that_fails_stays_its_own_error_and_the_upload_is_aborted(
    service: Service, store: S3Store
) -> None:
    service.times = 0
    with pytest.raises(SealError, match="disk failed"):
        store.put("key", BrokenSource())
    assert service.asked[0] == "POST" and service.asked[-1] == "DELETE"


def test_services_that_cannot_list_multipart_uploads_are_fine(
    service: Service, store: S3Store
) -> None:
    service.status, service.code = 501, "NotImplemented"
    store.tidy()

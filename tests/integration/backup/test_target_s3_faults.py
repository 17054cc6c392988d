"""The S3 target on a bad day: a faulty proxy in front of a real server."""

from __future__ import annotations

import hashlib
import io
import random
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from backup_kit import ACCESS_KEY, S3Server
from faulty_proxy import SILENT, Fault, FaultyProxy, Request

from tinykit_ops.backup.errors import (
    NotStoredError,
    TargetAccessError,
    TargetError,
    TargetUnreachableError,
)
from tinykit_ops.backup.streams import Whole
from tinykit_ops.backup.targets import Readable, s3_client, s3_multipart
from tinykit_ops.backup.targets.s3 import S3Store
from tinykit_ops.settings.backup_targets import S3Target

PART = 256 << 10  #: instead of 8 MiB, so that many faults take little time
BIG = random.Random(1).randbytes(3 * PART + 12345)
KEY = "uploads/ab/abcdef.zst"
OWN = "snapshots/20261123T191255Z-0f3a9c/data.db.zst"


@pytest.fixture
def proxy(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[FaultyProxy]:
    monkeypatch.setattr(s3_multipart, "PART_BYTES", PART)
    monkeypatch.setattr(s3_client, "ATTEMPTS", 3)
    case = getattr(request.node, "callspec", None)
    fault = case and case.params.get("fault")
    if fault and fault.kind in SILENT:
        monkeypatch.setattr(s3_client, "READ_SECONDS", 2)
    with FaultyProxy(s3.port) as one:
        yield one


@pytest.fixture
def store(s3: S3Server, proxy: FaultyProxy) -> S3Store:
    return open_store(s3, proxy.endpoint, s3.make_bucket())


def open_store(s3: S3Server, endpoint: str, bucket: str, prefix: str = "apps") -> S3Store:
    settings = S3Target.model_validate(
        {
            "kind": "s3",
            "name": "offsite",
            "bucket": bucket,
            "prefix": prefix,
            "endpoint": endpoint,
            "access_key_id": {"env": "ID"},
            "secret_access_key": {"env": "KEY"},
            "encryption": "none",
        }
    )
    return S3Store(settings, access_key_id=ACCESS_KEY, secret_access_key=s3.secret)


def fetched(store: S3Store, key: str) -> bytes:
    pieces = []
    with store.get(key) as stream:
        while piece := stream.read(1 << 14):
            pieces.append(piece)
    return b"".join(pieces)


def keys(store: S3Store) -> list[str]:
    return [found.key for found in store.list()]


class Killed(BaseException):
    """As a signal is: nothing handles it."""


class KilledAt:
    """A stream whose process is killed when so many bytes were read."""

    def __init__(self, content: bytes, at: int) -> None:
        self._stream = io.BytesIO(content)
        self._at = at

    def read(self, size: int = -1, /) -> bytes:
        if self._stream.tell() >= self._at:
            raise Killed
        return self._stream.read(size)


def part(request: Request) -> bool:
    return request.method == "PUT" and "partNumber=" in request.path


# Whole and right --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, len(BIG)])
def test_an_object_of_any_size_comes_back_as_it_went(store: S3Store, size: int) -> None:
    store.put(KEY, io.BytesIO(BIG[:size]))
    assert fetched(store, KEY) == BIG[:size]
    assert [(found.key, found.size) for found in store.list()] == [(KEY, size)]


def test_a_stream_that_gives_little_at_a_time_is_whole(store: S3Store) -> None:
    class Drops(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 7_001))

    store.put(KEY, Drops(BIG))
    assert hashlib.sha256(fetched(store, KEY)).digest() == hashlib.sha256(BIG).digest()


def test_memory_stays_bounded_while_a_big_object_is_sent(
    store: S3Store, proxy: FaultyProxy
) -> None:
    class Endless:
        left = 60 * PART

        def read(self, size: int = -1, /) -> bytes:
            piece = bytes(min(size, 100_000, self.left))
            self.left -= len(piece)
            return piece

    proxy.fault_for = lambda _: None  # type: ignore[method-assign]  # it would keep every body
    proxy.done = type("Nothing", (), {"append": lambda *_: None})()  # type: ignore[assignment]
    tracemalloc.start()
    store.put(KEY, Endless())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The proxy in this process holds a body or two itself.
    assert peak < 12 * PART


# Continued --------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_killed_upload_goes_on_and_sends_no_part_again(
    store: S3Store, proxy: FaultyProxy, parts: int
) -> None:
    with pytest.raises(Killed):
        store.put(KEY, KilledAt(BIG, parts * PART + 1))
    assert keys(store) == []
    before = proxy.parts_sent()
    store.tidy()
    store.put(KEY, io.BytesIO(BIG))
    sent = proxy.parts_sent()
    assert sorted(sent) == ["1", "2", "3", "4"]  # each of them once
    assert sent[: len(before)] == before
    assert fetched(store, KEY) == BIG


def test_other_bytes_under_the_same_key_are_all_sent(store: S3Store, proxy: FaultyProxy) -> None:
    with pytest.raises(Killed):
        store.put(KEY, KilledAt(BIG, 2 * PART + 1))
    other = bytes([BIG[0] ^ 1]) + BIG[1:]
    store.put(KEY, io.BytesIO(other))
    assert fetched(store, KEY) == other
    assert proxy.parts_sent().count("1") == 2


def test_what_nobody_continues_is_aborted(store: S3Store, proxy: FaultyProxy) -> None:
    for key in (KEY, OWN):
        with pytest.raises(Killed):
            store.put(key, KilledAt(BIG, 2 * PART + 1))
    store.tidy()
    left = store._client.list_multipart_uploads(Bucket=store._service.bucket).get("Uploads", [])
    assert [one["Key"] for one in left] == [f"apps/{KEY}"]


@pytest.mark.parametrize("prefix", ["", "apps"])
def test_what_other_people_are_sending_to_the_bucket_is_left_alone(
    s3: S3Server, proxy: FaultyProxy, prefix: str
) -> None:
    store = open_store(s3, proxy.endpoint, s3.make_bucket(), prefix)
    others = [
        f"apps/holiday-{OWN.replace('/', '-')}",
        f"apps/other/{OWN}",
        f"apps-2/{OWN}",
        "videos/holiday.mp4",
    ]
    for key in others:
        store._client.create_multipart_upload(Bucket=store._service.bucket, Key=key)
    with pytest.raises(Killed):
        store.put(OWN, KilledAt(BIG, 2 * PART + 1))
    store.tidy()
    left = store._client.list_multipart_uploads(Bucket=store._service.bucket).get("Uploads", [])
    assert sorted(one["Key"] for one in left) == sorted(others)


def test_an_upload_that_lies_for_days_is_aborted(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Killed):
        store.put(KEY, KilledAt(BIG, 2 * PART + 1))
    monkeypatch.setattr(s3_multipart, "STALE", -s3_multipart.STALE)
    store.tidy()
    assert not store._client.list_multipart_uploads(Bucket=store._service.bucket).get("Uploads")


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (501, "NotImplemented")])
def test_credentials_that_may_not_look_for_parts_still_back_up(
    store: S3Store, proxy: FaultyProxy, status: int, code: str
) -> None:
    proxy.faults = [
        Fault(
            "status",
            lambda r: r.method == "GET" and ("?uploads" in r.path or "uploadId" in r.path),
            status=status,
            code=code,
        ),
        Fault("status", lambda r: r.method == "DELETE", status=403, code="AccessDenied"),
    ]
    store.tidy()
    store.put(KEY, io.BytesIO(BIG))
    assert fetched(store, KEY) == BIG
    with pytest.raises(TargetAccessError, match="AccessDenied"):
        store.delete(KEY)


# Short faults are waited out --------------------------------------------------------------------

SHORT = [
    Fault("status", status=500, code="InternalError"),
    Fault("status", status=503, code="SlowDown"),
    Fault("status", status=429, code="TooManyRequests", headers={"Retry-After": "1"}),
    Fault("drop"),
    Fault("lost"),
    Fault("half"),
    Fault("silent"),
    Fault("closing"),
    Fault("slow"),
]
STEPS = {
    "a small object": lambda r: r.method == "PUT" and "partNumber" not in r.path,
    "the first part": lambda r: part(r) and "partNumber=1&" in r.path + "&",
    "the last part": lambda r: part(r) and "partNumber=4" in r.path,
    "the begin": lambda r: r.method == "POST" and r.path.endswith("?uploads"),
    "the end": lambda r: r.method == "POST" and "uploadId=" in r.path,
    "a download": lambda r: r.method == "GET" and "abcdef" in r.path,
    "a list": lambda r: r.method == "GET" and "list-type" in r.path,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", SHORT, ids=lambda one: f"{one.kind}{one.status}")
def test_a_short_fault_changes_nothing(
    s3: S3Server, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch, fault: Fault, step: str
) -> None:
    monkeypatch.setattr(s3_client, "ATTEMPTS", 5)  # a busy machine may be silent once or twice, too
    store = open_store(s3, proxy.endpoint, s3.make_bucket())
    proxy.faults = [
        Fault(fault.kind, STEPS[step], 1, fault.status, fault.code, dict(fault.headers))
    ]
    content = BIG[:1000] if step == "a small object" else BIG
    store.put(KEY, io.BytesIO(content))
    assert keys(store) == [KEY]
    assert fetched(store, KEY) == content
    assert proxy.faults[0].times == 0


# Long ones are told -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("status", status=403, code="AccessDenied"), TargetAccessError, "put, get and list"),
        (Fault("status", status=404, code="NoSuchBucket"), TargetAccessError, "bucket first"),
        (Fault("status", status=429, code="Throttled"), TargetUnreachableError, "limits us"),
        (Fault("status", status=500), TargetUnreachableError, "later"),
        (Fault("status", status=503, code="SlowDown"), TargetUnreachableError, "later"),
        (Fault("drop"), TargetUnreachableError, "network"),
        (Fault("silent"), TargetUnreachableError, "network"),
        (Fault("closing"), TargetUnreachableError, "network"),
    ],
    ids=lambda one: f"{one.kind}{one.status}" if isinstance(one, Fault) else "",
)
def test_a_long_fault_ends_soon_and_says_what_to_do(
    store: S3Store, proxy: FaultyProxy, fault: Fault, kind: type[TargetError], words: str
) -> None:
    proxy.faults = [fault]
    with pytest.raises(kind) as caught:
        store.put(OWN, io.BytesIO(b"content"))
    assert type(caught.value) is kind
    assert words in caught.value.hint
    assert len(proxy.seen) <= 10
    proxy.faults = []
    assert keys(store) == []
    store.put(OWN, io.BytesIO(b"content"))


@pytest.mark.parametrize("days", [2, -2])
def test_a_wrong_clock_is_named_with_its_size(
    store: S3Store, proxy: FaultyProxy, days: int
) -> None:
    ahead = {"X-Ahead": str(days * 86400)}
    proxy.faults = [Fault("status", status=403, code="RequestTimeTooSkewed", headers=ahead)]
    with pytest.raises(TargetAccessError) as caught:
        store.put(OWN, io.BytesIO(b"content"))
    told = "48.0 hours behind" if days > 0 else "48.0 hours ahead"
    assert told in caught.value.hint and "timedatectl" in caught.value.hint


def test_parts_that_fail_for_good_leave_no_object(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.faults = [Fault("status", lambda r: part(r) and "partNumber=3" in r.path, status=503)]
    for key in (KEY, OWN):
        with pytest.raises(TargetUnreachableError):
            store.put(key, io.BytesIO(BIG))
    proxy.faults = []
    assert keys(store) == []
    left = store._client.list_multipart_uploads(Bucket=store._service.bucket)["Uploads"]
    assert [one["Key"] for one in left] == [f"apps/{KEY}"]  # that one can be continued
    store.put(KEY, io.BytesIO(BIG))
    assert sorted(proxy.parts_sent())[-2:] == ["3", "4"]
    assert fetched(store, KEY) == BIG


# Changed on the way -----------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [io.BytesIO, Whole])
def test_a_bit_that_flips_once_on_the_way_is_sent_again(
    store: S3Store, proxy: FaultyProxy, stream: Callable[[bytes], Readable]
) -> None:
    proxy.faults = [Fault("flip", lambda r: r.method == "PUT", 1)]
    store.put(KEY, stream(b"small"))
    assert proxy.faults[0].times == 0
    assert fetched(store, KEY) == b"small"


def test_a_flipped_bit_in_a_part_never_becomes_an_object(
    store: S3Store, proxy: FaultyProxy
) -> None:
    """This server takes no part twice, so the run fails, and the next one begins anew."""
    proxy.faults = [Fault("flip", part, 1)]
    with pytest.raises(TargetError):
        store.put(KEY, io.BytesIO(BIG))
    assert keys(store) == []
    store.put(KEY, io.BytesIO(BIG))
    assert fetched(store, KEY) == BIG


def test_bits_that_always_flip_are_told(store: S3Store, proxy: FaultyProxy) -> None:
    proxy.faults = [Fault("flip", lambda r: r.method == "PUT")]
    with pytest.raises(TargetError, match=r"stored other bytes|Sha256Mismatch|BadDigest"):
        store.put(KEY, io.BytesIO(BIG))
    proxy.faults = []
    assert keys(store) == []


def test_another_object_in_the_middle_of_a_download_is_no_rest(
    store: S3Store, proxy: FaultyProxy
) -> None:
    store.put(KEY, io.BytesIO(BIG))
    proxy.faults = [Fault("half", STEPS["a download"], 1)]
    with store.get(KEY) as stream:
        stream.read(1 << 14)
        store.put(KEY, io.BytesIO(BIG[::-1]))
        with pytest.raises(TargetError):
            while stream.read(1 << 14):
                pass


def test_an_object_that_is_not_there_is_told_so(store: S3Store) -> None:
    with pytest.raises(NotStoredError), store.get(KEY):
        pass
    store.delete(KEY)

"""An S3 service and a network on a bad day: nothing half-made may count, and it is told loudly."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from backup_kit import Instance, S3Server
from campaign_bench import listed, make_key, tell
from fault_cases import Case, must_work, restored
from faulty_proxy import SILENT, Fault, FaultyProxy, Request

from tinykit_ops.backup import archive_uploads
from tinykit_ops.backup.targets import s3_client, s3_multipart

TARGET = "offsite"
PART = 256 << 10  #: instead of 8 MiB, so that many faults take little time
BIG = 700 << 10  #: three parts
ALWAYS = -1

STATUSES = {403: "AccessDenied", 404: "NoSuchBucket", 429: "TooManyRequests"}
STATUSES |= {500: "InternalError", 503: "SlowDown"}
CONNECTIONS = ("drop", "lost", "half", "silent", "closing", "slow", "flip")
#: After these a service is as it was, so one of them must not stop a backup.
PASSING = {"429", "500", "503", "drop", "lost", "half", "silent", "closing", "slow"}

Hits = Callable[[Request], bool]


def _put(part: str) -> Hits:
    return lambda r: r.method == "PUT" and part in r.path and "partNumber=" not in r.path


WRITING: dict[str, Hits] = {
    "an upload": _put("/uploads/"),
    "the database": lambda r: r.method == "PUT" and "data.db" in r.path,
    "the manifest": _put("manifest.json"),
    "the index": _put("index.json"),
    "a part": lambda r: r.method == "PUT" and "partNumber=" in r.path,
    "the begin of many parts": lambda r: r.method == "POST" and "uploads" in r.path.split("?")[1],
    "the end of many parts": lambda r: r.method == "POST" and "uploadId=" in r.path,
    "a listing": lambda r: r.method == "GET" and "list-type" in r.path,
    "anything": lambda r: True,
}
READING: dict[str, Hits] = {
    "a download": lambda r: r.method == "GET" and "list-type" not in r.path,
    "the index": lambda r: r.method == "GET" and "index.json" in r.path,
    "the database": lambda r: r.method == "GET" and "data.db" in r.path,
}


@contextmanager
def little_patience() -> Iterator[None]:
    """Small parts, few tries and short waits, so that many faults take little time."""
    with ExitStack() as stack:
        for module, name, value in (
            (s3_multipart, "PART_BYTES", PART),
            (archive_uploads, "BIG_BYTES", PART),
            (s3_client, "ATTEMPTS", 3),
            (s3_client, "LONGEST_PAUSE", 0.5),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield


class ServiceFaults:
    """Makes cases around one bucket behind a faulty proxy. Use it within `little_patience`."""

    def __init__(
        self, instance: Instance, s3: S3Server, proxy: FaultyProxy, rng: random.Random
    ) -> None:
        self.instance, self.proxy, self.rng = instance, proxy, rng
        key, public = make_key(instance.root, "service.txt")
        instance.targets.clear()
        instance.retention = {"keep_last": 2, "daily": 0, "weekly": 0, "monthly": 0}
        instance.add_s3(s3, name=TARGET, encryption=[public])
        instance.targets[0]["endpoint"] = proxy.endpoint
        instance.write_config()
        self.identity = ("--identity", str(key))
        self._upload()
        assert instance.run("run") == 0
        (self.first,) = listed(instance, TARGET)
        assert instance.run("verify", *self.identity) == 0  # so that it stays
        self.good = restored(instance, self.first, *self.identity)[2]
        self.sound = {self.first}

    def makers(self) -> list[Callable[[], Case]]:
        kinds = [str(status) for status in STATUSES] + list(CONNECTIONS)
        return [
            *(lambda kind=kind: self.backup(kind, times=1) for kind in kinds),  # type: ignore[misc]
            *(lambda kind=kind: self.backup(kind, ALWAYS) for kind in kinds),  # type: ignore[misc]
            *(lambda kind=kind: self.reading(kind) for kind in kinds),  # type: ignore[misc]
        ]

    def _upload(self) -> None:
        """A new one of several parts, so that every kind of request is made."""
        content = self.rng.randbytes(BIG)
        pb = self.instance.server.pb
        pb.create_record("notes", {"title": "big"}, {"papers": ("big.bin", content)})
        small = {"picture": ("small.bin", self.rng.randbytes(2000))}
        pb.create_record("notes", {"title": "small"}, small)

    # Backups -----------------------------------------------------------------------------------

    def backup(self, kind: str, times: int) -> Case:
        where = self.rng.choice(sorted(WRITING))
        name = f"{kind} {'always' if times == ALWAYS else 'once'} at {where} of a backup"

        def try_it() -> list[str]:
            self._upload()
            before = set(listed(self.instance, TARGET))
            fault = _fault(kind, WRITING[where], times)
            answer = self._with(fault, "run")
            wrong = self._judge(answer, before, kind, hit=fault.times != times, once=times == 1)
            return wrong + self._next_works()

        return Case(_counted_as(kind), name, try_it)

    def _judge(
        self, answer: tuple[int, str], before: set[str], kind: str, *, hit: bool, once: bool
    ) -> list[str]:
        code, said = answer
        new = set(listed(self.instance, TARGET)) - before
        wrong = self._all_whole()
        if not hit:
            wrong.append("the fault met nothing")
        if code not in (0, 1) or "Traceback" in said:
            wrong.append(f"ended with {code}: {said!r}")
        if code == 0 and len(new) != 1:
            wrong.append(f"told well, and there are {len(new)} new snapshots")
        if code == 1 and f"FAILED {TARGET}" not in said:
            wrong.append(f"does not say which target failed: {said!r}")
        if code == 1 and new and kind != "lost":  # then the answer alone may have been lost
            wrong.append(f"told as failed, and {new} is there")
        if code == 1 and once and kind in PASSING:
            wrong.append(f"stopped by what passes: {said!r}")
        return wrong

    def _next_works(self) -> list[str]:
        before = set(listed(self.instance, TARGET))
        wrong = must_work(tell(self.instance, "run"))
        if len(set(listed(self.instance, TARGET)) - before) != 1:
            wrong.append("the next run made no snapshot")
        return wrong + self._all_whole()

    def _all_whole(self) -> list[str]:
        wrong = []
        for one in set(listed(self.instance, TARGET)) - self.sound:
            answer = tell(self.instance, "verify", one, "--no-boot", *self.identity)
            wrong += [f"{one} is listed and not whole: {fault}" for fault in must_work(answer)]
            self.sound.add(one)
        return wrong

    # Restores ----------------------------------------------------------------------------------

    def reading(self, kind: str) -> Case:
        where = self.rng.choice(sorted(READING))
        times = self.rng.choice([1, ALWAYS])
        name = f"{kind} {'always' if times == ALWAYS else 'once'} at {where} of a restore"

        def try_it() -> list[str]:
            fault = _fault(kind, READING[where], times)
            with self._meeting(fault):
                code, said, files = restored(self.instance, self.first, *self.identity)
            wrong = [] if fault.times != times else ["the fault met nothing"]
            if code == 0 and files != self.good:
                wrong.append("restored other files than the right ones")
            if code == 0 and times == ALWAYS and kind in ("403", "404", "500", "503", "drop"):
                wrong.append("restored from nothing")
            if code and times == 1 and kind in PASSING:
                wrong.append(f"stopped by what passes: {said!r}")
            if code and (code == 70 or "Traceback" in said or "hint" not in said):
                wrong.append(f"ended with {code}: {said!r}")
            if restored(self.instance, self.first, *self.identity)[2] != self.good:
                wrong.append("the next restore is another one")
            return wrong

        return Case(_counted_as(kind), name, try_it)

    def _with(self, fault: Fault, *words: str) -> tuple[int, str]:
        with self._meeting(fault):
            return tell(self.instance, *words)

    @contextmanager
    def _meeting(self, fault: Fault) -> Iterator[None]:
        seconds = 2 if fault.kind in SILENT else s3_client.READ_SECONDS
        self.proxy.faults = [fault]
        try:
            with patch.object(s3_client, "READ_SECONDS", seconds):
                yield
        finally:
            self.proxy.faults = []


def _fault(kind: str, hits: Hits, times: int) -> Fault:
    if kind.isdecimal():
        return Fault("status", hits, times, status=int(kind), code=STATUSES[int(kind)])
    return Fault(kind, hits, times)


def _counted_as(kind: str) -> str:
    return f"S3 answers {kind}" if kind.isdecimal() else "bad connections"

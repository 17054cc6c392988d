"""A backup to S3 is killed at random points, and the next one has to make it good.

Half of the points are requests (SIGKILL when the S3 server is about to get one, or has just done
it), the others are moments in the length of the run, where the host's own work lies too.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backup_kit import Instance, S3Server
from campaign_bench import CountingProxy, listed, make_key, tell
from kill_points import Point, at_completion, at_request, at_time
from waiting import until

PART_BYTES = 8 << 20  #: of a multipart upload
BIG_BYTES = 20 << 20  #: nothing compresses it: three parts
SMALL_BYTES = 4000
EPOCH = 10  #: so many points share a bucket; then another one, sealed or not in turn
SECONDS = 300
TARGET = "offsite"


@dataclass
class Killed:
    """What became of one point.

    Attributes:
        faults: what is not as it should be, in words.
        looked_complete: snapshots that were listed right after the kill and are not whole.
        resent: bytes of uploads that travelled in the killed run, and again in the next one.
        most: the most that may travel again: one part, and the small objects beside it.
        database: bytes of the database that travelled again; its copy is a new one each time.
    """

    point: str
    faults: list[str] = field(default_factory=list)
    looked_complete: int = 0
    resent: int = 0
    database: int = 0
    hit: bool = True


class KillCampaign:
    """Kills one instance's backups. Use `point` for each, then `finish`."""

    def __init__(self, instance: Instance, s3: S3Server, proxy: CountingProxy, seed: int) -> None:
        self.instance, self.s3, self.proxy = instance, s3, proxy
        self.rng = random.Random(seed)
        self.key, self.public = make_key(instance.root)
        self.points_left = 0  #: of this bucket
        self.bucket: Path
        self.identity: list[str] = []
        self.sound: set[str] = set()
        self.requests, self.seconds, self.startup = 0, 0.0, 0.0
        self._records: list[str] = []
        for _ in range(20):  # a database of 20 MiB, 10 when it is compressed: two parts
            body = self.rng.randbytes(1 << 19).hex()
            instance.server.pb.create_record("notes", {"title": "long", "body": body})

    # One point ---------------------------------------------------------------------------------

    def points(self, count: int) -> Iterator[Killed]:
        """So many backups that were killed; one that had ended before its moment counts not."""
        killed = 0
        for _ in range(5 * count):
            one = self.point()
            killed += one.hit
            yield one
            if killed == count:
                return
        raise AssertionError(f"only {killed} of {5 * count} backups were killed in time")

    def point(self, when: Point | None = None) -> Killed:
        """Kill one backup, look at what it left, and make the next."""
        if self.points_left == 0:
            self.prepare(sealed=not self.identity)
        self.points_left -= 1
        self._new_uploads()
        when = when or self._choose()
        killed = Killed(when.name)
        self.proxy.start_counting()
        killed.hit = self._kill(when)
        before = dict(self.proxy.sent)
        self._look(killed)
        self.proxy.start_counting()
        self._next_run(killed)
        self._count(killed, before, self.proxy.sent)
        return killed

    def _choose(self) -> Point:
        kind, after = self.rng.random(), self.rng.random() < 0.5
        if kind < 0.1:
            return at_completion(self.proxy, after=after)
        if kind < 0.5:
            return at_request(self.proxy, self.rng.randint(1, self.requests), after=after)
        return at_time(self.rng.uniform(self.startup, self.seconds))

    def _kill(self, when: Point) -> bool:
        """Whether the run was still there to be killed."""
        began = time.monotonic()
        ran = self.instance.spawn("run")
        with when.armed(lambda: ran.send_signal(signal.SIGKILL)):
            ran.communicate(timeout=SECONDS)
        hit = ran.returncode == -signal.SIGKILL
        if not hit:  # the run that was measured was a slow one
            self.seconds = min(self.seconds, time.monotonic() - began)
            self.requests = min(self.requests, self.proxy.requests)
        self._settle()
        return hit

    def _settle(self) -> None:
        """Whoever does not know yet that the run is dead ends what it had asked for: between a
        kill and the next run lie hours, not the twinkling of an eye."""
        seen = -1

        def is_over() -> bool:
            nonlocal seen
            before, seen = seen, self.proxy.requests
            copies = (self.instance.server.snapshots / "running").exists()
            return before == seen and not self.proxy.busy and not copies

        until(is_over, "the end of what a killed run had asked for", pause=0.2)

    def _look(self, killed: Killed) -> None:
        """No snapshot may be listed that is not whole."""
        for snapshot in listed(self.instance, TARGET):
            if snapshot in self.sound:
                continue
            code, said = self._verify(snapshot)
            if code:
                killed.looked_complete += 1
                killed.faults.append(f"{snapshot} is listed and is not whole: {said}")
            self.sound.add(snapshot)

    def _next_run(self, killed: Killed) -> None:
        known = set(listed(self.instance, TARGET))
        code, said = tell(self.instance, "run")
        new = sorted(set(listed(self.instance, TARGET)) - known)
        if code or len(new) != 1:
            killed.faults.append(f"the next run ended with {code}, {len(new)} new: {said}")
            return
        code, said = self._verify(new[0])
        if code:
            killed.faults.append(f"the next snapshot is not whole: {said}")
        self.sound.add(new[0])
        places = self.instance.places
        left = [*self.instance.server.snapshots.iterdir(), *places.work.iterdir()]
        left += places.state.glob("sealed-*/*")
        if left:
            killed.faults.append(f"left behind on the host: {left}")

    def _count(self, killed: Killed, before: dict[str, int], after: dict[str, int]) -> None:
        uploads = [name for name in before.keys() & after.keys() if "/uploads/" in name]
        killed.resent = sum(min(before[name], after[name]) for name in uploads)
        killed.database = sum(size for name, size in before.items() if "/data.db." in name)
        most = PART_BYTES + 3 * (SMALL_BYTES + 1000)  # what else the other lanes were sending
        if killed.resent > most:
            killed.faults.append(f"{killed.resent} bytes were sent again: {sorted(uploads)}")

    def _verify(self, snapshot: str, *, boot: bool = False) -> tuple[int, str]:
        words = [] if boot else ["--no-boot"]
        return tell(self.instance, "verify", snapshot, *words, *self.identity)

    # Around ------------------------------------------------------------------------------------

    def prepare(self, *, sealed: bool) -> None:
        """Another bucket, sealed or not; its first run is whole, and tells how long one is."""
        self.points_left = EPOCH
        self.identity = ["--identity", str(self.key)] if sealed else []
        instance = self.instance
        instance.targets.clear()
        instance.retention = {"keep_last": 3}
        self.bucket = instance.add_s3(
            self.s3, name=TARGET, encryption=[self.public] if sealed else "none"
        )
        instance.targets[0]["endpoint"] = self.proxy.endpoint
        instance.write_config()
        self._new_uploads()
        began = time.monotonic()
        self.startup = 0.0
        self.proxy.start_counting()
        ran = self.instance.spawn("run")
        while not self.proxy.requests and ran.poll() is None:
            time.sleep(0.02)
        self.startup = time.monotonic() - began
        said, _ = ran.communicate(timeout=SECONDS)
        assert ran.returncode == 0, said
        self.seconds, self.requests = time.monotonic() - began, self.proxy.requests

    def _new_uploads(self) -> None:
        """One of three parts and four small ones; those of two points ago go."""
        pb = self.instance.server.pb
        big = self.rng.randbytes(BIG_BYTES)
        small = {f"small{n}.bin": self.rng.randbytes(SMALL_BYTES) for n in range(4)}
        made = [pb.create_record("notes", {"title": "big"}, {"papers": ("big.bin", big)})]
        for name, content in small.items():
            made.append(pb.create_record("notes", {"title": name}, {"picture": (name, content)}))
        self._records += [one["id"] for one in made]
        while len(self._records) > 10:
            pb.delete_record("notes", self._records.pop(0))

    def finish(self) -> list[str]:
        """The last snapshot boots, and PocketBase lives. Returns what is wrong."""
        code, said = self._verify(listed(self.instance, TARGET)[-1], boot=True)
        faults = [f"the last snapshot does not boot: {said}"] if code else []
        process = self.instance.server.process
        if process is None or process.poll() is not None:
            faults.append("PocketBase died")
        return faults


def summary(points: list[Killed], wrong: list[str], seconds: float) -> str:
    """One line of figures."""
    hit = sum(one.hit for one in points)
    return (
        f"backup-kills: {hit} backups killed ({len(points) - hit} more had ended), "
        f"{sum(one.looked_complete for one in points)} snapshots look complete and are not, "
        f"{len(wrong)} faults; uploads sent again: "
        f"{max(one.resent for one in points) / PART_BYTES:.2f} parts at most, "
        f"{sum(one.resent for one in points) / PART_BYTES:.2f} in all; "
        f"database sent anew: {max(one.database for one in points) / 2**20:.2f} MiB at most; "
        f"{seconds:.0f} s"
    )

"""Backups of a PocketBase that is written to without a break, each restored and compared.

The load goes to PocketBase directly. A third of the backups follow one of PocketBase's own at
once, a sixth meet one that is running: from then on PocketBase holds no locks on its database.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backup_kit import Instance, S3Server
from campaign_bench import make_key, tell
from load_checks import Copy, Logs, judge_all, look_at
from pocketbase_kit import EMAIL, PASSWORD

from tinykit_ops.pocketbase.client import PocketBase

WRITES = {
    "name": "writes",
    "type": "base",
    "fields": [
        {"name": "writer", "type": "number"},
        {"name": "seq", "type": "number"},
        {"name": "body", "type": "text"},
        {"name": "file", "type": "file", "maxSelect": 1, "maxSize": 1_000_000},
    ],
}
LOGIN = "/api/collections/_superusers/auth-with-password"
ROOT = {"identity": EMAIL, "password": PASSWORD}
WRITERS = 3
PATIENCE = 300
PAUSE = 0.04  #: seconds between two writes of one writer
BOOT_EVERY = 50
DEADLY = ("panic", "SIGBUS", "fatal error", "malformed", "disk I/O error")


@dataclass
class Load:
    """What a campaign came to.

    Attributes:
        lost: acknowledged writes that the live database does not hold.
        beside: backups that followed or met one of PocketBase's own.
    """

    version: str
    copies: list[Copy] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    crashes: int = 0
    beside: int = 0
    booted: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        return sum("acknowledged and lost" in fault for fault in self.faults)


class LoadCampaign:
    """Backs one loaded instance up, again and again."""

    def __init__(self, instance: Instance, s3: S3Server) -> None:
        self.instance = instance
        self.result = Load(instance.server.version)
        self.key, public = make_key(instance.root)
        instance.retention = {"keep_last": 2}
        instance.add_s3(s3, encryption=[public])
        instance.add_directory()
        instance.server.pb.call("POST", "/api/collections", json=WRITES)
        # PocketBase's own backup may take long on a busy machine.
        self.patient = PocketBase(instance.server.url, timeout=PATIENCE)
        self.patient.login_superuser(EMAIL, PASSWORD)
        self.logs = Logs(instance.root)

    def run(self, rounds: int) -> Load:
        """So many backups under load, then the reckoning."""
        with self._writing():
            for number in range(rounds):
                faults = self._round(number)
                self.result.faults += [f"backup {number + 1}: {fault}" for fault in faults]
                if self._crashed():
                    break
        self._reckon()
        return self.result

    # One round ---------------------------------------------------------------------------------

    def _round(self, number: int) -> list[str]:
        target = ("offsite", "disk")[number % 2]
        with self._beside(number):
            before = self.logs.acknowledged()
            code, said = tell(self.instance, "run")
            after = self.logs.sent()
        if code:
            return [f"run ended with {code}: {said}"]
        return self._restored(target, before, after) + self._booted(number, target)

    @contextmanager
    def _beside(self, number: int) -> Iterator[None]:
        """PocketBase's own backup: right before this one, or at the same time, or none."""
        kind = ("before", "none", "meanwhile", "before", "none", "none")[number % 6]
        self.result.beside += kind != "none"
        other = threading.Thread(target=self._own_backup, args=(f"own{number}.zip",))
        if kind != "none":
            other.start()
        if kind == "before":
            other.join()
        yield
        if kind != "none":
            other.join()
            self.patient.call("DELETE", f"/api/backups/own{number}.zip")

    def _own_backup(self, name: str) -> None:
        self.patient.call("POST", "/api/backups", json={"name": name})

    def _restored(self, target: str, before: dict[int, int], after: dict[int, int]) -> list[str]:
        back = self.instance.root / "back"
        words = ("restore", "latest", "--target", target, "--to", str(back))
        code, said = tell(self.instance, *words, "--identity", str(self.key))
        if code:
            return [f"restore ended with {code}: {said}"]
        try:
            copy = look_at(back / "pb_data", before, after)
        finally:
            shutil.rmtree(back)
        self.result.copies.append(copy)
        return copy.faults

    def _booted(self, number: int, target: str) -> list[str]:
        if number % BOOT_EVERY:
            return []
        self.result.booted += 1
        words = ("verify", "--target", target, "--identity", str(self.key))
        code, said = tell(self.instance, *words)
        return [f"verify ended with {code}: {said}"] if code else []

    # Around ------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        order = {
            "url": self.instance.server.url,
            "token": self.instance.server.pb.call("POST", LOGIN, json=ROOT)["token"],
            "writers": WRITERS,
            "pause": PAUSE,
            "folder": str(self.logs.folder),
        }
        writer = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("load_writer.py"))],
            stdin=subprocess.PIPE,
            text=True,
        )
        assert writer.stdin is not None
        try:
            writer.stdin.write(json.dumps(order) + "\n")
            writer.stdin.flush()
            yield
        finally:
            writer.stdin.close()
            writer.wait(PATIENCE)

    def _crashed(self) -> bool:
        process = self.instance.server.process
        return process is None or process.poll() is not None

    def _reckon(self) -> None:
        result, server = self.result, self.instance.server
        result.crashes = int(self._crashed())
        result.faults += ["PocketBase ended by itself"] * result.crashes
        result.faults += [f"its log says {word!r}" for word in DEADLY if word in server.log_text()]
        result.faults += self.logs.errors()
        acknowledged = self.logs.acknowledged()
        result.acknowledged = sum(acknowledged.values())
        result.latencies = self.logs.latencies()
        server.stop()
        live = self.instance.root / "live"
        shutil.copytree(server.data, live, ignore=shutil.ignore_patterns("backups"))
        result.faults += judge_all(live, acknowledged, result.copies)


def summary(results: Sequence[Load], seconds: float) -> str:
    """One line of figures for each version, and one for all."""
    lines = [
        f"backup-load {one.version}: {len(one.copies)} backups restored ({one.beside} right after "
        f"or during PocketBase's own), {one.booted} booted; {one.acknowledged} writes "
        f"acknowledged, {one.lost} lost, {one.crashes} crashes, {len(one.faults)} faults; "
        f"write latency p99 {one.latencies[len(one.latencies) * 99 // 100]:.0f} ms, "
        f"max {one.latencies[-1]:.0f} ms (PocketBase's own backups included)"
        for one in results
    ]
    total = sum(len(one.copies) for one in results)
    wrong = sum(len(one.faults) for one in results)
    return "\n".join([*lines, f"backup-load: {total} backups, {wrong} faults; {seconds:.0f} s"])

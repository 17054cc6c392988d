"""tinykit-ops, and PocketBase's own backups."""

from __future__ import annotations

import json
import time
from pathlib import Path

from benchmarks.backup import kit
from benchmarks.backup.measuring import Took, resident, watched
from benchmarks.backup.site import Bucket, Site
from benchmarks.backup.tools import DATABASE, UPLOADS, Tool, python
from tinykit_ops.pocketbase.client import PocketBase

DRIVER = Path(kit.LOAD_WRITER).with_name("backup_driver.py")
_LONGEST_SECONDS = 1800.0


class Ours(Tool):
    """`tinykit-ops backup run`, in a process of its own as cron starts it.

    Args:
        recipient, identity: seal to this key, and open with it; neither for plain archives.
    """

    def __init__(self, site: Site, recipient: str = "", identity: Path | None = None) -> None:
        super().__init__(site)
        self.name = "tinykit-ops, sealed" if recipient else "tinykit-ops"
        self._target = "sealed" if recipient else "plain"
        self._recipients: list[str] | str = [recipient] if recipient else "none"
        self._identity = [f"--identity={identity}"] if identity else []

    def prepare(self, bucket: Bucket) -> None:
        """The target of the settings is this bucket; what is known of others is forgotten."""
        instance = self.site.instance
        instance.targets = [one for one in instance.targets if one["name"] != self._target]
        instance.add_s3(self.site.s3, self._target, self._recipients)
        instance.targets[-1]["bucket"] = bucket.name
        instance.write_config()
        self._run("list")
        self.site.forget_runs()

    def _run(self, *words: str) -> Took:
        instance = self.site.instance
        places = {name: str(value) for name, value in vars(instance.places).items()}
        config = str(instance.etc / "config.json")
        target = f"--target={self._target}"
        command = python(str(DRIVER), json.dumps(places), config, *words, target)
        # As on a host, where the deploy compiles the agent; `prepare` does it here.
        compiled = {"PYTHONPYCACHEPREFIX": str(self.folder), "PYTHONDONTWRITEBYTECODE": ""}
        return self.pipe(command, environment=compiled)

    def back_up(self) -> Took:
        return self._run("run")

    def second_run(self) -> dict[str, int]:
        self.need_bucket.mark()
        self.back_up()
        new = self.need_bucket.new_bytes
        return {UPLOADS: new("/uploads/"), DATABASE: new("/data.db")}

    def restore(self, to: Path) -> Took:
        return self._run("restore", "latest", f"--to={to}", *self._identity)

    def verify(self) -> Took:
        """All of it: hashes, the database, and a boot of PocketBase on the copy."""
        return self._run("verify", *self._identity)


class OwnZip(Tool):
    """What the button in PocketBase's dashboard does, and rclone for the way to the bucket.

    Memory is what PocketBase grows by.
    """

    name = "PocketBase's zip"
    _count = 0

    def back_up(self) -> Took:
        self._count += 1
        process = self.site.server.process
        assert process is not None
        before = resident(process.pid)
        began = time.monotonic()
        with (
            watched([process.pid]) as peak,
            PocketBase(self.site.server.url, timeout=_LONGEST_SECONDS) as server,
        ):
            server.login_superuser(kit.ROOT["identity"], kit.ROOT["password"])
            server.call("POST", "/api/backups", json={"name": self._zip})
            zipped = Took(time.monotonic() - began, max(0, peak.bytes - before))
            file = self.site.server.data / "backups" / self._zip
            target = f"b:{self.need_bucket.name}/{self._zip}"
            sent = self.pipe([self.rclone, "copyto", str(file), target])
            server.call("DELETE", f"/api/backups/{self._zip}")
        return Took(zipped.seconds + sent.seconds, zipped.memory)

    @property
    def _zip(self) -> str:
        return f"own{self._count}.zip"

    def restore(self, to: Path) -> Took:
        """Fetch and unpack; PocketBase's own way does the same, and restarts itself."""
        file = self.folder / "fetched.zip"
        source = f"b:{self.need_bucket.name}/{self._zip}"
        fetched = self.pipe([self.rclone, "copyto", source, str(file)])
        return fetched + self.pipe(python("-m", "zipfile", "-e", str(file), str(to)))
